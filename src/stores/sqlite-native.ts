/** The app's own SQL inside a change: a savepoint a unit, on the app's own tables only, and nothing that moves the transaction. */
import { constants, type DatabaseSync } from 'node:sqlite'
import type { Native } from '../ports/store.ts'
import { sqliteCode } from './sqlite-faults.ts'

type Failed = { readonly unit: string; readonly code: string }

let running = false

const ours = /^(?:events|streams|stream_events|trimmed|store|rows_[a-z]+|sqlite_.*)$/i

/** Stays on the connection: it is asked only when a statement is prepared. Older Nodes have none; there a store takes no SQL. */
export function guardNative(db: DatabaseSync): boolean {
  if (typeof db.setAuthorizer !== 'function') return false
  db.setAuthorizer((action, table) => (running && !allowed(action, table) ? constants.SQLITE_DENY : constants.SQLITE_OK))
  return true
}

/** What failed first; what its unit did before that is taken back by whoever opened the savepoint of the change. */
export function runNative(db: DatabaseSync, statements: readonly Native[]): Failed | undefined {
  for (const { unit, text, values, rows } of statements) {
    try {
      running = true
      const statement = db.prepare(text)
      running = false
      const { changes } = statement.run(...values)
      if (rows !== undefined && Number(changes) !== rows) return { unit, code: 'ROWS_OTHER' }
    } catch (error) {
      const code = sqliteCode(error)
      // A disk that is full or broken is no fault of the statement.
      if (code === undefined || [10, 11, 13].includes(code & 0xff)) throw error
      return { unit, code: `SQLITE_${code}` }
    } finally {
      running = false
    }
  }
  return undefined
}

function allowed(action: number, table: string | null): boolean {
  if (action === constants.SQLITE_SELECT || action === constants.SQLITE_FUNCTION || action === constants.SQLITE_RECURSIVE) return true
  if (action === constants.SQLITE_READ) return true
  const writes = [constants.SQLITE_INSERT, constants.SQLITE_UPDATE, constants.SQLITE_DELETE]
  return writes.includes(action) && table !== null && !ours.test(table)
}
