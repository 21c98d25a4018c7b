/**
 * Reading on one connection. There are two of them: while a commit waits for its flush, a second one still stands at what was flushed
 * before, and all is read there; so nobody sees what a power cut may take back, and nobody waits for the disk either.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { fault } from '../kit/fault.ts'
import type { Cursor, Lane, Placed, Slice } from '../ports/store.ts'
import { laneOfSlot, positionNumber, positionText } from './lane-ranges.ts'
import { eventColumns, placed } from './sqlite-events.ts'
import { prepare, SqliteRows } from './sqlite-rows.ts'
import { SqliteStreams } from './sqlite-streams.ts'
import { asNumber, asText, columns } from './sqlite-values.ts'

export interface ReadLimit {
  readonly events: number
  readonly bytes: number
}

type LineCursor = Extract<Cursor, { of: 'lane' | 'stream' }>

/** Places that one statement looks at where it filters: more, and it would hold up everything else of the process. */
const windowMax = 10_000
/** Rows fetched at once: a limit of bytes may need fewer. */
const pageMax = 256

export class SqliteReads {
  readonly rows: SqliteRows
  readonly #lanes: readonly Lane[]
  readonly #laneOf: (slot: number) => string
  readonly #streams: SqliteStreams
  readonly #trimmed: StatementSync
  readonly #lane: StatementSync
  readonly #laneTypes: StatementSync
  readonly #stream: StatementSync
  readonly #at: StatementSync
  readonly #id: StatementSync

