/** Drives an app with events, on a store that is gone afterwards: how many it takes and handles in a second, and how long each waits. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { jsonSchema } from '../contracts/json-schema.ts'
import type { App } from '../define/app.ts'
import type { AnyEvent } from '../define/event.ts'
import type { Fn } from '../define/fn.ts'
import type { OwnedLane } from '../flow/owned-lane.ts'
import { nodeEnvironment } from '../hosts/node-environment.ts'
import { fault } from '../kit/fault.ts'
import { idMint } from '../kit/uuid-v7.ts'
import { telemetryTo } from '../observe/telemetry.ts'
import { planOf } from '../plan/compile.ts'
import { startRuntime, type Runtime } from '../runtime/runtime.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import type { Given } from './command.ts'
import { sampleOf } from './sample-data.ts'
import { numberOf } from './numbers.ts'

export interface Spread {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly most: number
}

export interface Result {
  readonly app: string
  readonly type: string
  readonly events: number
  readonly concurrency: number
  readonly machine: string
  readonly node: string
  readonly sqlite: string
  /** Milliseconds, where not said otherwise. */
  readonly publish: Spread & { readonly perSecond: number }
  /** From the publish call to the start of a function's turn. Absent where no function consumes the event. */
  readonly start: Spread | undefined
  readonly handled: { readonly turns: number; readonly perSecond: number }
  /** What was published, and what it caused. */
  readonly inLog: number
  readonly failures: number
  /** Everything was handled, and nothing was left. */
  readonly settled: boolean
}

class Clock {
  readonly calls = new Map<string, number>()
  readonly starts: number[] = []

  /** Of an event that is measured, once for each function. */
  started(id: string): void {
    const calledMs = this.calls.get(id)
    if (calledMs !== undefined) this.starts.push(nodeEnvironment.monotonicMs() - calledMs)
  }
}

