/** Chance from a seed: sfc32 (Chris Doty-Humphrey), so that a run can be had again. */
export interface Random {
  /** From 0 up to 1, 1 excluded. */
  next(): number
  /** A whole number from 0 up to `below`, `below` excluded. */
  below(below: number): number
  /** A whole number, both ends included. */
  between(from: number, to: number): number
  chance(of: number): boolean
  pick<T>(list: readonly T[]): T
  /** Many small ones and a few large ones: the tail of a latency. */
  tail(typical: number, most: number, heavy: number): number
  shuffle<T>(list: readonly T[]): T[]
  /** A source of its own, that what is drawn here does not move. */
  fork(name: string): Random
}

export function randomOf(seed: number, name = ''): Random {
  return new Sfc32(seed, textHash(name))
}

/** FNV-1a, 32 bit. */
export function textHash(text: string, state = 0x811c9dc5): number {
  let hash = state
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

class Sfc32 implements Random {
  readonly #seed: number
  readonly #salt: number
  #a: number
  #b: number
  #c: number
  #d = 1

  constructor(seed: number, salt: number) {
    this.#seed = seed
    this.#salt = salt
    this.#a = seed | 0
    this.#b = Math.floor(seed / 0x1_0000_0000) | 0
    this.#c = salt | 0
    for (let round = 0; round < 15; round++) this.next()
  }

  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return (sum >>> 0) / 0x1_0000_0000
  }

  below(below: number): number {
    return Math.floor(this.next() * below)
  }

  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  chance(of: number): boolean {
    return of > 0 && this.next() < of
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('nothing to pick from')
    return list[this.below(list.length)] as T
  }

  tail(typical: number, most: number, heavy: number): number {
    return this.next() < heavy ? this.next() * most : (0.2 + this.next() * 1.6) * typical
  }

  shuffle<T>(list: readonly T[]): T[] {
    const mixed = [...list]
    for (let at = mixed.length - 1; at > 0; at--) {
      const other = this.below(at + 1)
      const one = mixed[at] as T
      mixed[at] = mixed[other] as T
      mixed[other] = one
    }
    return mixed
  }

  fork(name: string): Random {
    return new Sfc32(this.#seed, textHash(name, this.#salt))
  }
}
