/** How long the event loop stands still while every flush of the disk takes its time: a figure, and no test. */
import { fdatasync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { nodeEnvironment } from '../../src/hosts/node-environment.ts'
import { openDatabaseSync } from '../../src/stores/sqlite-open.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { runCounting, settleAll } from './counting-run.ts'

export interface SlowDisk {
  readonly syncs: number
  readonly publishes: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const loops = 64
const textBytes = 300
const resolutionMs = 1

export async function slowDisk(syncMs: number, forMs: number): Promise<SlowDisk> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-slow-'))
  const { nowMs, monotonicMs, random, soon, wait } = nodeEnvironment
  let syncs = 0
  const sync = (file: number, done: (error: Error | null) => void): void => {
    syncs += 1
    setTimeout(() => fdatasync(file, done), syncMs)
  }
  const store = await sqliteStore({ path: join(folder, 'store.db'), flush: 'pool', nowMs, monotonicMs, random, soon, sync })
  const running = await runCounting(store, textBytes)
  const db = openDatabaseSync(join(folder, 'store.db'), { readOnly: true })
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  const publishes = Array.from({ length: loops }, () => 0)
  const untilMs = performance.now() + forMs
  const publishAll = async (loop: number): Promise<void> => {
    while (performance.now() < untilMs) {
      await running.publish(0, loop, publishes[loop] ?? 0)
      publishes[loop] = (publishes[loop] ?? 0) + 1
    }
  }
  // What is compiled first is no matter of the disk.
  const loopsDone = Promise.all(publishes.map((_, loop) => publishAll(loop)))
  await wait(forMs / 4)
  delay.enable()
  await loopsDone
  delay.disable()
  await settleAll(db)
  db.close()
  await running.stop()
  await store.close()
  rmSync(folder, { recursive: true })
  // The timer that measures is itself due once in its resolution.
  const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1_000_000 - resolutionMs)
  const total = publishes.reduce((sum, count) => sum + count, 0)
  return { syncs, publishes: total, p50Ms: ms(delay.percentile(50)), p99Ms: ms(delay.percentile(99)), maxMs: ms(delay.max) }
}