export async function bench(app: App, given: Given): Promise<Result> {
  const event = eventOf(app, given.text('type'))
  const count = numberOf('count', given.text('count') ?? '10000', 1, 100_000_000)
  const concurrency = numberOf('concurrency', given.text('concurrency') ?? '64', 1, 100_000)
  const keys = numberOf('keys', given.text('keys') ?? String(count), 1, 100_000_000)
  const dataOf = await dataFor(app, event, given)
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  const clock = new Clock()
  const telemetry = telemetryTo({ form: 'json', least: 'error', colours: false, nowMs: nodeEnvironment.nowMs })
  try {
    const store = await sqliteStore({ path: join(folder, 'bench.db'), ...nodeEnvironment })
    const runtime = await startRuntime(timed(app, clock), { store, environment: nodeEnvironment, telemetry }, { env: process.env })
    try {
      const warm = Math.min(1_000, Math.ceil(count / 10))
      await publishAll(runtime, event, warm, concurrency, (n) => dataOf((count + n) % Math.max(keys, warm)), undefined)
      await settled(runtime)
      const before = await totals(runtime)
      const beganMs = nodeEnvironment.monotonicMs()
      const waits = await publishAll(runtime, event, count, concurrency, (n) => dataOf(n % keys), clock)
      const publishedMs = nodeEnvironment.monotonicMs() - beganMs
      const whole = await settled(runtime)
      const handledMs = nodeEnvironment.monotonicMs() - beganMs
      const after = await totals(runtime)
      const turns = after.done - before.done
      return {
        ...{ app: app.name, type: event.type, events: count, concurrency },
        ...machine(),
        publish: { ...spread(waits), perSecond: Math.round((count / publishedMs) * 1_000) },
        start: clock.starts.length === 0 ? undefined : spread(clock.starts),
        handled: { turns, perSecond: Math.round((turns / handledMs) * 1_000) },
        inLog: after.head - before.head,
        failures: after.failed - before.failed,
        settled: whole,
      }
    } finally {
      await runtime.stop()
      await store.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function eventOf(app: App, type: string | undefined): AnyEvent {
  const plan = planOf(app)
  const consumed = [...plan.functions.flatMap(({ on }) => on), ...plan.projections.flatMap(({ takes }) => takes.map(({ event }) => event))]
  const event = type === undefined ? [...plan.today.values()].find((one) => consumed.includes(one)) : plan.today.get(type)
  if (event !== undefined) return event
  const types = [...plan.today.keys()].join(', ')
  throw fault(
    'USAGE_WRONG',
    type === undefined
      ? `nothing in ${app.name} consumes an event: name one with --type`
      : `${app.name} has no event '${type}'; there are ${types}`,
    { type },
  )
}

async function dataFor(app: App, event: AnyEvent, given: Given): Promise<(n: number) => unknown> {
  const [data, file] = [given.text('data'), given.text('events')]
  if (data !== undefined) return (n) => JSON.parse(data.replaceAll('{{n}}', String(n))) as unknown
  if (file !== undefined) {
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.trim() !== '')
    const all = lines.map((line) => JSON.parse(line) as unknown)
    if (all.length === 0) throw fault('USAGE_WRONG', `${file} has no line`, { file })
    return (n) => all[n % all.length]
  }
  const schema = jsonSchema(event.schema, app.jsonSchema)
  return (n) => sampleOf(schema, n)
}

/** The same app; of each function the start of its turns is noted. */
function timed(app: App, clock: Clock): App {
  const noted = (fn: Fn): Fn => {
    const run = (data: never, context: never): unknown => {
      const { event, items } = context as {
        readonly event?: { readonly id: string }
        readonly items?: readonly { readonly event: { readonly id: string } }[]
      }
      if (event !== undefined) clock.started(event.id)
      for (const item of items ?? []) clock.started(item.event.id)
      return fn.run(data, context)
    }
    return { ...fn, run }
  }
  return { ...app, words: app.words.map((word) => (word.kind === 'fn' ? noted(word) : word)) }
}

/** How long each call took. */
async function publishAll(
  runtime: Runtime,
  event: AnyEvent,
  count: number,
  concurrency: number,
  dataOf: (n: number) => unknown,
  clock: Clock | undefined,
): Promise<number[]> {
  const mint = idMint(nodeEnvironment)
  const waits: number[] = []
  let next = 0
  const one = async (): Promise<void> => {
    while (next < count) {
      const data = dataOf(next++)
      const id = mint()
      const calledMs = nodeEnvironment.monotonicMs()
      clock?.calls.set(id, calledMs)
      await runtime.door.publish([{ type: event.type, data }], { id })
      waits.push(nodeEnvironment.monotonicMs() - calledMs)
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, one))
  return waits
}

/** Waits until nothing is left to do; `false` where nothing has moved for five seconds. */
async function settled(runtime: Runtime): Promise<boolean> {
  let last = ''
  let movedMs = nodeEnvironment.monotonicMs()
  for (;;) {
    const head = await headOf(runtime)
    const lanes = [...runtime.flow.units()].map(({ runner }) => runner.lane)
    const under = ({ marks, attempts, keys }: OwnedLane): boolean =>
      marks.open > 0 || attempts.size > 0 || [...keys.values()].some((queue) => !queue.empty)
    const awaited = await Promise.all(lanes.map(hasMore))
    if (!awaited.includes(true) && !lanes.some(under) && (await headOf(runtime)) === head) return true
    const now = JSON.stringify([head, lanes.map(({ counts, marks }) => [counts, marks.mark])])
    if (now !== last) movedMs = nodeEnvironment.monotonicMs()
    else if (nodeEnvironment.monotonicMs() - movedMs > 5_000) return false
    last = now
    await nodeEnvironment.wait(2)
  }
}

/** A mark need not be at the end: what comes there may be of types that nobody wants. */
async function hasMore({ lane, marks, crew, context }: OwnedLane): Promise<boolean> {
  const { store } = context
  const { merged, types } = crew.subscription
  const names = merged ? store.limits.lanes.map(({ name }) => name) : [lane]
  const slices = await store.read(
    names.map((name) => ({ of: 'lane', name, after: marks.mark, types })),
    { events: 1, bytes: 1 },
  )
  return slices.some(({ events }) => events.length > 0)
}

async function headOf({ flow }: Runtime): Promise<string> {
  const { store } = flow.context
  const slices = await store.read(
    store.limits.lanes.map(({ name }) => ({ of: 'lane', name, after: '', types: new Set<string>() })),
    { events: 1, bytes: 1 },
  )
  return slices.reduce((most, { upTo }) => (upTo > most ? upTo : most), '')
}

async function totals(runtime: Runtime): Promise<{ readonly done: number; readonly failed: number; readonly head: number }> {
  const { flow } = runtime
  const lanes = [...flow.units()].map(({ runner }) => runner.lane)
  const sum = (of: (lane: (typeof lanes)[number]) => number): number => lanes.reduce((total, lane) => total + of(lane), 0)
  return {
    done: sum(({ counts }) => counts.done),
    failed: sum(({ counts }) => counts.failed),
    head: Number(await headOf(runtime)),
  }
}

function spread(measured: readonly number[]): Spread {
  const sorted = [...measured].sort((a, b) => a - b)
  const at = (share: number): number => rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), most: at(1) }
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}

function machine(): { readonly machine: string; readonly node: string; readonly sqlite: string } {
  const cores = cpus()
  const model = cores[0]?.model.trim() ?? 'unknown'
  return {
    machine: `${cores.length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}`,
    node: process.version,
    sqlite: process.versions['sqlite'] ?? '',
  }
}
