/** A projection, as a subscription that takes its events in batches, and writes rows under the order key of each. */
import type { Received } from '../define/definition.ts'
import type { AnyProjection, Take } from '../define/projection.ts'
import type { Writing } from '../define/rows.ts'
import type { Subscription } from '../flow/subscription.ts'
import type { Turn } from '../flow/turn.ts'
import { fault } from '../kit/fault.ts'
import { isThenable } from '../kit/thenable.ts'
import type { RowData } from '../state/row-space.ts'
import { RowWriter } from '../state/row-writer.ts'
import { eventKey, lookThrough, readerFor, unknownKey } from './consumed.ts'
import type { Plan } from './plan.ts'
import type { Services } from './services.ts'

interface Part {
  readonly take: Take
  readonly fact: Received
}

const batchSize = 1_000
const timeoutMs = 30_000

export function lowerProjection(plan: Plan, projection: AnyProjection, services: Services): Subscription {
  const reader = readerFor(
    plan,
    projection.takes.map(({ event }) => event),
  )
  const merged = projection.takes.some(({ by }) => by !== undefined)
  const keep = keeping(projection)
  return {
    name: projection.name,
    kind: 'projection',
    ...(projection.was === undefined ? {} : { was: projection.was }),
    from: projection.from,
    merged,
    types: reader.types,
    policy: { retry: projection.retry, timeoutMs, graceMs: timeoutMs, concurrency: 1_000, breaker: false },
    batch: { size: batchSize, waitMs: 0 },
    look: (event) => lookThrough(reader, event, `projection ${projection.name}`, merged ? unknownKey : eventKey, keep),
    run: (turn) => run(projection, turn, services),
  }
}

function keeping(projection: AnyProjection): (fact: Received) => readonly { readonly key: string; readonly part: Part }[] {
  const byType = Map.groupBy(projection.takes, ({ event }) => event.type)
  return (fact) =>
    (byType.get(fact.type) ?? []).flatMap((take) => {
      if (take.matches !== undefined && !take.matches(fact)) return []
      const key = take.by === undefined ? fact.key : take.by(fact.data)
      if (typeof key !== 'string') throw fault('KEY_INVALID', `projection ${projection.name}: by gives no text`, { event: fact.id })
      return [{ key, part: { take, fact } }]
    })
}

async function run(projection: AnyProjection, turn: Turn, services: Services): Promise<void> {
  const writer = new RowWriter(turn, projection, projection.row, (error) => services.late(projection.name, error))
  for (const taken of turn.taken) {
    const rows = writingUnder(writer, taken.key)
    for (const { take, fact } of taken.parts as readonly Part[]) {
      const applied: unknown = take.apply(rows, fact.data, fact)
      if (isThenable(applied)) await applied
    }
  }
  await writer.end()
}

function writingUnder(writer: RowWriter, by: string): Writing<unknown> {
  return {
    get: (key) => writer.get(key, by),
    put: (row) => writer.put(row as RowData, by),
    patch: (key, fields) => writer.patch(key, by, fields),
    change: (key, change) => writer.change(key, by, change as (row: RowData | undefined) => RowData | undefined),
    delete: (key) => writer.delete(key, by),
  }
}
