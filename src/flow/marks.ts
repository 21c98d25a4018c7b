/**
 * How far a lane has come: the highest settled position, and the unsettled ones below it.
 *
 *   … settled │ hole │ settled │ hole │ settled=mark │ unsettled … seen
 */
import { Chain } from '../kit/chain.ts'
import type { Position } from '../ports/store.ts'
import type { Entry } from './entry.ts'

export class Marks {
  #mark: Position
  /** All up to here was looked at; what was not taken was not wanted. Counts as settled once nothing is open. */
  #passed: Position = ''
  readonly #merged: boolean
  /**
   * Stretches of skipped events between taken ones, above the written mark: each is counted once the mark has passed
   * it, so that a restart does not count it again.
   */
  #skipped: { upTo: Position; count: number }[] = []
  #stretch = false
  /** Of the log, taken and not settled, in the order of the lane. */
  readonly #open = new Chain<Entry>()

  constructor(mark: Position, merged: boolean) {
    this.#mark = mark
    this.#merged = merged
  }

  get mark(): Position {
    return this.#open.size === 0 && this.#passed > this.#mark ? this.#passed : this.#mark
  }

  get open(): number {
    return this.#open.size
  }

  entries(): Iterable<Entry> {
    return this.#open
  }

  take(entry: Entry): void {
    if (this.#open.size === 0 && this.#passed > this.#mark) this.#mark = this.#passed
    this.#open.add(entry)
    this.#stretch = false
  }

  settle(entry: Entry): void {
    this.#open.remove(entry)
    if (entry.event.position > this.#mark) this.#mark = entry.event.position
  }

  skip(position: Position): void {
    const last = this.#stretch ? this.#skipped.at(-1) : undefined
    if (last === undefined) this.#skipped.push({ upTo: position, count: 1 })
    else {
      last.upTo = position
      last.count += 1
    }
    this.#stretch = true
  }

  /** How many skipped events such a mark passes, that no written one has passed. What is skipped from now on is a stretch of its own. */
  skippedTo(mark: Position): number {
    let sum = 0
    this.#stretch = false
    for (const { upTo, count } of this.#skipped) if (upTo <= mark) sum += count
    return sum
  }

  /** It stands in the store, so it never goes back. */
  written(mark: Position): void {
    if (mark > this.#mark) this.#mark = mark
    this.#skipped = this.#skipped.filter(({ upTo }) => upTo > mark)
  }

  /** Nothing up to here is left but what is open. `true` where that is news. */
  pass(position: Position): boolean {
    if (position <= this.#passed) return false
    this.#passed = position
    return true
  }

  /** As they will stand once everything that is settling is settled. */
  after(settling: readonly Entry[]): { readonly mark: Position; readonly holes: readonly string[] } {
    let mark = this.#mark
    for (const { event } of settling) if (event.position > mark) mark = event.position
    if (this.#open.size === settling.length && this.#passed > mark) mark = this.#passed
    const holes: string[] = []
    for (let entry = this.#open.first; entry !== undefined && entry.event.position <= mark; entry = entry.after) {
      if (!entry.settling) holes.push(this.#merged ? `${entry.event.lane}/${entry.event.position}` : entry.event.position)
    }
    return { mark, holes }
  }
}

export function decodeHole(hole: string, lane: string): { readonly lane: string; readonly at: Position } {
  const slash = hole.lastIndexOf('/')
  return slash < 0 ? { lane, at: hole } : { lane: hole.slice(0, slash), at: hole.slice(slash + 1) }
}
