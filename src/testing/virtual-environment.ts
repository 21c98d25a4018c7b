/** Time that passes only when a test says so, and chance from a seed. */
import type { Environment } from '../ports/environment.ts'
import { randomOf, type Random } from './sim-random.ts'

interface Wait {
  readonly atMs: number
  readonly end: () => void
}

export class VirtualEnvironment implements Environment {
  /** How often somebody asked for a later: whoever waits for rest looks whether it grows. */
  moves = 0
  readonly #startMs: number
  readonly #random: Random
  /** By the time they are due; of equals in the order in which they came. */
  readonly #waits: Wait[] = []
  #passedMs = 0
  #soons = 0

  constructor(startMs: number, seed: number) {
    this.#startMs = startMs
    this.#random = randomOf(seed, 'virtual')
  }

  nowMs(): number {
    return this.#startMs + this.#passedMs
  }

  monotonicMs(): number {
    return this.#passedMs
  }

  /** Whole milliseconds, never early: so that no remainder is waited for without end. */
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    this.moves += 1
    if (signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        signal?.removeEventListener('abort', end)
        const at = this.#waits.indexOf(wait)
        if (at >= 0) this.#waits.splice(at, 1)
        this.moves += 1
        resolve()
      }
      const wait: Wait = { atMs: Math.ceil(this.#passedMs + Math.max(0, ms)), end }
      const later = this.#waits.findLastIndex(({ atMs }) => atMs <= wait.atMs)
      this.#waits.splice(later + 1, 0, wait)
      signal?.addEventListener('abort', end, { once: true })
    })
  }

  random(): number {
    return this.#random.next()
  }

  soon(run: () => void): void {
    this.moves += 1
    this.#soons += 1
    process.nextTick(() => {
      this.#soons -= 1
      run()
    })
  }

  /** Whether something is still to run at this very instant. */
  get busy(): boolean {
    return this.#soons > 0 || (this.#waits[0] !== undefined && this.#waits[0].atMs <= this.#passedMs)
  }

  /** Goes to when the first wait is due, where that is within the time given, and ends it; `false` where none is. */
  next(untilMs: number): boolean {
    const [first] = this.#waits
    if (first === undefined || first.atMs > untilMs) return false
    this.#passedMs = Math.max(this.#passedMs, first.atMs)
    first.end()
    return true
  }

  /** Goes there; what is due before must have been ended. */
  goTo(passedMs: number): void {
    this.#passedMs = Math.max(this.#passedMs, passedMs)
  }
}
