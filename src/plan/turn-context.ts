/**
 * What a handler is given for one event. A class, for its getters stand on the prototype: an object literal with
 * getters gets a hidden class of its own each time, and that
 * keeps whatever they reach alive until a whole collection. Its functions may be taken apart from it, so each getter
 * gives a bound one, made when it is asked for.
 */
import type { Fact } from '../contracts/fact.ts'
import type { Asking, Context, Log } from '../define/context.ts'
import type { Received } from '../define/definition.ts'
import type { Turn } from '../flow/turn.ts'
import type { Emitting } from './emitting.ts'
import type { Services } from './services.ts'

/** Most handlers ask for little of it. */
export class TurnContext implements Context<Fact> {
  readonly event: Received
  readonly #who: string
  readonly #turn: Turn
  readonly #emitting: Emitting
  readonly #services: Services
  #asking: Asking | undefined

  constructor(who: string, turn: Turn, event: Received, emitting: Emitting, services: Services) {
    this.event = event
    this.#who = who
    this.#turn = turn
    this.#emitting = emitting
    this.#services = services
  }

  get attempt(): number {
    return this.#turn.attempt
  }

  get idempotencyKey(): string {
    return this.#emitting.key
  }

  get signal(): AbortSignal {
    return this.#turn.signal
  }

  get log(): Log {
    return this.#ask().log
  }

  get now(): Asking['now'] {
    return this.#ask().now
  }

  get use(): Asking['use'] {
    return this.#ask().use
  }

  get rows(): Asking['rows'] {
    return this.#ask().rows
  }

  get ask(): Asking['ask'] {
    return this.#ask().ask
  }

  get emit(): Context<Fact>['emit'] {
    return (...facts: readonly unknown[]) => this.#emitting.emitAll(facts)
  }

  #ask(): Asking {
    return (this.#asking ??= this.#services.asking(this.#who, () => this.#turn.signal))
  }
}
