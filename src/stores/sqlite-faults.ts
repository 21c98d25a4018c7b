/** What SQLite and the disk complain of, as faults. */
import { asError, type Fault, fault, isFault } from '../kit/fault.ts'

/** Result codes of SQLite that say something of their own; extended codes keep the primary one in their low byte. */
const primary = { busy: 5, readOnly: 8, ioErr: 10, corrupt: 11, full: 13, cantOpen: 14, protocol: 15, notADb: 26 } as const
const lockCodes: ReadonlySet<number> = new Set([2_058, 2_314, 3_850, 5_130, 6_154, primary.protocol])
/** The index of the WAL could not be made longer: there is no room for it. */
const noRoomForIndex = 4_874

export function sqliteCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined
}

export function isBusy(error: unknown): boolean {
  return ((sqliteCode(error) ?? 0) & 0xff) === primary.busy
}

/** An engine that cannot say whether what it was asked to write is on the disk. */
export function isIoError(error: unknown): boolean {
  const code = sqliteCode(error) ?? 0
  return (code & 0xff) === primary.ioErr && code !== noRoomForIndex
}

export function storeFault(error: unknown, path: string): Fault {
  if (isFault(error)) return error
  const code = sqliteCode(error)
  const { message } = asError(error)
  const data = { path, ...(code === undefined ? {} : { sqlite: code }) }
  const system = error instanceof Error && 'code' in error ? error.code : undefined
  if (system === 'ENOSPC' || system === 'EDQUOT') return fault('STORE_FULL', message, data, error)
  if (code === undefined) return fault('STORE_FAILED', `${path}: ${message}`, data, error)
  if (code === noRoomForIndex || (code & 0xff) === primary.full) return fault('STORE_FULL', `${path}: ${message}`, data, error)
  if (lockCodes.has(code)) return fault('STORE_CANNOT_LOCK', `${path}: ${message}`, data, error)
  if ((code & 0xff) === primary.corrupt || (code & 0xff) === primary.notADb)
    return fault('STORE_CORRUPT', `${path}: ${message}`, data, error)
  return fault('STORE_FAILED', `${path}: ${message}`, data, error)
}

const mayNotOpen: ReadonlySet<unknown> = new Set(['EACCES', 'EISDIR', 'ENOENT', 'ENOTDIR', 'EPERM', 'EROFS'])

/** Of opening: to ask again changes nothing where the path is wrong, or this user may not write there. */
export function openFault(error: unknown, path: string): Fault {
  const known = (sqliteCode(error) ?? 0) & 0xff
  const system = error instanceof Error && 'code' in error ? error.code : undefined
  if (isFault(error) || !(known === primary.cantOpen || known === primary.readOnly || mayNotOpen.has(system)))
    return storeFault(error, path)
  return fault('STORE_UNOPENED', `${path}: ${asError(error).message}`, { path }, error)
}
