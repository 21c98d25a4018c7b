/** A function, as a subscription: what it looks at, in which order, and one turn of it. */
import type { Fact } from '../contracts/fact.ts'
import type { BatchContext, Item } from '../define/context.ts'
import type { Received } from '../define/definition.ts'
import type { Fn } from '../define/fn.ts'
import type { Look, Subscription } from '../flow/subscription.ts'
import type { Taken, Turn } from '../flow/turn.ts'
import { fault } from '../kit/fault.ts'
import { isThenable } from '../kit/thenable.ts'
import { eventKey, lookThrough, ownKey, placeOf, readerFor, unknownKey } from './consumed.ts'
import { Emitting } from './emitting.ts'
import type { Plan } from './plan.ts'
import type { Services } from './services.ts'
import { TurnContext } from './turn-context.ts'

export function lowerFn(plan: Plan, fn: Fn, services: Services): Subscription {
  const reader = readerFor(plan, fn.on)
  const keep = keeping(fn)
  const merged = typeof fn.order === 'function'
  const { batch } = fn
  const keyOf = merged ? unknownKey : fn.order === 'none' ? ownKey : eventKey
  return {
    name: fn.name,
    kind: 'fn',
    ...(fn.was === undefined ? {} : { was: fn.was }),
    from: fn.from,
    merged,
    types: reader.types,
    policy: fn.policy,
    ...(batch === undefined ? {} : { batch: { size: batch.size, waitMs: batch.waitMs, ...groupBy(batch.by) } }),
    look: (event) => lookThrough(reader, event, `fn ${fn.name}`, keyOf, keep),
    run: batch === undefined ? (turn) => runOne(fn, turn, services) : (turn) => runBatch(fn, turn, services),
  }
}

function keeping(fn: Fn): (fact: Received) => readonly { readonly key: string; readonly part: Received }[] {
  const { order, matches } = fn
  return (fact) => {
    if (matches !== undefined && !matches(fact)) return []
    const key = order === 'key' ? fact.key : order === 'none' ? ownKey(fact) : order(fact.data)
    if (typeof key !== 'string') throw fault('KEY_INVALID', `fn ${fn.name}: order gives no text`, { event: fact.id })
    return [{ key, part: fact }]
  }
}

function groupBy(by: ((data: unknown) => string) | undefined): { group?: (look: Extract<Look, { is: 'run' }>) => string } {
  return by === undefined ? {} : { group: ({ parts }) => by((parts[0] as Received).data) }
}

/** The parts of a split event are one turn, one after another. */
async function runParts(fn: Fn, turn: Turn, taken: Taken, services: Services): Promise<void> {
  for (const fact of taken.parts as readonly Received[]) {
    const emitting = new Emitting(fn, turn, taken, placeOf(fact), services)
    if (fn.once !== undefined && (await wasDone(fn, fn.once, turn, fact))) {
      turn.repeated()
      continue
    }
    emitting.emitAll(await fn.run(fact.data, new TurnContext(fn.name, turn, fact, emitting, services) as never))
  }
}

/** The common case without a promise more than the handler's own. */
function runOne(fn: Fn, turn: Turn, services: Services): void | Promise<void> {
  const [taken] = turn.taken
  if (taken === undefined) return
  if (fn.once !== undefined || taken.parts.length > 1) return runParts(fn, turn, taken, services)
  const fact = taken.parts[0] as Received
  const emitting = new Emitting(fn, turn, taken, placeOf(fact), services)
  const result = fn.run(fact.data, new TurnContext(fn.name, turn, fact, emitting, services) as never)
  if (isThenable(result)) return Promise.resolve(result).then((facts) => emitting.emitAll(facts))
  return emitting.emitAll(result)
}

async function runBatch(fn: Fn, turn: Turn, services: Services): Promise<void> {
  const items: Item<Fact, {}>[] = []
  for (const taken of turn.taken) {
    for (const fact of taken.parts as readonly Received[]) {
      if (fn.once !== undefined && (await wasDone(fn, fn.once, turn, fact))) {
        turn.repeated()
        continue
      }
      const emitting = new Emitting(fn, turn, taken, placeOf(fact), services)
      items.push({ event: fact, idempotencyKey: emitting.key, emit: (...facts: readonly unknown[]) => emitting.emitAll(facts) })
    }
  }
  if (items.length === 0) return
  const context: BatchContext<Fact> = { ...services.asking(fn.name, () => turn.signal), signal: turn.signal, attempt: turn.attempt, items }
  const result = await fn.run(
    items.map(({ event }) => event.data),
    context,
  )
  if (result !== undefined && result !== null)
    throw fault('EMIT_UNDECLARED', `fn ${fn.name} returns something: a batch emits by item`, { fn: fn.name })
}

/** A row in the turn's commit: so what failed or parked is not done. */
async function wasDone(fn: Fn, once: NonNullable<Fn['once']>, turn: Turn, fact: Received): Promise<boolean> {
  const by: unknown = once.by(fact.data)
  if (typeof by !== 'string' || !by.isWellFormed() || by.includes('\u0000'))
    throw fault('KEY_INVALID', `fn ${fn.name}: once.by gives no text, or one with half a surrogate pair, or NUL`, { event: fact.id })
  const key = { kind: 'once', part: turn.subscription, key: by }
  const row = await turn.get(key)
  if (row !== undefined) return true
  turn.put(key, '1', turn.storeMs + once.withinMs)
  return false
}
