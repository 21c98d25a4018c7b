/** Keys in the order of their UTF-8 bytes, in chunks: adding, removing and finding a place cost the same however many there are. */
import { compareUtf8 } from '../kit/utf8-order.ts'

const chunkMax = 512

export class SortedKeys {
  readonly #chunks: string[][] = [[]]

  add(key: string): void {
    const at = this.#chunkOf(key)
    const chunk = this.#chunks[at] ?? []
    const place = firstAtLeast(chunk, key)
    if (chunk[place] === key) return
    chunk.splice(place, 0, key)
    if (chunk.length > chunkMax) this.#chunks.splice(at + 1, 0, chunk.splice(chunkMax / 2))
  }

  remove(key: string): void {
    const at = this.#chunkOf(key)
    const chunk = this.#chunks[at] ?? []
    const place = firstAtLeast(chunk, key)
    if (chunk[place] !== key) return
    chunk.splice(place, 1)
    if (chunk.length === 0 && this.#chunks.length > 1) this.#chunks.splice(at, 1)
  }

  /** From `from` on, included; to `to`, excluded; `''` is no bound. */
  *between(from: string, to: string): Generator<string> {
    let at = this.#chunkOf(from)
    let place = firstAtLeast(this.#chunks[at] ?? [], from)
    for (; at < this.#chunks.length; at++, place = 0) {
      const chunk = this.#chunks[at] ?? []
      for (; place < chunk.length; place++) {
        const key = chunk[place] ?? ''
        if (to !== '' && compareUtf8(key, to) >= 0) return
        yield key
      }
    }
  }

  /** The same from its end. */
  *backwards(from: string, to: string): Generator<string> {
    let at = to === '' ? this.#chunks.length - 1 : this.#chunkOf(to)
    let place = to === '' ? (this.#chunks[at]?.length ?? 0) - 1 : firstAtLeast(this.#chunks[at] ?? [], to) - 1
    for (; at >= 0; at--, place = (this.#chunks[at]?.length ?? 0) - 1) {
      const chunk = this.#chunks[at] ?? []
      for (; place >= 0; place--) {
        const key = chunk[place] ?? ''
        if (compareUtf8(key, from) < 0) return
        yield key
      }
    }
  }

  /** The last chunk that begins at or before the key. */
  #chunkOf(key: string): number {
    let low = 0
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (compareUtf8(this.#chunks[middle]?.[0] ?? '', key) <= 0) low = middle
      else high = middle - 1
    }
    return low
  }
}

function firstAtLeast(chunk: readonly string[], key: string): number {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareUtf8(chunk[middle] ?? '', key) < 0) low = middle + 1
    else high = middle
  }
  return low
}
