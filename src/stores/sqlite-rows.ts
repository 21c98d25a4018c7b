/** One small table a kind: its statements on one connection, prepared when first used. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Key, Put, Row, Scan } from '../ports/store.ts'
import { sqliteCode } from './sqlite-faults.ts'
import { asNumber, asText, columns } from './sqlite-values.ts'

interface Statements {
  readonly get: StatementSync
  readonly put: StatementSync
  readonly delete: StatementSync
  /** By name: up or down, with an end or without. */
  readonly scans: ReadonlyMap<string, StatementSync>
}

export class SqliteRows {
  readonly #db: DatabaseSync
  readonly #kinds = new Map<string, Statements>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  get({ kind, part, key }: Key, storeMs: number): Row | undefined {
    const found = this.#statements(kind)?.get.get(part, key)
    if (found === undefined) return undefined
    const [value, rev, expiresMs] = columns(found)
    if (typeof expiresMs === 'number' && expiresMs <= storeMs) return undefined
    return row(kind, part, key, value, rev, expiresMs)
  }

  put({ kind, part, key, value, expiresMs }: Put, rev: string): void {
    const statements = this.#statements(kind) ?? this.#create(kind)
    statements.put.run(part, key, value, rev, expiresMs ?? null)
  }

  delete({ kind, part, key }: Key): void {
    this.#statements(kind)?.delete.run(part, key)
  }

  scan({ kind, part, from, to, limit, reverse = false }: Scan, storeMs: number): readonly Row[] {
    const statement = this.#statements(kind)?.scans.get(`${reverse ? 'down' : 'up'}${to === '' ? '' : ' to'}`)
    if (statement === undefined || limit <= 0) return []
    const found = to === '' ? statement.all(part, from, storeMs, limit) : statement.all(part, from, to, storeMs, limit)
    return found.map((each) => {
      const [key, value, rev, expiresMs] = columns(each)
      return row(kind, part, asText(key), value, rev, expiresMs)
    })
  }

  /** After a rollback tables made meanwhile are gone. */
  forget(): void {
    this.#kinds.clear()
  }

  #statements(kind: string): Statements | undefined {
    const known = this.#kinds.get(kind)
    if (known !== undefined) return known
    try {
      return this.#prepare(kind)
    } catch (error) {
      if (sqliteCode(error) === 1) return undefined
      throw error
    }
  }

  #create(kind: string): Statements {
    this.#db.exec(rowsTable(kind))
    return this.#prepare(kind)
  }

  #prepare(kind: string): Statements {
    const table = `rows_${kind}`
    const scan = (end: string, order: string): StatementSync =>
      prepare(
        this.#db,
        `select key, value, rev, expires_ms from ${table}
         where part = ? and key >= ?${end} and (expires_ms is null or expires_ms > ?) order by key${order} limit ?`,
      )
    const statements: Statements = {
      get: prepare(this.#db, `select value, rev, expires_ms from ${table} where part = ? and key = ?`),
      put: prepare(
        this.#db,
        `insert into ${table} (part, key, value, rev, expires_ms) values (?, ?, ?, ?, ?)
         on conflict (part, key) do update set value = excluded.value, rev = excluded.rev, expires_ms = excluded.expires_ms`,
      ),
      delete: prepare(this.#db, `delete from ${table} where part = ? and key = ?`),
      scans: new Map([
        ['up', scan('', '')],
        ['up to', scan(' and key < ?', '')],
        ['down', scan('', ' desc')],
        ['down to', scan(' and key < ?', ' desc')],
      ]),
    }
    this.#kinds.set(kind, statements)
    return statements
  }
}

/** The kind is lower-case letters: `checkChange` saw to it. */
export function rowsTable(kind: string): string {
  return `create table rows_${kind} (
    part text not null, key text not null, value text not null, rev text not null, expires_ms integer,
    primary key (part, key)
  ) without rowid`
}

/** Answers as arrays: an object a row costs more than the read. */
export function prepare(db: DatabaseSync, text: string): StatementSync {
  const statement = db.prepare(text)
  statement.setReturnArrays(true)
  return statement
}

function row(kind: string, part: string, key: string, value: unknown, rev: unknown, expiresMs: unknown): Row {
  const plain = { kind, part, key, value: asText(value), rev: asText(rev) }
  return expiresMs === null || expiresMs === undefined ? plain : { ...plain, expiresMs: asNumber(expiresMs) }
}
