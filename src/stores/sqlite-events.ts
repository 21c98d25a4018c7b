/** The log in SQLite: its table, and how a fact becomes a row and a row becomes a fact. */
import { fault } from '../kit/fault.ts'
import type { Placed, Stored } from '../ports/store.ts'
import { positionText } from './lane-ranges.ts'
import { asNumber, asText } from './sqlite-values.ts'

/** What is filtered by stands first: SQLite reads a row from its front. `member_of`: pairs of stream number and version, as JSON. */
const names = [
  'position', 'slot', 'type', 'tenant', 'source', 'id', 'version', 'key', 'time', 'stored_ms', 'data',
  'subject', 'stream', 'stream_version',  'tags', 'imported', 'cause', 'correlation', 'extra',
] as const // prettier-ignore

/** No autoincrement: the store counts by itself, and a trim writes down how far it had come. */
export const eventsTable = `create table events (
    position integer primary key, slot integer not null, type text not null, tenant text not null, source text not null, id text not null,
    version integer not null, key text not null, time text not null, stored_ms integer not null, data text not null,
    subject text, stream integer, stream_version integer, tags text, imported integer, cause text, correlation text, extra text,
    member_of text
  )`
export const eventColumns = names.join(', ')
/** Most events have only the first columns: a bound null costs as much as a value. */
const plainColumns = names.slice(0, 11)
const insert = (into: readonly string[]): string =>
  `insert into events (${into.join(', ')}) values (${into.map(() => '?').join(', ')}) on conflict (id, source, tenant) do nothing`
export const insertEvent = insert([...names, 'member_of'])
export const insertPlainEvent = insert(plainColumns)

export function isPlain(event: Stored): boolean {
  return (
    event.subject === undefined && event.stream === undefined && event.streamVersion === undefined && event.tags === undefined &&
    event.imported === undefined && event.cause === undefined && event.correlation === undefined && event.extra === undefined
  ) // prettier-ignore
}

export function placed(row: readonly unknown[], laneOf: (slot: number) => string): Placed {
  const slot = asNumber(row[1])
  const event: { -readonly [name in keyof Placed]: Placed[name] } = {
    tenant: asText(row[3]),
    source: asText(row[4]),
    id: asText(row[5]),
    type: asText(row[2]),
    version: asNumber(row[6]),
    key: asText(row[7]),
    slot,
    time: asText(row[8]),
    data: asText(row[10]),
    position: positionText(asNumber(row[0])),
    lane: laneOf(slot),
    storedMs: asNumber(row[9]),
  }
  if (row[11] !== null) event.subject = asText(row[11])
  if (row[12] !== null) event.stream = asNumber(row[12])
  if (row[13] !== null) event.streamVersion = asNumber(row[13])
  if (row[14] !== null) event.tags = tagsOf(asText(row[14]))
  if (row[15] !== null) event.imported = true
  if (row[16] !== null) event.cause = asText(row[16])
  if (row[17] !== null) event.correlation = asText(row[17])
  if (row[18] !== null) event.extra = asText(row[18])
  return event
}

export function tagsText(event: Stored): string | null {
  return event.tags === undefined ? null : JSON.stringify(event.tags)
}

function tagsOf(text: string): readonly string[] {
  const tags: unknown = JSON.parse(text)
  if (Array.isArray(tags)) return tags.map(asText)
  throw fault('STORE_CORRUPT', 'tags are no list')
}
