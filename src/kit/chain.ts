/**
 * A list whose members know their neighbours: in and out costs nothing, and what is out is let go of at once. (A Set
 * that is added to and deleted from at this rate keeps
 * what it held alive: its discarded tables grow old, and hold on to the young.)
 */
export interface Chained<T> {
  before: T | undefined
  after: T | undefined
  chained: boolean
}

export class Chain<T extends Chained<T>> {
  #first: T | undefined
  #last: T | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): T | undefined {
    return this.#first
  }

  /** At the end. One that is in stays where it is. */
  add(member: T): void {
    if (member.chained) return
    member.chained = true
    member.before = this.#last
    if (this.#last === undefined) this.#first = member
    else this.#last.after = member
    this.#last = member
    this.#size += 1
  }

  remove(member: T): void {
    if (!member.chained) return
    const { before, after } = member
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    member.before = undefined
    member.after = undefined
    member.chained = false
    this.#size -= 1
  }

  /** Members may be removed meanwhile, the one at hand too. */
  *[Symbol.iterator](): Generator<T> {
    for (let member = this.#first; member !== undefined;) {
      const { after } = member
      yield member
      member = after
    }
  }
}
