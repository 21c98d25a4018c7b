/** Time and chance of one simulated process. Its timers are never early, and late as often as the world makes them. */
import type { Environment } from '../ports/environment.ts'
import type { SimProcess } from './sim-process.ts'
import type { SimWorld } from './sim-world.ts'

export interface Lateness {
  /** Share of waits that come late. */
  readonly share: number
  readonly mostUs: number
}

export const waitLabel = 1
export const soonLabel = 2

export class SimEnvironment implements Environment {
  readonly #world: SimWorld
  readonly #process: SimProcess
  readonly #lateness: Lateness

  constructor(world: SimWorld, process: SimProcess, lateness: Lateness) {
    this.#world = world
    this.#process = process
    this.#lateness = lateness
  }

  nowMs(): number {
    return Math.floor(this.#world.nowMs + this.#process.skewMs)
  }

  monotonicMs(): number {
    return this.#process.monotonicOffsetMs + this.#world.nowUs / 1_000
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    const process = this.#process
    if (signal?.aborted === true) return Promise.resolve()
    const lateUs = process.random.next() < this.#lateness.share ? process.random.below(this.#lateness.mostUs) : process.random.below(30)
    return new Promise((resolve) => {
      const end = (): void => {
        due.run = undefined
        if (process.alive) resolve()
      }
      const due = this.#world.after(ms * 1_000 + lateUs, process, waitLabel, () => {
        signal?.removeEventListener('abort', end)
        resolve()
      })
      signal?.addEventListener('abort', end, { once: true })
    })
  }

  random(): number {
    return this.#process.random.next()
  }

  soon(run: () => void): void {
    this.#world.after(0, this.#process, soonLabel, run)
  }
}
