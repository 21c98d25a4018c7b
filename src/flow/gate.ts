/**
 * Who may start a turn in this process: many at once, or one alone. A suspect of a crash runs alone, so that the next
 * crash accuses nobody else.
 */
export class Gate {
  #inside = 0
  #alone = false
  readonly #queue: (() => void)[] = []
  readonly #turnedAway = new Set<() => void>()

  /** Whether a turn may start; then it is inside until `leave`. Whoever is turned away is woken when turns may start again. */
  enter(wake: () => void): boolean {
    if (this.#alone || this.#queue.length > 0) {
      this.#turnedAway.add(wake)
      return false
    }
    this.#inside += 1
    return true
  }

  /** Calls `run` once nobody else is inside; it is inside, alone, until `leave`. */
  enterAlone(run: () => void): void {
    this.#queue.push(run)
    if (this.#inside === 0) this.#next()
  }

  leave(): void {
    this.#inside -= 1
    if (this.#inside === 0 && (this.#alone || this.#queue.length > 0)) this.#next()
  }

  #next(): void {
    const run = this.#queue.shift()
    this.#alone = run !== undefined
    if (run !== undefined) {
      this.#inside = 1
      run()
      return
    }
    const wakes = [...this.#turnedAway]
    this.#turnedAway.clear()
    for (const wake of wakes) wake()
  }
}
