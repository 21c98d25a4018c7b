/** What the lanes of one subscription share in one process: its places to run, its breaker, whether it is paused. */
import { closed, settle, type Breaker, type Outcome } from './breaker.ts'
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
  /** Somebody has paused or resumed it: what an operator resumed is not paused again for what was there before. */
  controlled = false
  breaker: Breaker = closed
  breakerRev: string | null = null
  /** The breaker's row does not know these outcomes. */
  unwritten: Outcome[] = []
  breakerChanged = false
  /** How often this process has written the breaker's row: a look that was asked before the last time is old. */
  breakerWrites = 0
  /** Changes under way that write the breaker's row: what they wrote may be seen before they are answered, and is known here. */
  readonly breakerWriting = new Set<string>()
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

  /** Tells the breaker how a call went. */
  note(outcome: Outcome, nowMs: number): void {
    const policy = this.subscription.policy.breaker
    if (policy === false) return
    const before = this.breaker
    this.breaker = settle(before, outcome, policy, nowMs)
    if (this.breaker === before) return
    this.unwritten.push(outcome)
    if (this.unwritten.length > policy.of) this.unwritten.shift()
    if (!outcome.well || before.phase !== this.breaker.phase) this.breakerChanged = true
  }

  /** The row as somebody else wrote it, and on top of it what only this process knows. */
  reload(stored: Breaker, rev: string | null, nowMs: number): void {
    const policy = this.subscription.policy.breaker
    if (policy === false) return
    this.breakerRev = rev
    this.breaker = this.unwritten.reduce((breaker, outcome) => settle(breaker, outcome, policy, nowMs), stored)
  }

  written(rev: string): void {
    this.breakerRev = rev
    this.breakerWrites += 1
    this.breakerChanged = false
    this.unwritten = []
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
    this.#wakes = [...wakes.slice(1), ...wakes.slice(0, 1)]
    for (const wake of wakes) wake()
  }
}
