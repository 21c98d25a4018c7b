/**
 * One process owns a store file, and says so: it keeps a transaction open on a small database beside it, which anybody can read and
 * nobody else can enter. What dies lets go, however it dies. The same database remembers, apart from the store, which life of the
 * store was last seen here.
 */
import { hostname } from 'node:os'
import type { DatabaseSync } from 'node:sqlite'
import { fault } from '../kit/fault.ts'
import { isBusy, openFault } from './sqlite-faults.ts'
import { prepare } from './sqlite-rows.ts'
import { asNumber, asText, columns } from './sqlite-values.ts'

export interface Holder {
  readonly pid: number
  readonly startedMs: number
  readonly host: string
}

export interface Seen {
  readonly incarnation: string
  /** The newest position when the store was last closed or opened. */
  readonly head: number
}

export type OpenDatabase = (path: string, options: { readonly readOnly: boolean }) => DatabaseSync

/** Of this process; a lock of one's own is no obstacle to SQLite's own files elsewhere. */
export class Hold {
  readonly #db: DatabaseSync

  private constructor(db: DatabaseSync) {
    this.#db = db
  }

  static take(path: string, openDatabase: OpenDatabase, nowMs: number): Hold {
    const lockPath = `${path}-lock`
    let db: DatabaseSync | undefined
    try {
      db = openDatabase(lockPath, { readOnly: false })
      enter(db, { pid: process.pid, startedMs: nowMs, host: hostname() })
      return new Hold(db)
    } catch (error) {
      const holder = isBusy(error) && db !== undefined ? holderIn(db) : undefined
      db?.close()
      if (!isBusy(error)) throw openFault(error, path)
      const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`
      throw fault('STORE_HELD', `${path} is held by ${who}`, { path, ...holder }, error)
    }
  }

  seen(): Seen | undefined {
    const row = this.#db.prepare('select incarnation, head from seen').get()
    return row === undefined ? undefined : { incarnation: asText(row['incarnation']), head: asNumber(row['head']) }
  }

  /** Goes to the disk before it returns. Between the two transactions somebody else might enter; nobody does without saying so. */
  remember(seen: Seen): void {
    this.#db.prepare('delete from seen').run()
    this.#db.prepare('insert into seen (incarnation, head) values (?, ?)').run(seen.incarnation, seen.head)
    this.#db.exec('commit')
    this.#db.exec('begin immediate')
  }

  release(): void {
    if (this.#db.isTransaction) this.#db.exec('rollback')
    this.#db.close()
  }
}

/** Who holds the store, for whoever may not: the CLI, for instance. */
export function holderIn(db: DatabaseSync): Holder | undefined {
  const row = prepare(db, 'select pid, started_ms, host from holder').get()
  if (row === undefined) return undefined
  const [pid, startedMs, host] = columns(row)
  return { pid: asNumber(pid), startedMs: asNumber(startedMs), host: asText(host) }
}

/** Writes down who, lets others read that, and enters again, to stay. Whoever came in between is found by its name. */
function enter(db: DatabaseSync, holder: Holder): void {
  for (;;) {
    db.exec('begin immediate')
    db.exec('create table if not exists holder (pid integer not null, started_ms integer not null, host text not null)')
    db.exec('create table if not exists seen (incarnation text not null, head integer not null)')
    const before = holderIn(db)
    if (before?.pid === holder.pid && before.startedMs === holder.startedMs && before.host === holder.host) return
    db.prepare('delete from holder').run()
    db.prepare('insert into holder (pid, started_ms, host) values (?, ?, ?)').run(holder.pid, holder.startedMs, holder.host)
    db.exec('commit')
  }
}
