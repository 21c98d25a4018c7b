/** The store's file: what it is made of, and what is looked at before anything is written to it. */
import { createHash } from 'node:crypto'
import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, readSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { fault } from '../kit/fault.ts'
import { eventsTable } from './sqlite-events.ts'
import { prepare } from './sqlite-rows.ts'
import { streamTables } from './sqlite-streams.ts'
import { trimmedTable } from './sqlite-trims.ts'
import { asNumber, asText, columns } from './sqlite-values.ts'

/** 'Mill', where SQLite keeps a place for it. */
export const applicationId = 0x4d_69_6c_6c
export const format = 1
export const sqliteMin = '3.51.3'

const storeTable = 'create table store (name text primary key, value) without rowid'
const eventIds = 'create unique index event_ids on events (id, source, tenant)'
const tables = [storeTable, eventsTable, eventIds, ...streamTables, trimmedTable]

/** From a format to the next one. The file has been copied by then. */
export type Upgrade = (db: DatabaseSync) => void
export const upgrades: ReadonlyMap<number, Upgrade> = new Map()

export interface Kept {
  readonly incarnation: string
  readonly head: number
  readonly storedMs: number
  /** How many it was made with. */
  readonly lanes: number
}

export function mustBeNewEnough(version: string | undefined): void {
  const parts = (text: string): readonly number[] => text.split('.').map(Number)
  const is = parts(version ?? '0')
  for (const [at, least] of parts(sqliteMin).entries()) {
    const part = is[at] ?? 0
    if (part > least) return
    if (part < least) throw fault('STORE_SQLITE_OLD', `SQLite ${version}, at least ${sqliteMin}`, { sqlite: version, least: sqliteMin })
  }
}

/** Reads the first bytes of the file without SQLite, which may repair or complete what it opens. 'new': there is nothing yet. */
export function lookAt(path: string, known: number): 'new' | number {
  if (!existsSync(path) || statSync(path).size === 0) return 'new'
  const header = Buffer.alloc(100)
  const file = openSync(path, 'r')
  const length = readSync(file, header, 0, 100, 0)
  closeSync(file)
  // A creation that was cut off is rolled back when the file is opened.
  if (header.every((byte) => byte === 0) && existsSync(`${path}-journal`)) return 'new'
  if (length < 100 || header.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    throw fault('STORE_NOT_OURS', `${path} is no SQLite file`, { path })
  }
  const is = header.readUInt32BE(68)
  if (is !== applicationId) throw fault('STORE_NOT_OURS', `${path} belongs to another application`, { path, applicationId: is })
  const version = header.readUInt32BE(60)
  if (version > known)
    throw fault('STORE_NEWER', `${path} has format ${version}, this version knows ${known}`, { path, format: version, known })
  for (const [at, may] of headerBytes) {
    if (!may.includes(header[at] ?? 0)) throw fault('STORE_CORRUPT', `${path}: byte ${at} is not what was written`, { path, byte: at })
  }
  return version
}

/** What SQLite wrote there, and would take another value for. https://www.sqlite.org/fileformat.html#the_database_header */
const headerBytes: readonly (readonly [number, readonly number[]])[] = [
  // Pages of 4,096 bytes, by a journal that is rolled back or a WAL, all of each page used; three fractions that are fixed.
  ...([
    [16, [16]],
    [17, [0]],
    [18, [1, 2]],
    [19, [1, 2]],
    [20, [0]],
    [21, [64]],
    [22, [32]],
    [23, [32]],
  ] as const),
  // The schema's format, at most 4; texts in UTF-8.
  ...([
    [44, [0]],
    [45, [0]],
    [46, [0]],
    [47, [1, 2, 3, 4]],
    [56, [0]],
    [57, [0]],
    [58, [0]],
    [59, [1]],
  ] as const),
]

/** One transaction with a journal that is rolled back: a file that was created half is empty again. */
export function create(db: DatabaseSync, incarnation: string, lanes: number): void {
  db.exec('pragma journal_mode = delete; pragma synchronous = full; begin exclusive')
  for (const table of tables) db.exec(table)
  const put = db.prepare('insert into store (name, value) values (?, ?)')
  put.run('incarnation', incarnation)
  put.run('head', 0)
  put.run('stored_ms', 0)
  put.run('lanes', lanes)
  put.run('check', checkOf(incarnation, lanes))
  db.exec(`pragma application_id = ${applicationId}; pragma user_version = ${format}; commit`)
}

/** Another life: whoever was made for the old one is refused from now on. */
export function renew(db: DatabaseSync, incarnation: string, lanes: number): void {
  db.exec('begin immediate')
  const put = db.prepare('update store set value = ? where name = ?')
  put.run(incarnation, 'incarnation')
  put.run(checkOf(incarnation, lanes), 'check')
  db.exec('commit')
}

/** Copies the file first: `shop.db.v1.bak`. No process is at it, and its WAL is empty. */
export function upgrade(db: DatabaseSync, path: string, from: number, steps: ReadonlyMap<number, Upgrade>, to: number): void {
  db.exec('pragma wal_checkpoint(truncate)')
  const copy = `${path}.v${from}.bak`
  copyFileSync(path, copy)
  sync(copy)
  db.exec('begin exclusive')
  for (let at = from; at < to; at++) {
    const step = steps.get(at)
    if (step === undefined) throw fault('STORE_NOT_OURS', `${path} has format ${at}, which no version reads`, { path, format: at })
    step(db)
  }
  db.exec(`pragma user_version = ${to}; commit`)
  db.exec('pragma wal_checkpoint(truncate)')
}

/** All that opening needs to know, and whether it is what was written. */
export function kept(db: DatabaseSync, path: string): Kept {
  const damaged = (what: string): Error => fault('STORE_CORRUPT', `${path}: ${what}`, { path })
  const schema = new Map(
    prepare(db, 'select name, sql from sqlite_master')
      .all()
      .map((row) => [columns(row)[0], columns(row)[1]]),
  )
  for (const table of tables) {
    const name = /^create (?:unique index|table) (\w+)/.exec(table)?.[1]
    if (schema.get(name)?.toString().toLowerCase() !== table.toLowerCase())
      throw damaged(`the definition of '${name}' is not what was written`)
  }
  const store = new Map(
    prepare(db, 'select name, value from store')
      .all()
      .map((row) => [columns(row)[0], columns(row)[1]]),
  )
  const incarnation = asText(store.get('incarnation'))
  const lanes = asNumber(store.get('lanes'))
  if (store.get('check') !== checkOf(incarnation, lanes)) throw damaged('its incarnation is not what was written')
  const last = prepare(db, 'select position, stored_ms, id, source, tenant from events order by position desc limit 1').get()
  const floor = { head: asNumber(store.get('head')), storedMs: asNumber(store.get('stored_ms')) }
  if (last === undefined) return { incarnation, lanes, ...floor }
  const [position, storedMs, id, source, tenant] = columns(last)
  const known = prepare(db, 'select position from events where id = ? and source = ? and tenant = ?').get(
    asText(id),
    asText(source),
    asText(tenant),
  )
  if (known === undefined || columns(known)[0] !== position) throw damaged('the newest event is not found by its id')
  return { incarnation, lanes, head: Math.max(asNumber(position), floor.head), storedMs: Math.max(asNumber(storedMs), floor.storedMs) }
}

export function sync(path: string): void {
  const file = openSync(path, 'r')
  fsyncSync(file)
  closeSync(file)
}

function checkOf(incarnation: string, lanes: number): string {
  return createHash('sha256').update(`millrace ${incarnation} ${lanes}`).digest('hex').slice(0, 16)
}
