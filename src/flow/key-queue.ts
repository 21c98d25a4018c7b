/**
 * What waits for one order key: one turn at a time, in order, nothing overtakes.
 *
 *   run next ──▶ entries of the log (older than any row) ──▶ rows of its hold
 *
 * After a turn returned, the next of its key may start before the commit: both are in one wave, and where the first
 * loses, those after it are undone.
 *
 * Its flags are facts and not phases: each comes and goes by itself (a turn is under way while an earlier one is on its
 * way to the store, a handler hangs while its failure is), so they cannot be one state. What they mean together
 * is asked of `startable`, `idle` and `empty` alone.
 */
import { Fifo } from '../kit/fifo.ts'
import type { Position } from '../ports/store.ts'
import type { Entry } from './entry.ts'
import type { Hold } from './holds.ts'

export class KeyQueue {
  readonly key: string
  /** Of the log, waiting; those in flight or staged are not among them. */
  waiting = new Fifo<Entry>()
  /** By the monotonic clock, when its first began to wait for a batch. */
  sinceMs: number | undefined
  /** Read from its rows, waiting. */
  rows = new Fifo<Entry>()
  /** The last row that was read. */
  readTo: Position = ''
  /** Rows that were taken out of `rows`, in flight or staged: they still stand in the store. */
  rowsOut = 0
  hold: Hold | undefined
  /** The store's clock has been seen at its due time, or past it. */
  due = false
  /** A turn of it is under way. */
  busy = false
  /** What stops it until a commit: failures, start rows, requests, spills; how many. */
  blocks = 0
  loading = false
  /** Arrivals on their way to rows: what arrives after them goes behind them. */
  joining = 0
  /** Its outcomes in waves that are not committed. */
  staged = 0
  /** A handler that timed out and still runs: the next attempt waits for it, or one grace. */
  abandoned = false
  /** The row it lost to: its turn runs again when it is the first to wait for it. */
  contends: string | undefined
  /** So many of its rows may have been in flight when an owner died. */
  suspects = 0
  /** Requests that wait for it to come to rest: no turn of it starts until they are taken. */
  asked = 0
  /** It was empty when it was last looked at, and may be swept out. */
  dropped = false
  /** It stands in the runner's list of those that may start. */
  listed = false

  constructor(key: string) {
    this.key = key
  }

  get idle(): boolean {
    return !this.busy && this.blocks === 0 && !this.loading && !this.abandoned && this.staged === 0
  }

  /** Nothing of it is left to know. */
  get empty(): boolean {
    return (
      this.idle &&
      this.asked === 0 &&
      this.hold === undefined &&
      this.waiting.length === 0 &&
      this.rows.length === 0 &&
      this.contends === undefined
    )
  }

  /** Whether a turn of it could start now; places to run, breaker and pause apart. */
  startable(): boolean {
    if (this.busy || this.asked > 0 || this.blocks > 0 || this.loading || this.abandoned) return false
    return this.waiting.length > 0 || this.drains()
  }

  /** Whether its rows may run, and there are any. */
  drains(): boolean {
    const hold = this.hold
    if (hold === undefined || hold.count <= this.rowsOut) return false
    return hold.state === 'ready' || (hold.state === 'wait' && this.due)
  }

  /** Of what runs next, the attempts that counted. */
  get attempts(): number {
    return this.waiting.length === 0 && this.rowsOut === 0 && this.hold !== undefined ? this.hold.attempt : 0
  }

  /** Its rows have changed under it: read them again. */
  forgetRows(): void {
    this.rows = new Fifo()
    this.readTo = ''
  }

  /** It waits no more: it is on its way to a row. */
  takeOut(entry: Entry): void {
    this.waiting = without(this.waiting, entry)
    if (entry.held === undefined) return
    this.rows = without(this.rows, entry)
    this.rowsOut += 1
  }

  /** Puts entries back in front, in order: their turns are undone. */
  giveBack(entries: readonly Entry[]): void {
    const log = entries.filter((entry) => entry.held === undefined)
    const rows = entries.filter((entry) => entry.held !== undefined)
    if (log.length > 0) this.waiting = new Fifo([...log, ...this.waiting].sort(byPosition))
    if (rows.length > 0) {
      this.rows = new Fifo([...rows, ...this.rows].sort(byPosition))
      this.rowsOut -= rows.length
    }
  }
}

function without(entries: Iterable<Entry>, entry: Entry): Fifo<Entry> {
  return new Fifo([...entries].filter((one) => one !== entry))
}

function byPosition(a: Entry, b: Entry): number {
  return a.event.position < b.event.position ? -1 : 1
}
