/** The store's time, carried on this process's monotonic clock between its answers: late by an answer's way at most, never early. */
import type { Environment } from '../ports/environment.ts'

export class StoreClock {
  readonly #environment: Environment
  #storeMs = 0
  #notedMs = 0

  constructor(environment: Environment) {
    this.#environment = environment
  }

  note(storeMs: number): void {
    this.#storeMs = storeMs
    this.#notedMs = this.#environment.monotonicMs()
  }

  /** `monotonicMs`: of a caller that has just asked for it. */
  nowMs(monotonicMs: number = this.#environment.monotonicMs()): number {
    return Math.floor(this.#storeMs + Math.max(0, monotonicMs - this.#notedMs))
  }
}
