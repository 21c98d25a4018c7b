/** Rows, as those who read them see them, and as the projection that owns them writes them. */
import type { Definition } from './definition.ts'

declare const holds: unique symbol

/** What has rows: a projection. The symbol is for types alone: nothing of it is there when it runs. */
export interface Holding<Row, Indexed extends keyof Row> extends Definition {
  readonly kind: 'projection'
  readonly [holds]?: Rows<Row, Indexed>
}

/** A value, one of several, or a range. Nothing (null, or left out) is below no value: ask for it by itself, or `from: null`. */
export type Condition<T> = T | { readonly in: readonly T[] } | { readonly from?: T; readonly below?: T }

export interface Find<Row, Indexed extends keyof Row> {
  readonly where?: { readonly [K in Indexed]?: Condition<Row[K]> }
  readonly order?: `${Indexed & string} ${'asc' | 'desc'}`
  readonly size?: number
  /** The `next` of the page before. */
  readonly page?: string | undefined
}

export interface Page<Row> {
  readonly rows: readonly Row[]
  readonly next: string | undefined
}

/** Views of a following projection: what is read may have changed by a turn's commit. */
export interface Rows<Row, Indexed extends keyof Row> {
  get(key: string): Promise<Row | undefined>
  find(what: Find<Row, Indexed>): Promise<Page<Row>>
  count(where?: Find<Row, Indexed>['where']): Promise<number>
}

/**
 * What a projection writes with: staged, and committed with the mark.
 * No `find`, no `count`, no clock: rows equal the log's fold, however run.
 * A row remembers the order key that wrote it, even deleted; to read or write it under another is the fault ROW_SHARED, which names `by`.
 */
export interface Writing<Row> {
  get(key: string): Promise<Row | undefined>
  put(row: Row): void
  /** A row that isn't there stays away. */
  patch(key: string, fields: Partial<Row>): void
  /** `undefined` deletes. */
  change(key: string, change: (row: Row | undefined) => Row | undefined): void
  delete(key: string): void
}
