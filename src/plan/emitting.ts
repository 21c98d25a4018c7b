/** What one turn emits for one part of its event: declared events only, under ids that are the same on every attempt. */
import type { Fact } from '../contracts/fact.ts'
import { oneOrMore } from '../define/definition.ts'
import type { Fn } from '../define/fn.ts'
import type { Taken, Turn } from '../flow/turn.ts'
import { fault } from '../kit/fault.ts'
import { uuidV7From } from '../kit/uuid-v7.ts'
import type { Services } from './services.ts'
import { storedOf, timeText } from './stored-of.ts'

export class Emitting {
  readonly #fn: Fn
  readonly #turn: Turn
  readonly #taken: Taken
  readonly #part: number
  readonly #services: Services
  #count = 0

  constructor(fn: Fn, turn: Turn, taken: Taken, part: number, services: Services) {
    this.#fn = fn
    this.#turn = turn
    this.#taken = taken
    this.#part = part
    this.#services = services
  }

  /** Of (subscription, event, run, part): retry and redrive keep it. */
  get key(): string {
    const { event, run } = this.#taken
    return `${this.#turn.subscription}/${event.source}/${event.id}/${run}${this.#part === 0 ? '' : `/${this.#part}`}`
  }

  emitAll(given: unknown): void {
    if (given === undefined || given === null) return
    for (const fact of oneOrMore(given as Fact | readonly Fact[])) this.#emit(fact)
  }

  /** Its id has its cause's time: the same on every attempt, and ordered. */
  #emit(fact: Fact): void {
    const event = this.#fn.emits.find(({ type }) => type === fact.type)
    if (event === undefined)
      throw fault('EMIT_UNDECLARED', `fn ${this.#fn.name} emits ${String(fact.type)}, which it does not declare`, {
        fn: this.#fn.name,
        type: fact.type,
      })
    const { event: cause, run } = this.#taken
    const index = this.#count
    this.#count += 1
    this.#turn.append(
      storedOf(fact, event, {
        id: (data) =>
          uuidV7From(cause.storedMs, [this.#turn.subscription, cause.source, cause.id, run, this.#part, index, fact.type, data]),
        source: this.#services.source,
        time: timeText(this.#turn.storeMs),
        cause: cause.id,
        correlation: cause.correlation ?? cause.id,
      }),
    )
  }
}