  constructor(db: DatabaseSync, lanes: readonly Lane[]) {
    this.rows = new SqliteRows(db)
    this.#lanes = lanes
    const laneOf = laneOfSlot(lanes)
    this.#laneOf = (slot) => lanes[laneOf[slot] ?? 0]?.name ?? ''
    this.#streams = new SqliteStreams(db)
    this.#trimmed = prepare(db, 'select type, up_to from trimmed where scope = ?')
    const lane = `select ${eventColumns} from events where position > ? and position <= ? and slot between ? and ?`
    this.#lane = prepare(db, `${lane} order by position limit ?`)
    this.#laneTypes = prepare(db, `${lane} and type in (select value from json_each(?)) order by position limit ?`)
    const ofEvents = eventColumns
      .split(', ')
      .map((name) => `events.${name}`)
      .join(', ')
    this.#stream = prepare(
      db,
      `select ${ofEvents}, stream_events.version from stream_events join events using (position)
       where stream_events.stream = ? and stream_events.version > ? order by stream_events.version limit ?`,
    )
    this.#at = prepare(db, `select ${eventColumns} from events where position = ?`)
    this.#id = prepare(db, `select ${eventColumns} from events where id = ? and source = ? and tenant = ?`)
  }

  /** `head`: the newest position that is flushed. A lane is read to at most one window; `whole` is false where it ends there. */
  read(cursor: Cursor, limit: ReadLimit, storeMs: number, head: number): { readonly slice: Slice; readonly whole: boolean } {
    if (cursor.of === 'id') return { slice: this.#readId(cursor, storeMs), whole: true }
    if (cursor.of === 'place') return { slice: this.#readPlace(cursor, storeMs), whole: true }
    if (cursor.of === 'lane') return this.#readLane(cursor, limit, storeMs, head)
    return { slice: this.#readStream(cursor, limit, storeMs), whole: true }
  }

  /** Of each lane the first position that has not been trimmed. */
  firsts(): readonly string[] {
    return this.#lanes.map(({ name }) => firstOf(this.#goneOf(`lane ${name}`)))
  }

  /** Throws where a trim names no lane or no position. */
  known(lane: string, upTo: string): void {
    this.#laneNamed(lane)
    positionNumber(upTo)
  }

  #readLane(cursor: LineCursor, limit: ReadLimit, storeMs: number, head: number): { slice: Slice; whole: boolean } {
    const lane = this.#laneNamed(cursor.name)
    const after = positionNumber(cursor.after)
    const first = this.#mustBeKept(`lane ${lane.name}`, cursor, after)
    const filtered = cursor.types !== undefined || this.#lanes.length > 1
    const end = filtered ? Math.min(head, after + windowMax) : head
    const types = cursor.types === undefined ? undefined : JSON.stringify([...cursor.types])
    const events: Placed[] = []
    let last = after
    let bytes = 0
    while (events.length < limit.events && last < end) {
      const range = [last, end, lane.from, lane.to] as const
      const page = Math.min(pageMax, limit.events - events.length)
      const found = types === undefined ? this.#lane.all(...range, page) : this.#laneTypes.all(...range, types, page)
      for (const row of found) {
        const event = placed(columns(row), this.#laneOf)
        bytes += event.data.length
        if (events.length > 0 && bytes > limit.bytes) return { slice: slice(cursor, events, last, first, storeMs), whole: true }
        events.push(event)
        last = Number(event.position)
      }
      if (found.length < page) last = end
    }
    return { slice: slice(cursor, events, last, first, storeMs), whole: events.length > 0 || limit.events <= 0 || last >= head }
  }

  #readStream(cursor: LineCursor, limit: ReadLimit, storeMs: number): Slice {
    const after = positionNumber(cursor.after)
    const stream = this.#streams.find(cursor.name)
    if (stream === undefined) return slice(cursor, [], after, '', storeMs)
    const first = this.#mustBeKept(`stream ${stream.number}`, cursor, after)
    const events: Placed[] = []
    let upTo = after
    for (let bytes = 0, last = after; events.length < limit.events;) {
      const found = this.#stream.all(stream.number, last, pageMax)
      for (const row of found) {
        last = asNumber(columns(row)[19])
        const event = placed(columns(row), this.#laneOf)
        if (cursor.types?.has(event.type) === false) continue
        bytes += event.data.length
        if (events.length > 0 && bytes > limit.bytes) return slice(cursor, events, upTo, first, storeMs)
        events.push(event)
        upTo = last
        if (events.length >= limit.events) break
      }
      if (found.length < pageMax && events.length < limit.events)
        return slice(cursor, events, Math.max(after, stream.version), first, storeMs)
    }
    return slice(cursor, events, upTo, first, storeMs)
  }

  #readPlace(cursor: Extract<Cursor, { of: 'place' }>, storeMs: number): Slice {
    const position = positionNumber(cursor.at)
    const gone = this.#goneOf(`lane ${this.#laneNamed(cursor.name).name}`)
    const found = this.#at.get(position)
    const event = found === undefined ? undefined : placed(columns(found), this.#laneOf)
    if (event === undefined && position > 0 && [...gone.values()].some((last) => last >= position))
      throw trimmed(cursor.name, cursor.at, firstOf(gone))
    return { events: event?.lane === cursor.name ? [event] : [], upTo: cursor.at, first: firstOf(gone), storeMs, next: cursor }
  }

  #readId(cursor: Extract<Cursor, { of: 'id' }>, storeMs: number): Slice {
    const found = this.#id.get(cursor.id, cursor.source, cursor.tenant)
    return { events: found === undefined ? [] : [placed(columns(found), this.#laneOf)], upTo: '', first: '', storeMs, next: cursor }
  }

  /** What is gone was of no interest to this reader, or it is told. */
  #mustBeKept(scope: string, cursor: LineCursor, after: number): string {
    const gone = this.#goneOf(scope)
    for (const [type, last] of gone) {
      if (type !== '' && last > after && cursor.types?.has(type) !== false) throw trimmed(cursor.name, cursor.after, firstOf(gone))
    }
    return firstOf(gone)
  }

  #goneOf(scope: string): ReadonlyMap<string, number> {
    const gone = new Map<string, number>()
    for (const row of this.#trimmed.all(scope)) gone.set(asText(columns(row)[0]), asNumber(columns(row)[1]))
    return gone
  }

  #laneNamed(name: string): Lane {
    const lane = this.#lanes.find((each) => each.name === name)
    if (lane === undefined) throw fault('CURSOR_UNKNOWN', `there is no lane '${name}'`, { lane: name })
    return lane
  }
}

function slice(cursor: LineCursor, events: readonly Placed[], upTo: number, first: string, storeMs: number): Slice {
  const text = positionText(upTo)
  return { events, upTo: text, first, storeMs, next: { ...cursor, after: text } }
}

function firstOf(gone: ReadonlyMap<string, number>): string {
  const last = gone.get('')
  return last === undefined ? '' : positionText(last + 1)
}

function trimmed(name: string, at: string, first: string): Error {
  return fault('TRIMMED', `${name}: what comes after ${at === '' ? 'the beginning' : at} is no longer kept`, { name, at, first })
}
