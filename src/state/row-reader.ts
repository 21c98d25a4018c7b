/**
 * Reads the rows of a projection for those who ask: by key, or along a declared index, page by page. A row is read after
 * its entry: it is given only where the entry is still the row's.
 */
import { fault } from '../kit/fault.ts'
import { compareUtf8 } from '../kit/utf8-order.ts'
import type { Store } from '../ports/store.ts'
import { findPlan, type FindPlan, type FindQuestion } from './find-plan.ts'
import { decodePage, encodePage } from './page-token.ts'
import { decodeRow, entryKey, rowKey, spaceOf, type RowData, type RowShape } from './row-space.ts'

export interface FoundPage {
  readonly rows: readonly RowData[]
  readonly next: string | undefined
}

const sizeMax = 1_000
const chunkRows = 256

export class RowReader {
  readonly #store: Store
  readonly #shape: RowShape
  readonly #space: string

  /** `subscription`: what the store knows the projection's subscription by. */
  constructor(store: Store, shape: RowShape, subscription: string) {
    this.#store = store
    this.#shape = shape
    this.#space = spaceOf(subscription)
  }

  async get(key: string): Promise<RowData | undefined> {
    const [row] = await this.#store.get([rowKey(this.#space, key)])
    return row === undefined ? undefined : decodeRow(row.value).row
  }

  async find(question: FindQuestion): Promise<FoundPage> {
    const size = question.size ?? 50
    if (!Number.isSafeInteger(size) || size < 1 || size > sizeMax)
      throw fault('FIND_INVALID', `${this.#shape.name}: size is from 1 to ${sizeMax}`, { size })
    const plan = findPlan(this.#shape, this.#space, question)
    const after = question.page === undefined ? undefined : decodePage(question.page, this.#store.incarnation, plan)
    const rows: RowData[] = []
    let last = ''
    for await (const { row, at } of this.#walk(plan, after, size)) {
      // Another page is promised only where there is a row for it.
      if (rows.length === size) return { rows, next: encodePage(last, this.#store.incarnation, plan) }
      rows.push(row)
      last = at
    }
    return { rows, next: undefined }
  }

  async count(where: FindQuestion['where']): Promise<number> {
    const plan = findPlan(this.#shape, this.#space, where === undefined ? {} : { where })
    let count = 0
    for await (const _ of this.#walk(plan, undefined, chunkRows)) count += 1
    return count
  }

  async *#walk(plan: FindPlan, after: string | undefined, size: number): AsyncGenerator<{ readonly row: RowData; readonly at: string }> {
    const limit = Math.min(chunkRows, Math.max(8, size + 1))
    for (const range of plan.ranges) {
      let { from, to } = range
      if (after !== undefined) {
        // Of a range that ended before the place, nothing is left.
        if (plan.reverse ? compareUtf8(from, after) >= 0 : to !== '' && compareUtf8(to, after) <= 0) continue
        if (plan.reverse && (to === '' || compareUtf8(to, after) > 0)) to = after
        if (!plan.reverse && compareUtf8(from, after) <= 0) from = `${after}\u0000`
      }
      for (;;) {
        const entries = await this.#store.scan({ kind: plan.kind, part: plan.part, from, to, limit, reverse: plan.reverse })
        yield* await this.#rowsAt(plan, entries)
        const last = entries.at(-1)
        if (last === undefined || entries.length < limit) break
        if (plan.reverse) to = last.key
        else from = `${last.key}\u0000`
      }
    }
  }

  async #rowsAt(
    plan: FindPlan,
    entries: readonly { readonly key: string; readonly value: string }[],
  ): Promise<{ row: RowData; at: string }[]> {
    const texts = plan.kind === 'row' ? entries.map(({ value }) => value) : await this.#texts(entries.map(({ value }) => value))
    return entries.flatMap(({ key }, i) => {
      const text = texts[i]
      const row = text === undefined ? undefined : decodeRow(text).row
      if (row === undefined || (plan.kind === 'index' && entryKey(this.#shape, plan.columns, row) !== key)) return []
      return plan.matches(row) ? [{ row, at: key }] : []
    })
  }

  async #texts(keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    const rows = await this.#store.get(keys.map((key) => rowKey(this.#space, key)))
    return rows.map((row) => row?.value)
  }
}
