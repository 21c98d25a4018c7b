/** Opens a store file, or faults and leaves it as it was. */
import { existsSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fault } from '../kit/fault.ts'
import { openFault } from './sqlite-faults.ts'
import { Hold, type OpenDatabase } from './sqlite-hold.ts'
import { guardNative } from './sqlite-native.ts'
import { create, format, kept, type Kept, lookAt, mustBeNewEnough, renew, sync, upgrade, type Upgrade, upgrades } from './sqlite-schema.ts'
import { checkWal } from './sqlite-wal.ts'

export interface Opened extends Kept {
  readonly db: DatabaseSync
  /** Of a file; a store in memory is held by nobody. */
  readonly file: { readonly hold: Hold; readonly wal: number } | undefined
  readonly native: boolean
}

export interface OpenSqlite {
  readonly path: string
  readonly nowMs: () => number
  /** How many a new store is made with; it keeps them. One unless said. */
  readonly lanes?: number
  /** A new incarnation. */
  readonly mint: () => string
  readonly openDatabase?: OpenDatabase
  readonly sqliteVersion?: string | undefined
  readonly format?: number
  readonly upgrades?: ReadonlyMap<number, Upgrade>
}

export function openDatabaseSync(path: string, { readOnly }: { readonly readOnly: boolean }): DatabaseSync {
  return new DatabaseSync(path, { readOnly, timeout: 1_000, enableForeignKeyConstraints: false })
}

export function openSqlite(options: OpenSqlite): Opened {
  mustBeNewEnough('sqliteVersion' in options ? options.sqliteVersion : process.versions['sqlite'])
  const { path, nowMs, openDatabase = openDatabaseSync } = options
  if (path === ':memory:') return openInMemory(options.mint(), options.lanes ?? 1)
  const lockIsNew = !existsSync(`${path}-lock`)
  const hold = Hold.take(path, openDatabase, nowMs())
  try {
    return openHeld(options, openDatabase, hold)
  } catch (error) {
    hold.release()
    if (lockIsNew) rmSync(`${path}-lock`, { force: true })
    throw openFault(error, path)
  }
}

function openInMemory(incarnation: string, lanes: number): Opened {
  const db = openDatabaseSync(':memory:', { readOnly: false })
  const native = guardNative(db)
  create(db, incarnation, lanes)
  return { db, file: undefined, native, incarnation, lanes, head: 0, storedMs: 0 }
}

function openHeld({ path, mint, ...options }: OpenSqlite, openDatabase: OpenDatabase, hold: Hold): Opened {
  const to = options.format ?? format
  const found = lookAt(path, to) === to && existsSync(`${path}-journal`) ? rolledBack(path, to, openDatabase) : lookAt(path, to)
  // Whoever can write also tidies up when it closes: so what is there is looked at by one that can't.
  const looker = found === to ? openDatabase(path, { readOnly: true }) : undefined
  let db: DatabaseSync | undefined
  try {
    if (looker !== undefined) kept(looker, path)
    if (looker !== undefined) checkWal(looker, path)
    db = openDatabase(path, { readOnly: false })
    if (found === 'new') create(db, mint(), options.lanes ?? 1)
    if (db.prepare('pragma journal_mode = wal').get()?.['journal_mode'] !== 'wal')
      throw fault('STORE_CANNOT_LOCK', `${path}: no WAL here`, { path })
    db.exec(
      `pragma wal_autocheckpoint = 0; pragma synchronous = full; pragma temp_store = memory;
       pragma fullfsync = 1; pragma checkpoint_fullfsync = 1`,
    )
    const from = Number(db.prepare('pragma user_version').get()?.['user_version'])
    if (from < to) upgrade(db, path, from, options.upgrades ?? upgrades, to)
    const is = sameLife(db, hold, kept(db, path), mint)
    const wal = openSync(`${path}-wal`, 'r+')
    if (found === 'new') sync(dirname(path))
    return { db, file: { hold, wal }, native: guardNative(db), ...is }
  } catch (error) {
    db?.close()
    throw error
  } finally {
    looker?.close()
  }
}

/**
 * A store of ours has a rollback journal only while it is made. Where that was cut off, one that may write rolls it
 * back first: one that may
 * only read cannot open it.
 */
function rolledBack(path: string, known: number, openDatabase: OpenDatabase): 'new' | number {
  const db = openDatabase(path, { readOnly: false })
  try {
    db.prepare('select count(*) from sqlite_master').get()
  } finally {
    db.close()
  }
  return lookAt(path, known)
}

/** A store that was restored, or moved without what stands beside it, is a new one. */
function sameLife(db: DatabaseSync, hold: Hold, is: Kept, mint: () => string): Kept {
  const seen = hold.seen()
  if (seen !== undefined && seen.incarnation === is.incarnation && seen.head <= is.head) return is
  const fresh = seen === undefined && is.head === 0
  const incarnation = fresh ? is.incarnation : mint()
  if (!fresh) renew(db, incarnation, is.lanes)
  hold.remember({ incarnation, head: is.head })
  return { ...is, incarnation }
}
