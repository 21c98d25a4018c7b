/** Where the rows of a projection are kept, and what of them is found by index. */
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
  return shape.indexes.map((columns) => ({
    kind: 'index',
    part: indexPart(space, columns),
    key: entryKey(shape, columns, row),
  }))
}

export function entryKey(shape: RowShape, columns: readonly string[], row: RowData): string {
  return columns.map((column) => encodeColumn(row[column])).join('') + encodeColumn(row[shape.key])
}

export function decodeRow(text: string): KeptRow {
  return JSON.parse(text) as KeptRow
}
