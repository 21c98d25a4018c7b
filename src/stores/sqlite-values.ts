/** What comes back from SQLite is of no type: these give it one, and a damaged file a fault. */
import { fault } from '../kit/fault.ts'

export function columns(row: unknown): readonly unknown[] {
  if (Array.isArray(row)) return row
  throw fault('STORE_CORRUPT', 'a row is no array')
}

export function asText(value: unknown): string {
  if (typeof value === 'string') return value
  throw fault('STORE_CORRUPT', `a text is ${typeof value}`)
}

export function asNumber(value: unknown): number {
  if (typeof value === 'number') return value
  throw fault('STORE_CORRUPT', `a number is ${typeof value}`)
}
