/** Where the rows of a projection are kept, and what of them is found by index. */
import { asError, fault } from '../kit/fault.ts'
import type { Key } from '../ports/store.ts'
import { encodeColumn } from './index-key.ts'

/** What of a projection decides how its rows are kept. */
export interface RowShape {
  readonly name: string
  /** The column that a row is known by. */
  readonly key: string
  /** Each a list of columns, without the key. */
  readonly indexes: readonly (readonly string[])[]
}

export type RowData = Readonly<Record<string, unknown>>

/** As it is stored: a row, and the order key that wrote it. A deleted one keeps its order key. */
export interface KeptRow {
  readonly by: string
  readonly row?: RowData
}

/** Of the projection's subscription, as the store knows it. Spaces are never used again. */
export function spaceOf(subscription: string): string {
  return `${subscription}#1`
}

export function rowKey(space: string, key: string): Key {
  return { kind: 'row', part: space, key }
}

export function indexPart(space: string, columns: readonly string[]): string {
  return `${space}/${columns.join(',')}`
}

/** One entry for each index: its columns, then the row's key, which is its value too. */
export function indexKeys(space: string, shape: RowShape, row: RowData): readonly Key[] {
  return shape.indexes.map((columns) => indexKey(space, shape, columns, row))
}

/** … or the fault ROW_INVALID or INDEXED_TOO_LONG, which names row and index. */
export function indexKey(space: string, shape: RowShape, columns: readonly string[], row: RowData): Key {
  const names = { projection: shape.name, row: row[shape.key], index: columns }
  const what = `${shape.name}: row '${String(names.row)}': index ${columns.join(', ')}`
  let key: string
  try {
    key = entryKey(shape, columns, row)
  } catch (thrown) {
    throw fault('ROW_INVALID', `${what}: ${asError(thrown).message.replace('ROW_INVALID: ', '')}`, names, thrown)
  }
  // No UTF-16 unit comes to more than three bytes.
  const bytes = key.length * 3 <= entryBytesMax ? 0 : Buffer.byteLength(key)
  if (bytes <= entryBytesMax) return { kind: 'index', part: indexPart(space, columns), key }
  const limit = entryBytesMax
  throw fault('INDEXED_TOO_LONG', `${what}: its columns and the row's key come to ${bytes} bytes, and ${limit} is the most`, {
    ...names,
    bytes,
    limit,
  })
}

/** The same on every engine: what keys can be. */
const entryBytesMax = 1_024

export function entryKey(shape: RowShape, columns: readonly string[], row: RowData): string {
  return columns.map((column) => encodeColumn(row[column])).join('') + encodeColumn(row[shape.key])
}

export function decodeRow(text: string): KeptRow {
  return JSON.parse(text) as KeptRow
}
