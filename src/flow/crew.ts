/** What the lanes of one subscription share in one process: its places to run, its breaker, whether it is paused. */
import { closed, decodeBreaker, settle, type Breaker, type Outcome } from './breaker.ts'
import type { StoreClock } from './store-clock.ts'
import type { Subscription } from './subscription.ts'

export class Crew {
  readonly subscription: Subscription
  /** What the store knows the subscription by: kept through renames. */
  readonly id: string
  /** Events stored before it are passed: where `from` was an instant. */
  readonly sinceMs: number
  running = 0
  /** Handlers that timed out, had their grace, and still run. */
  abandoned = 0
  paused = false
  breaker: Breaker = closed
  breakerRev: string | null = null
  /** Grows with whatever is learned of the breaker's row: what was asked before that is answered too late. */
  breakerKnown = 0
  /** The breaker's row does not know these outcomes. */
  #unwritten: Outcome[] = []
  /** Outcomes that made a difference; how many of them there were at the last that must be written, and in the row as written. */
  #noted = 0
  #notedToWrite = 0
  #notedWritten = 0
  /** Commits under way that write the row, with how many outcomes each knows. */
  readonly #writing = new Map<string, number>()
  /** A probe is under way. */
  probing = false
  /** The next to be woken first: a freed place goes round among the lanes. */
  #wakes: (() => void)[] = []

  constructor(subscription: Subscription, id: string, sinceMs: number) {
    this.subscription = subscription
    this.id = id
    this.sinceMs = sinceMs
  }

  get free(): number {
    return this.subscription.policy.concurrency - this.running
  }

  /** Tells the breaker that a call went well: most of the time that is no news. */
  noteWell(key: string, clock: StoreClock): void {
    if (this.breaker.phase === 'closed' && this.breaker.last.length === 0) return
    this.note({ key, well: true }, clock.nowMs())
  }

  /** Tells the breaker how a call went. */
  note(outcome: Outcome, nowMs: number): void {
    const policy = this.subscription.policy.breaker
    if (policy === false) return
    const before = this.breaker
    this.breaker = settle(before, outcome, policy, nowMs)
    if (this.breaker === before) return
    this.#noted += 1
    this.#unwritten.push(outcome)
    if (this.#unwritten.length > policy.of) this.#unwritten.shift()
    if (!outcome.well || before.phase !== this.breaker.phase) this.#notedToWrite = this.#noted
  }

  /** The next commit of a lane writes its row. */
  get breakerChanged(): boolean {
    return this.#notedToWrite > this.#notedWritten
  }

  /** A commit that writes the row is sent. */
  beginWrite(id: string): void {
    this.#writing.set(id, this.#noted)
  }

  /** It is answered. Where it stands, the row knows what was noted before it was sent, and nothing that was noted since. */
  endWrite(id: string, stands: boolean): void {
    const noted = this.#writing.get(id)
    this.#writing.delete(id)
    if (noted === undefined || !stands) return
    this.breakerRev = id
    this.breakerKnown += 1
    this.#notedWritten = noted
    this.#unwritten = this.#noted === noted ? [] : this.#unwritten.slice(noted - this.#noted)
  }

  /**
   * The row as an answer has it, and on top of it what only this process knows; tells whether that is news. `known`: what
   * `breakerKnown` was when it was asked. What was learned since is younger; and what this process is writing at the
   * moment, it knows better.
   */
  hearBreaker(known: number, value: string | undefined, rev: string | null, nowMs: number): boolean {
    const policy = this.subscription.policy.breaker
    if (policy === false || known !== this.breakerKnown || rev === this.breakerRev) return false
    if (rev !== null && this.#writing.has(rev)) return false
    this.breakerRev = rev
    this.breakerKnown += 1
    const stored = value === undefined ? closed : decodeBreaker(value)
    this.breaker = this.#unwritten.reduce((breaker, outcome) => settle(breaker, outcome, policy, nowMs), stored)
    return true
  }

  onWake(wake: () => void): void {
    this.#wakes.push(wake)
  }

  offWake(wake: () => void): void {
    this.#wakes = this.#wakes.filter((one) => one !== wake)
  }

  /** A place is free, or something else changed that a lane may wait for. */
  wake(): void {
    const wakes = this.#wakes
    if (wakes.length > 1) this.#wakes = [...wakes.slice(1), ...wakes.slice(0, 1)]
    for (const wake of wakes) wake()
  }
}
