/** Who waits for a change, and how the hint goes: promptly, late, not at all until the store heals it, or without a cause. */
import type { SimDisk } from './sim-disk.ts'
import type { SimProcess } from './sim-process.ts'

interface Waiter {
  readonly process: SimProcess
  readonly names: readonly string[]
  told: boolean
  readonly tell: () => void
}

export const hintLabel = 6

export class SimHints {
  readonly #disk: SimDisk
  readonly #waiters = new Map<string, Set<Waiter>>()

  constructor(disk: SimDisk) {
    this.#disk = disk
    disk.onFlush((names) => this.#touch(names))
  }

  changed(process: SimProcess, names: readonly string[], signal: AbortSignal): Promise<void> {
    const { world, weather, state } = this.#disk
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      if (!process.alive) return
      const tell = (): void => {
        signal.removeEventListener('abort', tell)
        if (heal !== undefined) heal.run = undefined
        this.#remove(waiter)
        if (process.alive) resolve()
      }
      const waiter: Waiter = { process, names, told: false, tell }
      // A store that looks again from time to time tells also of what came before it was asked; one that signals does not.
      const heal = !weather.polls()
        ? undefined
        : world.after(state.limits.healMs * 1_000 * (0.5 + process.random.next() / 2), process, hintLabel, tell)
      for (const name of names) this.#at(name).add(waiter)
      signal.addEventListener('abort', tell, { once: true })
      if (weather.hint() === 'false') this.#after(waiter, weather.wayUs(process) * 3)
    })
  }

  /** Nobody of a life that is over waits any longer. */
  forget(): void {
    this.#waiters.clear()
  }

  #touch(names: ReadonlySet<string>): void {
    for (const name of names) {
      const waiters = this.#waiters.get(name)
      if (waiters !== undefined) for (const waiter of waiters) this.#hint(waiter)
    }
  }

  #hint(waiter: Waiter): void {
    if (waiter.told) return
    const { weather, state } = this.#disk
    const kind = weather.hint()
    waiter.told = true
    const healUs = state.limits.healMs * 1_000
    if (kind === 'lost') this.#after(waiter, healUs)
    else this.#after(waiter, kind === 'late' ? (waiter.process.random.next() * healUs) / 2 : weather.wayUs(waiter.process))
  }

  #after(waiter: Waiter, us: number): void {
    this.#disk.world.after(us, waiter.process, hintLabel, () => waiter.tell())
  }

  #at(name: string): Set<Waiter> {
    const there = this.#waiters.get(name)
    if (there !== undefined) return there
    const waiters = new Set<Waiter>()
    this.#waiters.set(name, waiters)
    return waiters
  }

  #remove(waiter: Waiter): void {
    for (const name of waiter.names) this.#waiters.get(name)?.delete(waiter)
  }
}
