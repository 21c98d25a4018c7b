/** What is due when: a binary heap by time, then by the order in which it was asked for. */
import type { Due } from './sim-process.ts'

export class DueHeap {
  readonly #heap: Due[] = []

  get size(): number {
    return this.#heap.length
  }

  push(due: Due): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(due)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above] as Due
      if (!before(due, parent)) break
      heap[at] = parent
      at = above
    }
    heap[at] = due
  }

  peek(): Due | undefined {
    return this.#heap[0]
  }

  pop(): Due | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    this.#sink(last)
    return first
  }

  #sink(due: Due): void {
    const heap = this.#heap
    const size = heap.length
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= size) break
      if (child + 1 < size && before(heap[child + 1] as Due, heap[child] as Due)) child += 1
      const lower = heap[child] as Due
      if (!before(lower, due)) break
      heap[at] = lower
      at = child
    }
    heap[at] = due
  }
}

function before(one: Due, other: Due): boolean {
  return one.atUs < other.atUs || (one.atUs === other.atUs && one.order < other.order)
}
