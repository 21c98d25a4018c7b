/** Millrace as `start` composes it, with what a bench has to reach: the disk's flush, and the moment when all is settled. */
import type { App } from '../../src/define/app.ts'
import type { Serving } from '../../src/define/context.ts'
import type { Settings } from '../../src/flow/settings.ts'
import { nodeEnvironment } from '../../src/hosts/node-environment.ts'
import { keepYoungYoung } from '../../src/hosts/node-heap.ts'
import { telemetryTo } from '../../src/observe/telemetry.ts'
import type { Store } from '../../src/ports/store.ts'
import { type Runtime, startRuntime } from '../../src/runtime/runtime.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'

export interface Ours extends Serving {
  readonly store: Store
  readonly runtime: Runtime
  /** Once each subscription has committed its mark at the newest event. */
  settled(): Promise<void>
  stop(): Promise<void>
}

export interface OursOptions {
  readonly path: string
  readonly lanes?: number
  readonly flush?: 'auto' | 'inline' | 'pool'
  /** Instead of the disk's own. */
  readonly sync?: (file: number, done: (error: Error | null) => void) => void
  readonly settings?: Partial<Settings>
}

export async function openOurs(app: App, { path, lanes = 1, flush = 'auto', sync, settings }: OursOptions): Promise<Ours> {
  keepYoungYoung()
  const store = await openStore({ path, lanes, flush, ...(sync === undefined ? {} : { sync }) })
  const telemetry = telemetryTo({
    form: 'json',
    least: 'warn',
    colours: false,
    nowMs: nodeEnvironment.nowMs,
    write: (line) => process.stderr.write(`${line}\n`),
  })
  const runtime = await startRuntime(app, { store, environment: nodeEnvironment, telemetry }, settings === undefined ? {} : { settings })
  const serving = runtime.serving(new AbortController().signal)
  const settled = async (): Promise<void> => {
    for (const { runner } of runtime.flow.units())
      while (!(await isAtRest(store, runner))) await new Promise((resolve) => setImmediate(resolve))
  }
  const stop = async (): Promise<void> => {
    await runtime.stop()
    await store.close()
  }
  return Object.assign(serving, { store, runtime, settled, stop })
}

export function openStore(options: Omit<OursOptions, 'settings'>): Promise<Store> {
  const { nowMs, monotonicMs, random, soon } = nodeEnvironment
  return sqliteStore({ lanes: 1, ...options, nowMs, monotonicMs, random, soon })
}

type Runner = Runtime['flow'] extends { units(): Iterable<infer Unit> } ? (Unit extends { runner: infer One } ? One : never) : never

/** All that it wants is settled, up to the head of its lane. */
async function isAtRest(store: Store, { lane, committer }: Runner): Promise<boolean> {
  await committer.drained()
  const after = lane.marks.mark
  const [slice] = await store.read([{ of: 'lane', name: lane.lane, after, types: lane.crew.subscription.types }], { events: 1, bytes: 1 })
  return lane.marks.open === 0 && slice?.events.length === 0
}
