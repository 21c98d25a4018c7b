/** Time that passes only when a test says so, and chance from a seed. */
import type { Environment } from '../ports/environment.ts'
import { randomOf, type Random } from './sim-random.ts'

interface Wait {
  readonly atMs: number
  readonly end: () => void
}

/** Of so many, one goes by a turn of the event loop. */
const ticksMax = 101

export class VirtualEnvironment implements Environment {
  /** How often somebody asked for a later: whoever waits for rest looks whether it grows. */
  moves = 0
  readonly #startMs: number
  readonly #random: Random
  /** By the time they are due; of equals in the order in which they came. */
  readonly #waits: Wait[] = []
  #passedMs = 0
  #soons = 0
  #asked = 0
  readonly #turn: () => Promise<void>

  /** `turn`: the event loop turns once. */
  constructor(startMs: number, seed: number, turn: () => Promise<void>) {
    this.#startMs = startMs
    this.#turn = turn
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

  /** By a tick; now and then by a turn of the event loop, so that an app that never rests cannot keep the test from noticing. */
  soon(run: () => void): void {
    this.moves += 1
    this.#soons += 1
    this.#asked += 1
    const ran = (): void => {
      this.#soons -= 1
      run()
    }
    if (this.#asked % ticksMax === 0) void this.#turn().then(ran)
    else process.nextTick(ran)
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
