/** What falls due in one process, with one wait for the first of it. */
import type { Environment } from '../ports/environment.ts'

interface Due {
  readonly atMs: number
  readonly ring: () => void
}

export class Alarm {
  readonly #environment: Environment
  /** A heap by `atMs`, on the monotonic clock. */
  readonly #due: Due[] = []
  #sleep: AbortController | undefined
  #sleepsUntilMs = Number.POSITIVE_INFINITY
  #stopped = false

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** Rings once, not early, unless it was stopped. */
  in(ms: number, ring: () => void): void {
    if (this.#stopped) return
    const atMs = this.#environment.monotonicMs() + Math.max(0, ms)
    this.#add({ atMs, ring })
    if (this.#sleep === undefined) void this.#run()
    else if (atMs < this.#sleepsUntilMs) this.#sleep.abort()
  }

  stop(): void {
    this.#stopped = true
    this.#due.length = 0
    this.#sleep?.abort()
  }

  async #run(): Promise<void> {
    for (let first = this.#due[0]; first !== undefined; first = this.#due[0]) {
      const restMs = first.atMs - this.#environment.monotonicMs()
      if (restMs <= 0) {
        this.#removeFirst()
        first.ring()
        continue
      }
      this.#sleep = new AbortController()
      this.#sleepsUntilMs = first.atMs
      await this.#environment.wait(restMs, this.#sleep.signal)
    }
    this.#sleep = undefined
  }

  #add(due: Due): void {
    const heap = this.#due
    let at = heap.push(due) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = heap[up]
      if (parent === undefined || parent.atMs <= due.atMs) break
      heap[at] = parent
      at = up
    }
    heap[at] = due
  }

  #removeFirst(): void {
    const heap = this.#due
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      const right = heap[down + 1]
      if (right !== undefined && right.atMs < (heap[down]?.atMs ?? Number.POSITIVE_INFINITY)) down += 1
      const child = heap[down]
      if (child === undefined || child.atMs >= last.atMs) break
      heap[at] = child
      at = down
    }
    heap[at] = last
  }
}
