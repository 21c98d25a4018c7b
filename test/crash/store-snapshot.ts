/** What stands in a store file, read by plain SQL: the store under test is not asked. */
import type { DatabaseSync } from 'node:sqlite'

export interface LoggedEvent {
  readonly position: number
  readonly slot: number
  readonly type: string
  readonly id: string
  readonly key: string
  readonly data: string
  readonly cause: string | null
}

export interface LaneMark {
  readonly from: number
  readonly to: number
  readonly mark: number
  readonly holes: ReadonlySet<number>
}

export interface Snapshot {
  readonly incarnation: string
  readonly events: readonly LoggedEvent[]
  /** By subscription. */
  readonly lanes: ReadonlyMap<string, readonly LaneMark[]>
  /** By subscription, the positions that have a row of their own. */
  readonly held: ReadonlyMap<string, ReadonlySet<number>>
  /** `subscription key` */
  readonly parked: readonly string[]
  /** Rows of projections, by key. */
  readonly rows: ReadonlyMap<string, string>
}

export function snapshotOf(db: DatabaseSync): Snapshot {
  const lanes = new Map<string, LaneMark[]>()
  for (const { part, key, value } of all(db, 'lane')) {
    const [from = 0, to = 1_023] = key.split('-').map(Number)
    const { mark, holes } = JSON.parse(value) as { mark: string; holes: readonly string[] }
    const known = lanes.get(part) ?? []
    known.push({ from, to, mark: Number(mark), holes: new Set(holes.map(Number)) })
    lanes.set(part, known)
  }
  const held = new Map<string, Set<number>>()
  for (const { part, value } of all(db, 'held')) {
    const subscription = part.slice(0, part.lastIndexOf('/'))
    const known = held.get(subscription) ?? new Set<number>()
    held.set(subscription, known.add(Number((JSON.parse(value) as { position: string }).position)))
  }
  const parked = all(db, 'hold').filter(({ value }) => (JSON.parse(value) as { state: string }).state === 'parked')
  const events = db.prepare('select position, slot, type, id, key, data, cause from events order by position').all()
  return {
    incarnation: String(db.prepare("select value from store where name = 'incarnation'").get()?.['value']),
    events: events as unknown as readonly LoggedEvent[],
    lanes,
    held,
    parked: parked.map(({ part, key }) => `${part} ${key}`),
    rows: new Map(all(db, 'row').map(({ key, value }) => [key, value])),
  }
}

interface KeptRow {
  readonly part: string
  readonly key: string
  readonly value: string
}

/** Kinds have a table once they have been written. */
function all(db: DatabaseSync, kind: string): readonly KeptRow[] {
  if (db.prepare('select 1 from sqlite_master where name = ?').get(`rows_${kind}`) === undefined) return []
  return db.prepare(`select part, key, value from rows_${kind} order by part, key`).all() as unknown as readonly KeptRow[]
}
