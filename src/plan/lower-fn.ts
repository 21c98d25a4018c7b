/** A function, as a subscription: what it looks at, in which order, and one turn of it. */
import type { Fact } from '../contracts/fact.ts'
import type { BatchContext, Context, Item } from '../define/context.ts'
import { oneOrMore, type Received } from '../define/definition.ts'
import type { Fn } from '../define/fn.ts'
import type { Look, Subscription } from '../flow/subscription.ts'
import type { Taken, Turn } from '../flow/turn.ts'
import { fault } from '../kit/fault.ts'
import { isThenable } from '../kit/thenable.ts'
import { uuidV7From } from '../kit/uuid-v7.ts'
import { lookThrough, readerFor } from './consumed.ts'
import type { Plan } from './plan.ts'
import type { Services } from './services.ts'
import { storedOf, timeText } from './stored-of.ts'

export function lowerFn(plan: Plan, fn: Fn, services: Services): Subscription {
  const reader = readerFor(plan, fn.on)
  const keep = keeping(fn)
  const merged = typeof fn.order === 'function'
  const { batch } = fn
  return {
    name: fn.name,
    kind: 'fn',
    ...(fn.was === undefined ? {} : { was: fn.was }),
    from: fn.from,
    merged,
    types: reader.types,
    policy: fn.policy,
    ...(batch === undefined ? {} : { batch: { size: batch.size, waitMs: batch.waitMs, ...groupBy(batch.by) } }),
    look: (event) => lookThrough(reader, event, `fn ${fn.name}`, merged, keep),
    run: batch === undefined ? (turn) => runOne(fn, turn, services) : (turn) => runBatch(fn, turn, services),
  }
}

function keeping(fn: Fn): (fact: Received) => readonly { readonly key: string; readonly part: Received }[] {
  const { order, matches } = fn
  return (fact) => {
    if (matches !== undefined && !matches(fact)) return []
    const key = order === 'key' ? fact.key : order === 'none' ? `${fact.source} ${fact.id}` : order(fact.data)
    if (typeof key !== 'string') throw fault('KEY_INVALID', `fn ${fn.name}: order gives no text`, { event: fact.id })
    return [{ key, part: fact }]
  }
}

function groupBy(by: ((data: unknown) => string) | undefined): { group?: (look: Extract<Look, { is: 'run' }>) => string } {
  return by === undefined ? {} : { group: ({ parts }) => by((parts[0] as Received).data) }
}

/** The parts of a split event are one turn, one after another. */
async function runParts(fn: Fn, turn: Turn, taken: Taken, services: Services): Promise<void> {
  for (const [part, fact] of (taken.parts as readonly Received[]).entries()) {
    const emitting = new Emitting(fn, turn, taken, part, services)
    if (fn.once !== undefined && (await wasDone(fn, fn.once, turn, fact))) {
      if (taken.parts.length === 1) turn.repeated()
      continue
    }
    emitting.emitAll(await fn.run(fact.data, contextOf(fn, turn, fact, emitting, services) as never))
  }
}

/** The common case without a promise more than the handler's own. */
function runOne(fn: Fn, turn: Turn, services: Services): void | Promise<void> {
  const [taken] = turn.taken
  if (taken === undefined) return
  if (fn.once !== undefined || taken.parts.length > 1) return runParts(fn, turn, taken, services)
  const fact = taken.parts[0] as Received
  const emitting = new Emitting(fn, turn, taken, 0, services)
  const result = fn.run(fact.data, contextOf(fn, turn, fact, emitting, services) as never)
  if (isThenable(result)) return Promise.resolve(result).then((facts) => emitting.emitAll(facts))
  return emitting.emitAll(result)
}

async function runBatch(fn: Fn, turn: Turn, services: Services): Promise<void> {
  const items: Item<Fact, {}>[] = []
  for (const taken of turn.taken) {
    for (const [part, fact] of (taken.parts as readonly Received[]).entries()) {
      if (fn.once !== undefined && (await wasDone(fn, fn.once, turn, fact))) continue
      const emitting = new Emitting(fn, turn, taken, part, services)
      items.push({ event: fact, idempotencyKey: emitting.key, emit: (...facts: readonly unknown[]) => emitting.emitAll(facts) })
    }
  }
  if (items.length === 0) return
  const asking = services.asking(fn.name, () => turn.signal)
  const context: BatchContext<Fact> = { ...asking, get signal() { return turn.signal }, attempt: turn.attempt, items }
  await fn.run(items.map(({ event }) => event.data), context as never)
}

/** A row in the turn's commit: so what failed or parked is not done. */
async function wasDone(fn: Fn, once: NonNullable<Fn['once']>, turn: Turn, fact: Received): Promise<boolean> {
  const key = { kind: 'once', part: turn.subscription, key: once.by(fact.data) }
  const row = await turn.get(key)
  if (row !== undefined) return true
  turn.put(key, '1', turn.storeMs + once.withinMs)
  return false
}

/** What a handler is given. Made of getters: most handlers ask for little of it. */
function contextOf(fn: Fn, turn: Turn, fact: Received, emitting: Emitting, services: Services): Context<Fact> {
  let asking: ReturnType<Services['asking']> | undefined
  const ask = (): ReturnType<Services['asking']> => (asking ??= services.asking(fn.name, () => turn.signal))
  const context: Context<Fact> = {
    event: fact,
    attempt: turn.attempt,
    get idempotencyKey() { return emitting.key },
    get signal() { return turn.signal },
    get log() { return ask().log },
    now: () => ask().now(),
    use: (resource) => ask().use(resource),
    rows: (of) => ask().rows(of),
    ask: (query, input) => ask().ask(query, input),
    emit: (...facts: readonly unknown[]) => emitting.emitAll(facts),
  }
  return context
}

class Emitting {
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
    if (event === undefined) throw fault('EMIT_UNDECLARED', `fn ${this.#fn.name} emits ${String(fact.type)}, which it does not declare`, { fn: this.#fn.name, type: fact.type })
    const { event: cause, run } = this.#taken
    const index = this.#count
    this.#count += 1
    this.#turn.append(
      storedOf(fact, event, {
        id: (data) => uuidV7From(cause.storedMs, [this.#turn.subscription, cause.source, cause.id, run, this.#part, index, fact.type, data]),
        source: this.#services.source,
        time: timeText(this.#turn.storeMs),
        cause: cause.id,
        correlation: cause.correlation ?? cause.id,
      }),
    )
  }
}
