/**
 * What may be true: every event that was applied, and for each subscription which of them it must have, in what order, and
 * what became of each.
 */
import type { Placed } from '../../src/ports/store.ts'
import type { Journal } from './journal.ts'
import type { Doing, SubscriptionPlan } from './schedule.ts'

export interface Body {
  readonly number: number
  readonly group: string
  readonly doings: Readonly<Record<string, Doing>>
}

export interface Seen {
  readonly event: Placed
  readonly body: Body
  /** In the order of the log, over all lanes. */
  readonly at: number
}

export type Status = 'row' | 'done' | 'discarded'

export class Model {
  readonly log: Seen[] = []
  readonly lanes = new Map<string, Seen[]>()
  readonly byPosition = new Map<string, Seen>()
  readonly subscriptions: readonly SubscriptionModel[]
  readonly #journal: Journal

  constructor(plans: readonly SubscriptionPlan[], lanes: readonly string[], journal: Journal, instantMs: (afterMs: number) => number) {
    this.#journal = journal
    this.subscriptions = plans.map((plan) => {
      const sinceMs = typeof plan.from === 'number' ? instantMs(plan.from) : Number.NEGATIVE_INFINITY
      return new SubscriptionModel(plan, journal, sinceMs)
    })
    for (const lane of lanes) this.lanes.set(lane, [])
  }

  append(event: Placed): Seen {
    const seen: Seen = { event, body: JSON.parse(event.data) as Body, at: this.log.length }
    this.#journal.push(this.log, seen)
    const lane = this.lanes.get(event.lane)
    if (lane !== undefined) this.#journal.push(lane, seen)
    this.#journal.set(this.byPosition, event.position, seen)
    for (const subscription of this.subscriptions) subscription.offer(seen)
    return seen
  }

  byId(id: string): SubscriptionModel | undefined {
    return this.subscriptions.find((subscription) => subscription.id === id)
  }

  byName(name: string): SubscriptionModel {
    const found = this.subscriptions.find(({ plan }) => plan.name === name || plan.was === name)
    if (found === undefined) throw new Error(`no subscription ${name}`)
    return found
  }
}

export class SubscriptionModel {
  readonly plan: SubscriptionPlan
  /** Nothing that was stored before it. */
  readonly sinceMs: number
  id = ''
  /** Of each key its events, as the log has them. */
  readonly queues = new Map<string, Seen[]>()
  readonly status = new Map<string, Status>()
  /** How many at the beginning of a key's queue are done or discarded. */
  readonly #heads = new Map<string, number>()
  /** Events that it starts after, by lane; nothing before it is registered. */
  #starts: ((lane: string) => string) | undefined
  readonly #journal: Journal

  constructor(plan: SubscriptionPlan, journal: Journal, sinceMs: number) {
    this.plan = plan
    this.sinceMs = sinceMs
    this.#journal = journal
  }

  get registered(): boolean {
    return this.#starts !== undefined
  }

  register(id: string, starts: (lane: string) => string, log: readonly Seen[]): void {
    this.id = id
    this.#starts = starts
    this.#journal.did(() => {
      this.#starts = undefined
      this.id = ''
    })
    for (const seen of log) this.offer(seen)
  }

  lane(seen: Seen): string {
    return this.plan.merged ? '*' : seen.event.lane
  }

  starts(lane: string): string {
    return this.#starts?.(lane) ?? ''
  }

  /** Its order key, where it wants the event. */
  key({ event, body }: Pick<Seen, 'event' | 'body'>): string | undefined {
    return wantedKey(this.plan, event, body)
  }

  wants(seen: Seen): boolean {
    const { position, lane, storedMs } = seen.event
    return this.registered && position > this.starts(lane) && storedMs >= this.sinceMs && this.key(seen) !== undefined
  }

  offer(seen: Seen): void {
    if (!this.wants(seen)) return
    const key = this.key(seen) ?? ''
    const queue = this.queues.get(key)
    if (queue === undefined) this.#journal.set(this.queues, key, [seen])
    else this.#journal.push(queue, seen)
  }

  /** The first event that nobody can tell the order key of; nothing after it runs until an operator has discarded it. */
  standsAt(log: readonly Seen[]): Seen | undefined {
    if (!this.plan.keyless) return undefined
    return log.find(
      (seen) => seen.body.doings[this.plan.name]?.do === 'broken' && this.wants(seen) && !this.status.has(seen.event.position),
    )
  }

  discardStanding(log: readonly Seen[]): void {
    const seen = this.standsAt(log)
    if (seen !== undefined) this.mark(seen.event.position, 'discarded')
  }

  mark(position: string, status: Status): void {
    this.#journal.set(this.status, position, status)
  }

  /** The first of the key that is neither done nor discarded. */
  head(key: string): Seen | undefined {
    const queue = this.queues.get(key) ?? []
    let at = this.#heads.get(key) ?? 0
    const before = at
    while (at < queue.length && this.#over(queue[at])) at += 1
    if (at !== before) this.#journal.set(this.#heads, key, at)
    return queue[at]
  }

  #over(seen: Seen | undefined): boolean {
    const status = seen === undefined ? undefined : this.status.get(seen.event.position)
    return status === 'done' || status === 'discarded'
  }
}

/**
 * What the filter and the order of a subscription make of an event; the same for its code and for the model, since it is
 * its definition.
 */
export function wantedKey(plan: SubscriptionPlan, event: Placed, body: Body): string | undefined {
  if (!plan.types.includes(event.type)) return undefined
  if (plan.skips > 0 && body.number % plan.skips === 0) return undefined
  if (plan.order === 'none') return event.id
  return plan.order === 'group' ? body.group : event.key
}
