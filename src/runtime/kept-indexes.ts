/**
 * Indexes that are new get the entries of all rows there are before the app runs, or it would answer along them with a
 * part of the rows.
 *
 *   they are live ──▶ every writer, of old code too, writes their entries ──▶ all rows are gone through ──▶ they are filled
 *
 * Who had read that they are not live when it began its turn loses at the commit, and runs again. So what is written
 * before is gone through, and what is written later has its entries.
 */
import { changeOf } from '../flow/change.ts'
import type { AnyProjection } from '../define/projection.ts'
import type { FlowContext } from '../flow/context.ts'
import type { Put, Row, Store } from '../ports/store.ts'
import { decodeIndexes, indexesKey, without, type Indexes, type KeptIndexes } from '../state/kept-indexes.ts'
import { decodeRow, indexKeys, spaceOf } from '../state/row-space.ts'

type Storing = Pick<FlowContext, 'store' | 'changeId'>
type Projections = ReadonlyMap<string, AnyProjection>

const pageRows = 256

/** By the id of the subscription. Writes only where something is new. */
export async function keepIndexes(context: Storing, projections: Projections): Promise<void> {
  if (projections.size === 0) return
  const { writers } = context.store.limits
  const kept = await alter(context, projections, ({ all, live, filled }, own) => {
    // Where this process alone writes nobody else needs what it does not declare. Elsewhere others may, so it is kept up.
    const now = writers === 'one' ? own : [...live, ...without(own, live)]
    return { all: [...all, ...without(own, all)], live: now, filled: without(filled, without(filled, now)) }
  })
  let fills = false
  for (const [id, projection] of projections) {
    const indexes = without(projection.indexes, kept.get(id)?.filled ?? [])
    if (indexes.length === 0) continue
    await fill(context, id, { ...projection, indexes })
    fills = true
  }
  if (fills) await alter(context, projections, (before, own) => ({ ...before, filled: [...before.filled, ...without(own, before.filled)] }))
}

export async function allIndexes(store: Store, id: string): Promise<Indexes> {
  const [row] = await store.get([indexesKey(id)])
  return decodeIndexes(row?.value).all
}

/** All that it has become. */
async function alter(
  { store, changeId }: Storing,
  projections: Projections,
  next: (kept: KeptIndexes, own: Indexes) => KeptIndexes,
): Promise<ReadonlyMap<string, KeptIndexes>> {
  const keys = [...projections.keys()].map(indexesKey)
  for (;;) {
    const rows = await store.get(keys)
    const became = new Map<string, KeptIndexes>()
    const puts: Put[] = []
    const checks: { kind: string; part: string; key: string; rev: string | null }[] = []
    for (const [i, [id, { indexes }]] of [...projections].entries()) {
      const row = rows[i]
      const before = decodeIndexes(row?.value)
      const after = next(before, indexes)
      became.set(id, after)
      if (JSON.stringify(after) === JSON.stringify(before)) continue
      checks.push({ ...indexesKey(id), rev: row?.rev ?? null })
      puts.push({ ...indexesKey(id), value: JSON.stringify(after) })
    }
    if (puts.length === 0 || (await store.commit(changeOf(store, changeId(), { checks, puts }))).ok) return became
  }
}

/** Page by page, while others may be writing: a row that they change meanwhile is looked at again. */
async function fill({ store, changeId }: Storing, id: string, shape: AnyProjection): Promise<void> {
  const limit = Math.max(1, Math.min(pageRows, Math.floor(store.limits.items / (shape.indexes.length + 1))))
  const part = spaceOf(id)
  for (let from = ''; ;) {
    const rows = await store.scan({ kind: 'row', part, from, to: '', limit })
    const last = rows.at(-1)
    if (last === undefined) return
    const puts = rows.flatMap((row) => entriesOf(row, shape))
    const checks = rows.map((row) => ({ kind: row.kind, part: row.part, key: row.key, rev: row.rev }))
    const committed = puts.length === 0 || (await store.commit(changeOf(store, changeId(), { checks, puts }))).ok
    if (committed) from = `${last.key}\u0000`
  }
}

function entriesOf({ part, key, value }: Row, shape: AnyProjection): readonly Put[] {
  const { row } = decodeRow(value)
  return row === undefined ? [] : indexKeys(part, shape, row).map((entry) => ({ ...entry, value: key }))
}
