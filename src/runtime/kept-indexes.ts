/** Which indexes the rows of each projection have had: nobody could find them any more once the projection is gone from the app. */
import { changeOf } from '../flow/change.ts'
import type { AnyProjection } from '../define/projection.ts'
import type { FlowContext } from '../flow/context.ts'
import type { Key, Store } from '../ports/store.ts'

type Indexes = readonly (readonly string[])[]

/** By the id of the subscription. Writes only where something is new. */
export async function keepIndexes(
  { store, changeId }: Pick<FlowContext, 'store' | 'changeId'>,
  projections: ReadonlyMap<string, AnyProjection>,
): Promise<void> {
  const ids = [...projections.keys()]
  if (ids.length === 0) return
  const rows = await store.get(ids.map(indexesKey))
  const puts = ids.flatMap((id, i) => {
    const before = decode(rows[i]?.value)
    const known = new Set(before.map(String))
    const added = (projections.get(id)?.indexes ?? []).filter((columns) => !known.has(String(columns)))
    return added.length === 0 ? [] : [{ ...indexesKey(id), value: JSON.stringify([...before, ...added]) }]
  })
  if (puts.length === 0) return
  await store.commit(changeOf(store, changeId(), { puts }))
}

export async function keptIndexes(store: Store, id: string): Promise<Indexes> {
  const [row] = await store.get([indexesKey(id)])
  return decode(row?.value)
}

export function indexesKey(id: string): Key {
  return { kind: 'indexes', part: '', key: id }
}

function decode(value: string | undefined): Indexes {
  return value === undefined ? [] : (JSON.parse(value) as Indexes)
}
