/**
 * First in, first out, in a ring that grows and is used again. An array that is pushed to and shifted from lets its room go
 * each time it is empty, and gets room for seventeen with the next.
 */
export class Fifo<T> implements Iterable<T> {
  /** A power of two of places. */
  #ring: (T | undefined)[] = [undefined, undefined, undefined, undefined]
  #head = 0
  #length = 0

  constructor(items: Iterable<T> = []) {
    for (const item of items) this.push(item)
  }

  get length(): number {
    return this.#length
  }

  get first(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head]
  }

  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = item
    this.#length += 1
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#length -= 1
    return item
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let at = 0; at < this.#length; at += 1) yield this.#ring[(this.#head + at) & (this.#ring.length - 1)] as T
  }

  #grow(): void {
    const items = [...this]
    const { length } = items
    this.#ring = [...items, ...Array.from({ length }, () => undefined)]
    this.#head = 0
  }
}
