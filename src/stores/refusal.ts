/** How a check is judged and what a refusal says of it: the same in every store. */
import type { Expected, Key, Refused, Row } from '../ports/store.ts'

export function meets(expect: Expected, version: number): boolean {
  if (expect === 'any') return true
  if (expect === 'none') return version === 0
  return expect === 'exists' ? version > 0 : version === expect
}

/** What is said of a row that is not there. */
export function absentRow({ kind, part, key }: Key): Row {
  return { kind, part, key, value: '', rev: '' }
}

/** `undefined` where every check held. */
export function refusal(rows: readonly Row[], versions: Readonly<Record<string, number>>, ids: readonly string[]): Refused | undefined {
  if (rows.length === 0 && ids.length === 0 && Object.keys(versions).length === 0) return undefined
  return { ok: false, rows, versions, ids }
}
