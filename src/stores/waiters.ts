/** Who waits for a change of a lane, or of the rows of a `kind/part`. */
import type { Change } from '../ports/store.ts'

type Waiter = { readonly names: readonly string[]; readonly wake: () => void }

export class Waiters {
  readonly #byName = new Map<string, Set<Waiter>>()
  /** Those that wait for rows: while there is none, nobody writes the names of rows. */
  #forRows = 0

  wait(names: readonly string[], signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const waiter: Waiter = {
        names,
        wake: () => {
          signal.removeEventListener('abort', waiter.wake)
          this.#leave(waiter)
          resolve()
        },
      }
      signal.addEventListener('abort', waiter.wake)
      this.#enter(waiter)
    })
  }

  /** After a commit is flushed. */
  wakeFor(change: Change, laneOf: (slot: number) => string): void {
    if (this.#byName.size === 0) return
    for (const { event } of change.appends) this.#wake(laneOf(event.slot))
    for (const { lane } of change.trims) this.#wake(lane)
    if (this.#forRows === 0) return
    for (const { kind, part } of change.puts) this.#wake(`${kind}/${part}`)
    for (const { kind, part } of change.deletes) this.#wake(`${kind}/${part}`)
  }

  wakeAll(): void {
    for (const name of [...this.#byName.keys()]) this.#wake(name)
  }

  #wake(name: string): void {
    const waiting = this.#byName.get(name)
    if (waiting !== undefined) for (const { wake } of [...waiting]) wake()
  }

  #enter(waiter: Waiter): void {
    for (const name of waiter.names) {
      const waiting = this.#byName.get(name) ?? new Set()
      this.#byName.set(name, waiting.add(waiter))
      if (name.includes('/')) this.#forRows++
    }
  }

  #leave(waiter: Waiter): void {
    for (const name of waiter.names) {
      const waiting = this.#byName.get(name)
      if (waiting?.delete(waiter) !== true) continue
      if (name.includes('/')) this.#forRows--
      if (waiting.size === 0) this.#byName.delete(name)
    }
  }
}
