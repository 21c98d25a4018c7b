/**
 * Events that may have been in flight when an owner died. Before one runs, a start row says who starts it; so the next
 * owner knows what was started and not finished.
 *
 *   no start before     row, then it runs beside others
 *   one                 it waits until it is alone in its process, row, then it runs; others wait until its outcome stands
 *   two                 it is parked
 *
 * The happy path writes no such row.
 */
import type { Committer } from './committer.ts'
import type { Entry } from './entry.ts'
import type { Outcome, Work } from './outcome.ts'
import type { OwnedLane } from './owned-lane.ts'

export class Suspects {
  readonly #lane: OwnedLane
  readonly #committer: Committer
  readonly #run: (work: Work, alone: boolean) => void
  readonly #giveBack: (work: Work) => void
  /** Those whose start rows are on their way, or that wait to enter, and whether each has the process to itself. */
  readonly #starting = new Map<Work, boolean>()
  /**
   * Those that have the process to themselves: until their outcome is committed, for a crash of somebody else before
   * that would accuse them.
   */
  readonly #alone = new Set<Work>()

  constructor(lane: OwnedLane, committer: Committer, run: (work: Work, alone: boolean) => void, giveBack: (work: Work) => void) {
    this.#lane = lane
    this.#committer = committer
    this.#run = run
    this.#giveBack = giveBack
  }

  diedTwice(entry: Entry): boolean {
    return entry.suspect && this.#startsOf(entry).length >= 2
  }

  /** The gate is entered, the place is taken. A second start is written only once it is alone: so that nobody else's crash accuses it. */
  begin(work: Work): void {
    const { gate } = this.#lane.context
    const starts = new Map(work.entries.filter((entry) => entry.suspect).map((entry) => [entry, this.#startsOf(entry)] as const))
    const alone = [...starts.values()].some((before) => before.length > 0)
    for (const queue of work.queues) queue.blocks += 1
    gate.leave()
    if (!alone) return this.#write(work, starts, false)
    gate.enterAlone(() => this.#write(work, starts, true))
  }

  /** Its start rows stand. */
  committed({ work, starts, alone }: Extract<Outcome, { is: 'start' }>): void {
    for (const entry of starts.keys()) this.#lane.started.set(entry.event.position, entry.key)
    for (const queue of work.queues) queue.blocks -= 1
    this.#enter(work, alone)
  }

  /** It does not come to run: its place, and the gate where it is alone, are given back. */
  drop(work: Work): void {
    const alone = this.#starting.get(work)
    if (alone === undefined) return
    this.#starting.delete(work)
    this.#lane.crew.running -= 1
    if (work.probe) this.#lane.crew.probing = false
    if (alone) this.#lane.context.gate.leave()
    this.#lane.crew.wake()
  }

  isAlone(work: Work): boolean {
    return this.#alone.has(work)
  }

  /** Its start row stands, and nobody else is inside. */
  runAgain(work: Work): void {
    this.#lane.crew.running += 1
    this.#run(work, true)
  }

  /** Its outcome stands, or is undone: others may start again. */
  end(work: Work): void {
    if (this.#alone.delete(work)) this.#lane.context.gate.leave()
  }

  /** It came to an end in this process: nothing is held against it. */
  clear(entry: Entry): void {
    if (!entry.suspect) return
    this.#lane.starts.delete(entry.event.position)
    this.#lane.started.delete(entry.event.position)
  }

  /** The lane is let go. */
  over(): void {
    for (const work of [...this.#starting.keys()]) this.drop(work)
    for (const work of [...this.#alone]) this.end(work)
  }

  #write(work: Work, starts: ReadonlyMap<Entry, readonly string[]>, alone: boolean): void {
    this.#starting.set(work, alone)
    if (this.#lane.phase !== 'running') return this.drop(work)
    if (!this.#lane.hanging) return this.#committer.push({ is: 'start', work, starts, alone })
    for (const queue of work.queues) queue.blocks -= 1
    this.#turnBack(work)
  }

  /** As many hang as may: what ran while it waited came to no end. It waits again, as any other. */
  #turnBack(work: Work): void {
    for (const queue of work.queues) queue.busy = false
    this.drop(work)
    this.#giveBack(work)
  }

  #enter(work: Work, alone: boolean): void {
    // Its second start stands until the lane is released: a crash of whoever was let in before that would accuse it.
    if (alone && this.#lane.phase === 'draining') return
    if (this.#lane.phase !== 'running') return this.drop(work)
    if (this.#lane.hanging) return this.#turnBack(work)
    if (!alone && !this.#lane.context.gate.enter(() => this.#enter(work, false))) return
    this.#starting.delete(work)
    if (alone) this.#alone.add(work)
    this.#run(work, alone)
  }

  #startsOf(entry: Entry): readonly string[] {
    return this.#lane.starts.get(entry.event.position) ?? []
  }
}
