/** Runs the counting app over a store that is given, and waits until all of it has been done with. */
import type { DatabaseSync } from 'node:sqlite'
import { nodeEnvironment } from '../../src/hosts/node-environment.ts'
import type { Store } from '../../src/ports/store.ts'
import { startRuntime } from '../../src/runtime/runtime.ts'
import { counted, countingApp, headOf, isSettled, publishOf } from './counting-app.ts'

/** On a disk that is full nothing comes to its end. */
const drainMs = 1_000

export interface CountingRun {
  publish(life: number, loop: number, n: number): Promise<void>
  stop(): Promise<void>
}

export async function runCounting(
  store: Store,
  textBytes: number,
  started: (who: string, event: string) => void = () => {},
): Promise<CountingRun> {
  const telemetry = { count: () => {}, record: () => {}, span: <T>(_: string, __: unknown, run: () => T) => run(), log: () => {} }
  const runtime = await startRuntime(countingApp(started), { store, environment: nodeEnvironment, telemetry }, { settings: { drainMs } })
  const serving = runtime.serving(new AbortController().signal)
  const publish = async (life: number, loop: number, n: number): Promise<void> => {
    const { id, facts } = publishOf(life, loop, n, textBytes)
    await serving.publish(
      facts.map((fact) => counted(fact)),
      { id },
    )
  }
  return { publish, stop: () => runtime.stop() }
}

/** What the last events caused too. False: not within its time. */
export async function settleAll(db: DatabaseSync, patienceMs = Number.POSITIVE_INFINITY): Promise<boolean> {
  const untilMs = performance.now() + patienceMs
  for (let head = -1; head !== headOf(db);) {
    head = headOf(db)
    while (!isSettled(db, head)) {
      if (performance.now() > untilMs) return false
      await nodeEnvironment.wait(1)
    }
  }
  return true
}
