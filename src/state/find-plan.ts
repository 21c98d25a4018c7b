/** Which index answers a question, and which ranges of it. A question that no index answers is refused, with the index that would. */
import { fault } from '../kit/fault.ts'
import { compareUtf8 } from '../kit/utf8-order.ts'
import { encodeColumn } from './index-key.ts'
import { indexPart, type RowData, type RowShape } from './row-space.ts'

export type FindCondition =
  | string
  | number
  | boolean
  | null
  | { readonly in: readonly unknown[] }
  | { readonly from?: unknown; readonly below?: unknown }
export type Where = Readonly<Record<string, unknown>>

export interface FindQuestion {
  readonly where?: Where | undefined
  /** 'placedAt desc' */
  readonly order?: string | undefined
  readonly size?: number | undefined
  readonly page?: string | undefined
}

export interface FindPlan {
  readonly kind: 'row' | 'index'
  readonly part: string
  /** Apart from each other, in the order in which they are walked. */
  readonly ranges: readonly { readonly from: string; readonly to: string }[]
  readonly reverse: boolean
  readonly where: Where
  /** What a page token is good for. */
  readonly name: string
}

type Part =
  | { readonly is: 'values'; readonly values: readonly unknown[] }
  | { readonly is: 'range'; readonly from: unknown; readonly below: unknown }

const prefixesMax = 200

export function findPlan(shape: RowShape, space: string, question: FindQuestion): FindPlan {
  const where = Object.fromEntries(Object.entries(question.where ?? {}).filter(([, condition]) => condition !== undefined))
  const [orderBy, direction = 'asc'] = question.order?.split(' ') ?? []
  if (direction !== 'asc' && direction !== 'desc')
    throw fault('FIND_INVALID', `${shape.name}: order is like '${orderBy} desc'`, { order: question.order })
  const columns = [[shape.key], ...shape.indexes]
    .filter((index) => serves(index, where, orderBy))
    .sort((a, b) => covers(b, where) - covers(a, where))[0]
  if (columns === undefined) throw noIndex(shape, where, orderBy)
  const byKey = columns.length === 1 && columns[0] === shape.key && !shape.indexes.includes(columns)
  const reverse = direction === 'desc'
  const ranges = rangesOf(columns, where, byKey)
  const part = byKey ? space : indexPart(space, columns)
  const name = JSON.stringify([part, where, orderBy ?? '', direction])
  return { kind: byKey ? 'row' : 'index', part, ranges: reverse ? ranges.toReversed() : ranges, reverse, where, name }
}

export function matchesRow(row: RowData, where: Where): boolean {
  return Object.entries(where).every(([column, condition]) => {
    const part = partOf(condition)
    const value = encodeColumn(row[column])
    if (part.is === 'values') return part.values.some((one) => encodeColumn(one) === value)
    return (part.from === undefined || value >= encodeColumn(part.from)) && (part.below === undefined || value < encodeColumn(part.below))
  })
}

/** The conditions must name its first columns, and the order the next, or one that a single value fixes. */
function serves(index: readonly string[], where: Where, orderBy: string | undefined): boolean {
  const fixed = fixedPrefix(index, where)
  if (orderBy !== undefined) {
    const single = index.slice(0, fixed).every((column) => valuesOf(where[column]) === 1)
    const at = index.indexOf(orderBy)
    if (
      at < 0 ||
      at > fixed ||
      (at < fixed && index.slice(0, at).some((column) => valuesOf(where[column]) !== 1)) ||
      (at === fixed && !single)
    )
      return false
  }
  const named = Object.keys(where)
  return named.length === 0 || named.some((column) => index[0] === column)
}

/** How much of the question it answers. */
function covers(index: readonly string[], where: Where): number {
  const fixed = fixedPrefix(index, where)
  const next = index[fixed]
  return fixed * 2 + (next !== undefined && next in where ? 1 : 0)
}

function fixedPrefix(index: readonly string[], where: Where): number {
  let fixed = 0
  for (const column of index) {
    if (!(column in where) || partOf(where[column]).is !== 'values') break
    fixed += 1
  }
  return fixed
}

function valuesOf(condition: unknown): number {
  const part = partOf(condition)
  return part.is === 'values' ? part.values.length : Number.POSITIVE_INFINITY
}

function rangesOf(index: readonly string[], where: Where, byKey: boolean): { from: string; to: string }[] {
  // A row's own key stands as it is, an index's columns are encoded.
  const encode = byKey ? (value: unknown) => String(value) : encodeColumn
  const fixed = fixedPrefix(index, where)
  let prefixes = ['']
  for (const column of index.slice(0, fixed)) {
    const part = partOf(where[column])
    const values = part.is === 'values' ? [...new Set(part.values.map(encode))] : []
    prefixes = prefixes.flatMap((prefix) => values.map((value) => prefix + value))
    if (prefixes.length > prefixesMax) throw fault('FIND_INVALID', `more than ${prefixesMax} values at once`, {})
  }
  const next = index[fixed]
  const part = next !== undefined && next in where ? partOf(where[next]) : undefined
  const ranges = prefixes.map((prefix) => {
    if (part?.is === 'range') {
      return {
        from: part.from === undefined ? prefix : prefix + encode(part.from),
        to: part.below === undefined ? endOf(prefix) : prefix + encode(part.below),
      }
    }
    return byKey && fixed > 0 ? { from: prefix, to: `${prefix}\u0000` } : { from: prefix, to: endOf(prefix) }
  })
  return ranges.sort((a, b) => compareUtf8(a.from, b.from))
}

/** The end of all that begins with it: encoded columns begin with a digit, so `:` is above them all. */
function endOf(prefix: string): string {
  return prefix === '' ? '' : `${prefix}\u{10FFFF}`
}

function partOf(condition: unknown): Part {
  if (typeof condition !== 'object' || condition === null) return { is: 'values', values: [condition] }
  if ('in' in condition && Array.isArray(condition.in)) return { is: 'values', values: condition.in }
  const { from, below } = condition as { readonly from?: unknown; readonly below?: unknown }
  return { is: 'range', from, below }
}

function noIndex(shape: RowShape, where: Where, orderBy: string | undefined): Error {
  const wanted = [...Object.keys(where).filter((column) => column !== orderBy), ...(orderBy === undefined ? [] : [orderBy])]
  const index = wanted.map((column) => `'${column}'`).join(', ')
  return fault('INDEX_MISSING', `${shape.name} has no index for this question: declare index: [[${index}]]`, {
    projection: shape.name,
    wanted,
  })
}
