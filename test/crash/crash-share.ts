/** All that is tried with one way of flushing: kills, power cuts, and what the same power cuts must catch. */
import type { FlushMode } from '../../src/stores/sqlite-flush.ts'
import { hasStrace } from './disk-trace.ts'
import { runKills } from './kills.ts'
import { runCuts } from './power-cuts.ts'
import { slowDisk } from './slow-disk.ts'

export interface ShareOptions {
  readonly flush: FlushMode
  readonly seed: number
  readonly kills: number
  readonly states: number
  /** Of the states, those of a run that writes so much that its WAL begins anew. */
  readonly largeStates: number
  readonly say: (line: string) => void
}

/** So many states a control is given to be caught in. */
const controlStates = 600

/** What went wrong, nothing of it expected. */
export async function crashShare({ flush, seed, kills, states, largeStates, say }: ShareOptions): Promise<readonly string[]> {
  const killed = await runKills({ seed, kills, flush, say })
  if (states === 0) return killed.complaints
  if (!hasStrace()) return [...killed.complaints, 'power cuts need strace, which is not here']
  const cut = await runCuts({ seed, states: states - largeStates, flush, say })
  const large = largeStates === 0 ? [] : (await runCuts({ seed, states: largeStates, flush, large: true, say })).complaints
  return [...killed.complaints, ...cut.complaints, ...large, ...(await controls(flush, seed, say))]
}

/** A figure for whoever reads it: it depends on the machine. */
export async function sayOfSlowDisk(say: (line: string) => void): Promise<void> {
  const { syncs, publishes, p50Ms, p99Ms, maxMs } = await slowDisk(10, 2_000)
  const delays = `p50 ${p50Ms.toFixed(2)}, p99 ${p99Ms.toFixed(2)}, longest ${maxMs.toFixed(1)} ms`
  say(`a disk of 10 ms a flush: ${publishes} publishes in ${syncs} flushes; delay of the event loop: ${delays}`)
}

/**
 * A store that never flushes, and one that acknowledges before the flush: each must be caught. Inside a commit nothing
 * can be acknowledged early.
 */
export async function controls(flush: FlushMode, seed: number, say: (line: string) => void): Promise<readonly string[]> {
  const missed: string[] = []
  for (const planted of flush === 'inline' ? (['never'] as const) : (['never', 'early'] as const)) {
    const { states, complaints } = await runCuts({ seed, states: controlStates, flush, planted })
    const outcome = complaints.length === 0 ? 'NOT CAUGHT' : `caught in state ${states}: ${complaints[0]}`
    say(`control, flush ${flush}, planted ${planted}: ${outcome}`)
    if (complaints.length === 0) missed.push(`flush ${flush}: what was planted (${planted}) was not caught in ${states} states`)
  }
  return missed
}
