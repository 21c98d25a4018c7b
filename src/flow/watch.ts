/**
 * Time-outs, with the time in which the process stood still left out. One wait for all turns: a timer each would cost more than a turn.
 */
import type { Environment } from '../ports/environment.ts'

export interface Watched {
  /** When it is over, by the watch's own time. */
  readonly deadlineMs: number
  /** Where the watch keeps it; -1 while it does not. */
  watchedAt: number
  expire(): void
}

/** A wait that took so much longer than asked was a standstill. */
const slackMs = 250

export class Watch {
  readonly #environment: Environment
  readonly #pulseMs: number
  /** In no order, so that one goes without the others moving. */
  readonly #watched: Watched[] = []
  #stoodStillMs = 0
  #asleep = true
  readonly #stopping = new AbortController()

  constructor(environment: Environment, pulseMs: number) {
    this.#environment = environment
    this.#pulseMs = pulseMs
  }

  /** Monotonic, without the standstills that were noticed. `monotonicMs`: of a caller that has just asked for it. */
  nowMs(monotonicMs: number = this.#environment.monotonicMs()): number {
    return monotonicMs - this.#stoodStillMs
  }

  add(watched: Watched): void {
    if (this.#stopping.signal.aborted) return
    watched.watchedAt = this.#watched.push(watched) - 1
    if (this.#asleep) void this.#look()
  }

  remove(watched: Watched): void {
    if (watched.watchedAt < 0) return
    const last = this.#watched.pop()
    if (last !== undefined && last !== watched) {
      this.#watched[watched.watchedAt] = last
      last.watchedAt = watched.watchedAt
    }
    watched.watchedAt = -1
  }

  /** Nobody expires any more, and nothing waits. */
  stop(): void {
    for (const watched of [...this.#watched]) this.remove(watched)
    this.#stopping.abort()
  }

  async #look(): Promise<void> {
    this.#asleep = false
    while (this.#watched.length > 0) {
      const before = this.#environment.monotonicMs()
      const restMs = this.#restMs()
      await this.#environment.wait(restMs, this.#stopping.signal)
      const lateMs = this.#environment.monotonicMs() - before - restMs
      // It may have begun anywhere inside the wait: the whole of it is left out, in the handlers' favour.
      if (lateMs > slackMs) this.#stoodStillMs += lateMs + restMs
      const nowMs = this.nowMs()
      for (const watched of [...this.#watched]) {
        if (watched.deadlineMs > nowMs) continue
        this.remove(watched)
        watched.expire()
      }
    }
    this.#asleep = true
  }

  #restMs(): number {
    let first = Number.POSITIVE_INFINITY
    for (const { deadlineMs } of this.#watched) first = Math.min(first, deadlineMs)
    return Math.max(1, Math.min(this.#pulseMs, first - this.nowMs()))
  }
}
