/**
 * Whether an app has come to rest at this instant of virtual time: nothing is under way in its store, nothing is due, and no handler runs
 * but those that hang. What a handler awaits may be real (a file, a server of the test): so long as one runs, and nothing moves, it is
 * given a little real time.
 */
import type { Attempt } from '../flow/attempt.ts'
import type { Flow } from '../flow/flow.ts'
import { fault } from '../kit/fault.ts'
import type { VirtualEnvironment } from './virtual-environment.ts'
import type { WatchedStore } from './watched-store.ts'

/** What is real around a test. */
export interface Real {
  /** The event loop turns once. */
  turn(): Promise<void>
  /** A real millisecond passes. */
  rest(): Promise<void>
  nowMs(): number
}

/** A function that answers itself for ever never comes to rest. */
const movesMax = 300_000

export class Stillness {
  readonly #environment: VirtualEnvironment
  readonly #store: WatchedStore
  readonly #flow: Flow
  readonly #real: Real
  readonly #patienceMs: number
  /** They had their patience: nothing real is expected to end them. */
  readonly #hanging = new WeakSet<Attempt>()

  constructor(environment: VirtualEnvironment, store: WatchedStore, flow: Flow, real: Real, patienceMs: number) {
    this.#environment = environment
    this.#store = store
    this.#flow = flow
    this.#real = real
    this.#patienceMs = patienceMs
  }

  async come(): Promise<void> {
    const until = this.#moves() + movesMax
    let stillSinceMs: number | undefined
    while (this.#moves() < until) {
      if (await this.#moved()) {
        stillSinceMs = undefined
        continue
      }
      const running = this.#running()
      if (running.length === 0) return
      stillSinceMs ??= this.#real.nowMs()
      if (this.#real.nowMs() - stillSinceMs < this.#patienceMs) await this.#real.rest()
      else for (const attempt of running) this.#hanging.add(attempt)
    }
    throw fault('TEST_RESTLESS', `${movesMax} calls of the store and waits at one instant, and no end`)
  }

  /** Two turns of the event loop, for what one of them brings in may be taken in the next. */
  async #moved(): Promise<boolean> {
    const before = this.#moves()
    for (let turn = 0; turn < 2; turn += 1) {
      this.#environment.next(this.#environment.monotonicMs())
      await this.#real.turn()
      if (this.#moves() !== before || this.#environment.busy || this.#store.underWay > 0) return true
    }
    return false
  }

  #moves(): number {
    return this.#environment.moves + this.#store.moves
  }

  #running(): readonly Attempt[] {
    return [...this.#flow.units()].flatMap(({ runner }) => [...runner.lane.attempts]).filter((attempt) => !this.#hanging.has(attempt))
  }
}
