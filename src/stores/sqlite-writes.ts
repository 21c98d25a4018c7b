/**
 * One change in an open transaction: judged first, then applied. No savepoint is needed: whether an event is known the unique index
 * tells when it is put, and where one is, those put before it are taken out again; nothing else has been written by then.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { eventName } from '../event/event-name.ts'
import type { Append, Change, Committed, Lane, Placed, Refused, Row, Stored } from '../ports/store.ts'
import { laneOfSlot, positionText } from './lane-ranges.ts'
import { absentRow, meets, refusal } from './refusal.ts'
import { insertEvent, insertPlainEvent, isPlain, tagsText } from './sqlite-events.ts'
import { runNative } from './sqlite-native.ts'
import { prepare, SqliteRows } from './sqlite-rows.ts'
import { SqliteStreams } from './sqlite-streams.ts'
import { SqliteTrims } from './sqlite-trims.ts'

type At = Extract<Committed, { ok: true }>['at'][number]

export class SqliteWrites {
  /** The newest position given. */
  head: number
  readonly rows: SqliteRows
  readonly #db: DatabaseSync
  readonly #lanes: readonly Lane[]
  readonly #laneOf: Uint16Array
  readonly #streams: SqliteStreams
  readonly #trims: SqliteTrims
  readonly #insert: StatementSync
  readonly #insertPlain: StatementSync
  readonly #known: StatementSync
  readonly #takeOut: StatementSync

  constructor(db: DatabaseSync, lanes: readonly Lane[], head: number) {
    this.#db = db
    this.head = head
    this.rows = new SqliteRows(db)
    this.#lanes = lanes
    this.#laneOf = laneOfSlot(lanes)
    this.#streams = new SqliteStreams(db)
    this.#trims = new SqliteTrims(db, lanes)
    this.#insert = prepare(db, insertEvent)
    this.#insertPlain = prepare(db, insertPlainEvent)
    this.#known = prepare(db, 'select 1 from events where id = ? and source = ? and tenant = ?')
    this.#takeOut = prepare(db, 'delete from events where position > ?')
  }

  /** Puts the events taken at the end of `taken`. */
  apply(change: Change, storeMs: number, taken: Placed[]): Committed {
    if (change.native.length === 0) return this.#apply(change, storeMs, taken)
    const before = { head: this.head, taken: taken.length }
    this.#db.exec('savepoint change')
    const committed = this.#apply(change, storeMs, taken)
    const native = committed.ok ? runNative(this.#db, change.native) : undefined
    if (native !== undefined) {
      this.#db.exec('rollback to change')
      this.rows.forget()
      this.head = before.head
      taken.length = before.taken
    }
    this.#db.exec('release change')
    return native === undefined ? committed : { ok: false, rows: [], versions: {}, ids: [], native }
  }

  #apply(change: Change, storeMs: number, taken: Placed[]): Committed {
    const refused = this.#judge(change, storeMs)
    if (refused !== undefined) return refused
    const head = this.head
    const before = taken.length
    const at = new Array<At>(change.appends.length)
    let next = 0
    for (const append of change.appends) {
      const place = this.#append(append, storeMs, taken)
      if (place === undefined) return this.#refuseKnown(change, head, taken, before)
      at[next++] = place
    }
    if (change.trims.length > 0) this.#trims.apply(change.trims, head, storeMs)
    for (const put of change.puts) this.rows.put(put, change.id)
    for (const key of change.deletes) this.rows.delete(key)
    return { ok: true, at, storeMs }
  }

  /** Streams are written before their event is put, so there the ids are looked up first. */
  #judge(change: Change, storeMs: number): Refused | undefined {
    if (change.checks.length === 0 && change.expects.length === 0 && !joinsStreams(change)) return undefined
    const rows: Row[] = []
    for (const check of change.checks) {
      const row = this.rows.get(check, storeMs)
      if ((row?.rev ?? null) !== check.rev) rows.push(row ?? absentRow(check))
    }
    const versions: Record<string, number> = {}
    for (const { stream, expect } of change.expects) {
      const version = this.#streams.version(stream)
      if (!meets(expect, version)) versions[stream] = version
    }
    const failed = rows.length > 0 || Object.keys(versions).length > 0
    const ids = failed || joinsStreams(change) ? this.#knownIds(change.appends) : []
    return refusal(rows, versions, ids)
  }

  #append({ event, streams }: Append, storedMs: number, taken: Placed[]): At | undefined {
    const position = this.head + 1
    const lane = this.#lanes[this.#laneOf[event.slot] ?? 0]?.name ?? ''
    const members = streams.length === 0 ? undefined : streams.map((name) => this.#streams.join(name, position))
    const changes =
      members === undefined && isPlain(event) ? this.#putPlain(event, position, storedMs) : this.#put(event, position, storedMs, members)
    if (changes === 0) return undefined
    this.head = position
    const place = positionText(position)
    taken.push({ ...event, position: place, lane, storedMs })
    return { lane, position: place, versions: members === undefined ? none : members.map(([, version]) => version) }
  }

  #putPlain(event: Stored, position: number, storedMs: number): number | bigint {
    const { slot, type, tenant, source, id, version, key, time, data } = event
    return this.#insertPlain.run(position, slot, type, tenant, source, id, version, key, time, storedMs, data).changes
  }

  #put(event: Stored, position: number, storedMs: number, members: readonly (readonly [number, number])[] | undefined): number | bigint {
    const { slot, type, tenant, source, id, version, key, time, data } = event
    return this.#insert.run(
      position, slot, type, tenant, source, id, version, key, time, storedMs, data,
      event.subject ?? null, event.stream ?? null, event.streamVersion ?? null, tagsText(event), event.imported === true ? 1 : null,
      event.cause ?? null, event.correlation ?? null, event.extra ?? null, members === undefined ? null : JSON.stringify(members),
    ).changes // prettier-ignore
  }

  #refuseKnown(change: Change, head: number, taken: Placed[], length: number): Refused {
    if (this.head > head) this.#takeOut.run(head)
    this.head = head
    taken.length = length
    return { ok: false, rows: [], versions: {}, ids: this.#knownIds(change.appends) }
  }

  /** Known before, or brought twice by this very change. */
  #knownIds(appends: readonly Append[]): readonly string[] {
    const seen = new Set<string>()
    const ids = new Set<string>()
    for (const { event } of appends) {
      const name = eventName(event)
      if (seen.has(name) || this.#known.get(event.id, event.source, event.tenant) !== undefined) ids.add(name)
      seen.add(name)
    }
    return [...ids]
  }
}

function joinsStreams({ appends }: Change): boolean {
  return appends.some(({ streams }) => streams.length > 0)
}

const none: readonly number[] = []
