/** What one turn emits for one part of its event: declared events only, under ids that are the same on every attempt. */
import type { Fact } from '../contracts/fact.ts'
import { madeBy } from '../contracts/made-fact.ts'
import { oneOrMore } from '../define/definition.ts'
import type { AnyEvent } from '../define/event.ts'
import type { Fn } from '../define/fn.ts'
import type { Taken, Turn } from '../flow/turn.ts'
import { fault, isFault } from '../kit/fault.ts'
import { uuidV7From } from '../kit/uuid-v7.ts'
import type { Stored } from '../ports/store.ts'
import type { Services } from './services.ts'
import { storedOf, timeText } from './stored-of.ts'

export class Emitting {
  readonly #fn: Fn
  readonly #turn: Turn
  readonly #taken: Taken
  readonly #part: string
  readonly #services: Services
  #count = 0

  constructor(fn: Fn, turn: Turn, taken: Taken, part: string, services: Services) {
    this.#fn = fn
    this.#turn = turn
    this.#taken = taken
    this.#part = part
    this.#services = services
  }

  /** Of (subscription, event, run, part): retry and redrive keep it. Each stands alone in it, and a header can carry it. */
  get key(): string {
    const { event, run } = this.#taken
    const of = `${this.#turn.subscription}/${plain(event.source)}/${plain(event.id)}/${run}`
    return this.#part === '0' ? of : `${of}/${this.#part}`
  }

  emitAll(given: unknown): void {
    if (given === undefined || given === null) return
    for (const fact of oneOrMore(given as Fact | readonly Fact[])) this.#emit(fact)
  }

  /** Throws all the same: what comes after it in a handler must not go on as if it had been emitted. */
  #append(stored: Stored): void {
    try {
      this.#turn.append(stored)
    } catch (thrown) {
      if (isFault(thrown, 'TURN_CLOSED')) this.#services.late(this.#fn.name, thrown)
      throw thrown
    }
  }

  /** Its id has its cause's time: the same on every attempt, and ordered. */
  #emit(fact: Fact): void {
    const event = this.#declared(fact)
    const { event: cause, run } = this.#taken
    const index = this.#count
    this.#count += 1
    this.#append(
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

  /** The version that made it; of what is only shaped like a fact, the newest that is declared. */
  #declared(fact: unknown): AnyEvent {
    const { name, emits } = this.#fn
    const shaped = typeof fact === 'object' && fact !== null && 'type' in fact
    const by = shaped ? madeBy(fact) : undefined
    const named = shaped ? emits.filter(({ type }) => type === fact.type) : []
    const event = by === undefined ? named.toSorted((a, b) => b.version - a.version)[0] : named.find((one) => one === by)
    if (event !== undefined) return event
    const what = shaped ? `${String(fact.type)}${by === undefined ? '' : ` ${by.version}`}` : describe(fact)
    throw fault('EMIT_UNDECLARED', `fn ${name} emits ${what}, which it does not declare`, {
      fn: name,
      type: shaped ? fact.type : undefined,
    })
  }
}

function describe(given: unknown): string {
  return typeof given === 'object' && given !== null ? 'an object without a type' : String(given)
}

function plain(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}
