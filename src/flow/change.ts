/** A change that names only what it has. */
import type { Change, Store } from '../ports/store.ts'

export function changeOf(store: Pick<Store, 'incarnation'>, id: string, parts: Partial<Omit<Change, 'id' | 'incarnation'>>): Change {
  const { checks = none, expects = none, appends = none, puts = none, deletes = none, trims = none, native = none } = parts
  return { id, incarnation: store.incarnation, checks, expects, appends, puts, deletes, trims, native }
}

const none: readonly never[] = []
