/** All rows of a range, page by page; what is put meanwhile may or may not be among them. */
import type { Row, Scan, Store } from '../ports/store.ts'

const pageRows = 500

/** `breathe` is waited for between two pages: a store may answer without ever letting go of the process. */
export async function* everyRow(
  store: Store,
  { kind, part, from = '', to = '' }: Pick<Scan, 'kind' | 'part'> & Partial<Scan>,
  breathe?: () => Promise<void>,
): AsyncGenerator<Row> {
  for (let next = from; ;) {
    const rows = await store.scan({ kind, part, from: next, to, limit: pageRows })
    yield* rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageRows) return
    next = `${last.key}\u0000`
    await breathe?.()
  }
}
