/** Publishing from outside any turn: facts of the app's own code, and events as they come in by a door. */
import type { Fact } from '../contracts/fact.ts'
import { madeBy } from '../contracts/made-fact.ts'
import type { Published } from '../define/context.ts'
import { optionFault } from '../define/definition.ts'
import type { AnyEvent } from '../define/event.ts'
import { problemOf } from '../event/envelope.ts'
import type { FlowContext } from '../flow/context.ts'
import { publishStored } from '../flow/publisher.ts'
import { closest } from '../kit/closest.ts'
import { fault, isFault } from '../kit/fault.ts'
import { promised } from '../kit/thenable.ts'
import { idMint, type IdMint } from '../kit/uuid-v7.ts'
import type { Plan } from '../plan/plan.ts'
import { storedOf, timeText } from '../plan/stored-of.ts'
import type { Stored } from '../ports/store.ts'
import type { Posted } from './http-door.ts'

export class Publishing {
  readonly #plan: Plan
  readonly #context: FlowContext
  readonly #mint: IdMint
  /** Calls that are not stored yet. */
  #waiting = 0

  constructor(plan: Plan, context: FlowContext) {
    this.#plan = plan
    this.#context = context
    this.#mint = idMint(context.environment)
  }

  /** `id` is the first's; the others' are made of it, by their place. */
  facts(facts: readonly Fact[], id: string | undefined): Promise<Published> {
    return promised(() => this.#publish(this.#storedFacts(facts, id)))
  }

  /** A fault of one names its place in the call: `data.at`. */
  async posted(posted: readonly Posted[], id: string | undefined): Promise<Published> {
    const time = timeText(this.#context.environment.nowMs())
    return this.#publish(posted.map((one, at) => this.#storedPost(one, at, id, time)))
  }

  #publish(events: readonly Stored[]): Promise<Published> {
    if (events.length === 0) return Promise.resolve({ ids: [], repeated: false })
    const { publishMax } = this.#context.settings
    if (this.#waiting >= publishMax) throw fault('PUBLISH_BUSY', `${publishMax} calls wait to be stored`, { waiting: this.#waiting })
    this.#waiting += 1
    return publishStored(this.#context, events).then(
      ({ repeated }) => {
        this.#waiting -= 1
        this.#context.telemetry.count(repeated ? 'millrace_publish_repeated_total' : 'millrace_published_total', events.length)
        return { ids: events.map((event) => event.id), repeated }
      },
      (thrown) => {
        this.#waiting -= 1
        throw thrown
      },
    )
  }

  #storedFacts(facts: readonly Fact[], id: string | undefined): readonly Stored[] {
    const wrong = id === undefined ? undefined : problemOf('id', id)
    if (wrong !== undefined) throw optionFault('publish', 'id', wrong)
    const source = this.#plan.name
    const nowMs = this.#context.environment.nowMs()
    const time = timeText(nowMs)
    return facts.map((fact, at) =>
      storedOf(fact, this.#eventOf(fact), { id: id === undefined ? this.#mint(nowMs) : placed(id, at), source, time }),
    )
  }

  /** A type that is known has no such version; of one that is not, what may have been meant is named. */
  #unknown({ type, version }: Posted, at: number): Error {
    const versions = this.#plan.events.filter((event) => event.type === type).map((event) => event.version)
    const near = versions.length > 0 ? [] : closest(type, [...this.#plan.today.keys()])
    const there = versions.length > 0 ? `; there is ${versions.join(', ')}` : near.length > 0 ? `; did you mean ${near.join(', ')}?` : ''
    return fault('EVENT_UNKNOWN', `the app publishes no ${type}${version === undefined ? '' : ` ${version}`}${there}`, { type, at, near })
  }

  #storedPost(posted: Posted, at: number, id: string | undefined, time: string): Stored {
    const event = this.#plan.events.find(
      ({ type, version }) => type === posted.type && version === (posted.version ?? this.#plan.today.get(type)?.version),
    )
    if (event === undefined) throw this.#unknown(posted, at)
    const { key, subject, cause, correlation, extra } = posted
    const envelope = {
      ...(key === undefined ? {} : { key }),
      ...(subject === undefined ? {} : { subject }),
      ...(cause === undefined ? {} : { cause }),
      ...(correlation === undefined ? {} : { correlation }),
      ...(extra === undefined ? {} : { extra }),
    }
    const ownId = posted.id ?? (id === undefined ? this.#mint() : placed(id, at))
    try {
      return storedOf({ type: posted.type, data: posted.data }, event, {
        id: ownId,
        source: posted.source ?? this.#plan.name,
        time: posted.time ?? time,
        ...envelope,
      })
    } catch (thrown) {
      if (isFault(thrown)) throw fault(thrown.code, thrown.message.slice(thrown.code.length + 2), { ...thrown.data, at }, thrown)
      throw thrown
    }
  }

  #eventOf(fact: Fact): AnyEvent {
    const given: Fact | null | undefined = fact
    if (typeof given !== 'object' || given === null) throw fault('EVENT_UNLISTED', `${String(given)} is no fact`)
    const by = madeBy(fact)
    const event = by === undefined ? this.#plan.today.get(fact.type) : this.#plan.events.find((one) => one === by)
    if (event === undefined) throw fault('EVENT_UNLISTED', `${String(fact.type)} is not in the app ${this.#plan.name}`, { type: fact.type })
    return event
  }
}

function placed(id: string, at: number): string {
  return at === 0 ? id : `${id}/${at}`
}
