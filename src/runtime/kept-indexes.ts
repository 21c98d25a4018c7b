/**
 * Which indexes the rows of each projection have: nobody could find them any more once the projection is gone from the app.
 * One that is new gets the entries of all rows there are before anybody asks along it, or it would answer with a part of them.
 */
import { changeOf } from '../flow/change.ts'
import type { AnyProjection } from '../define/projection.ts'
import type { FlowContext } from '../flow/context.ts'
import type { Key, Put, Row, Store } from '../ports/store.ts'
import { decodeRow, indexKeys, spaceOf } from '../state/row-space.ts'

type Indexes = readonly (readonly string[])[]

interface Kept {
  /** All that have entries. */
  readonly all: Indexes
  /** Those of them that the app declared when it last started: the others have missed rows since. */
  readonly live: Indexes
}

type Storing = Pick<FlowContext, 'store' | 'changeId'>

const pageRows = 256

/** By the id of the subscription. Writes only where something is new. */
export async function keepIndexes(context: Storing, projections: ReadonlyMap<string, AnyProjection>): Promise<void> {
  const ids = [...projections.keys()]
  if (ids.length === 0) return
  const rows = await context.store.get(ids.map(indexesKey))
  const puts: Put[] = []
  for (const [i, id] of ids.entries()) {
    const { all, live } = decode(rows[i]?.value)
    const projection = projections.get(id)
    if (projection === undefined) continue
    const { indexes } = projection
    const added = without(indexes, live)
    if (added.length === 0 && indexes.length === live.length) continue
    if (added.length > 0) await fill(context, id, { ...projection, indexes: added })
    const kept: Kept = { all: [...all, ...without(indexes, all)], live: indexes }
    puts.push({ ...indexesKey(id), value: JSON.stringify(kept) })
  }
  if (puts.length > 0) await context.store.commit(changeOf(context.store, context.changeId(), { puts }))
}

export async function keptIndexes(store: Store, id: string): Promise<Indexes> {
  const [row] = await store.get([indexesKey(id)])
  return decode(row?.value).all
}

export function indexesKey(id: string): Key {
  return { kind: 'indexes', part: '', key: id }
}

/** Page by page, while the projection may be running: a row that it changes meanwhile is looked at again. */
async function fill(context: Storing, id: string, { name, key, indexes }: AnyProjection): Promise<void> {
  const { store } = context
  const limit = Math.max(1, Math.min(pageRows, Math.floor(store.limits.items / (indexes.length + 1))))
  const part = spaceOf(id)
  for (let from = ''; ;) {
    const rows = await store.scan({ kind: 'row', part, from, to: '', limit })
    const last = rows.at(-1)
    if (last === undefined) return
    const puts = rows.flatMap((row) => entriesOf(row, { name, key, indexes }))
    const checks = rows.map((row) => ({ kind: row.kind, part: row.part, key: row.key, rev: row.rev }))
    const committed = puts.length === 0 || (await store.commit(changeOf(store, context.changeId(), { checks, puts }))).ok
    if (committed) from = `${last.key}\u0000`
  }
}

function entriesOf({ part, key, value }: Row, shape: Pick<AnyProjection, 'name' | 'key' | 'indexes'>): readonly Put[] {
  const { row } = decodeRow(value)
  return row === undefined ? [] : indexKeys(part, shape, row).map((entry) => ({ ...entry, value: key }))
}

function without(indexes: Indexes, known: Indexes): Indexes {
  const names = new Set(known.map(String))
  return indexes.filter((columns) => !names.has(String(columns)))
}

function decode(value: string | undefined): Kept {
  return value === undefined ? { all: [], live: [] } : (JSON.parse(value) as Kept)
}
