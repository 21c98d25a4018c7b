/** Counts each of `count` deliveries once, and knows those that came twice: a figure without right counts is none. */
export class Count {
  readonly #seen: Uint8Array
  readonly #done = Promise.withResolvers<void>()
  #handled = 0
  #twice = 0

  constructor(count: number) {
    this.#seen = new Uint8Array(count)
    if (count === 0) this.#done.resolve()
  }

  hit(seq: number): void {
    if (this.#seen[seq] !== 0) {
      this.#twice += 1
      return
    }
    this.#seen[seq] = 1
    this.#handled += 1
    if (this.#handled === this.#seen.length) this.#done.resolve()
  }

  get handled(): number {
    return this.#handled
  }

  get done(): Promise<void> {
    return this.#done.promise
  }

  mustBeExact(): void {
    mustEqual('handled', this.#handled, this.#seen.length)
    mustEqual('handled twice', this.#twice, 0)
  }
}

export function mustEqual(what: string, is: unknown, wanted: unknown): void {
  if (is !== wanted) throw new RangeError(`${what}: ${String(is)}, and it has to be ${String(wanted)}`)
}
