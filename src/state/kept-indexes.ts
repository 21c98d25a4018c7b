/**
 * Which indexes the rows of a projection have, as the store knows it. Whoever writes rows keeps up those that are live,
 * whether its own code declares them or not: an index is a list of columns, and newer code may have added one.
 */
import type { Key } from '../ports/store.ts'

export type Indexes = readonly (readonly string[])[]

export interface KeptIndexes {
  /** All that have entries: nobody could find them any more once the projection is gone from the app. */
  readonly all: Indexes
  /** Those of them that every writer keeps up. */
  readonly live: Indexes
  /** Those of them that have the entries of all rows. */
  readonly filled: Indexes
}

/** By the id of the projection's subscription. */
export function indexesKey(id: string): Key {
  return { kind: 'indexes', part: '', key: id }
}

/** Every turn of a projection asks, and mostly for the same. */
export function decodeIndexes(value: string | undefined): KeptIndexes {
  if (value === undefined) return none
  if (value !== lastText) {
    last = { ...none, ...(JSON.parse(value) as Partial<KeptIndexes>) }
    lastText = value
  }
  return last
}

export function without(indexes: Indexes, known: Indexes): Indexes {
  if (indexes.length === 0) return indexes
  const names = new Set(known.map(String))
  return indexes.filter((columns) => !names.has(String(columns)))
}

const none: KeptIndexes = { all: [], live: [], filled: [] }
let lastText = ''
let last = none
