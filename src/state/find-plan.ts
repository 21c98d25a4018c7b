/** Which index answers a question, and which ranges of it. A question that no index answers is refused, with the index that would. */
import { fault } from '../kit/fault.ts'
import { compareUtf8 } from '../kit/utf8-order.ts'
import { encodeColumn, isNothing, something } from './index-key.ts'
import { indexPart, type RowData, type RowShape } from './row-space.ts'

/** By column: a value, `{ in }` or `{ from, below }`. */
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
  /** The columns of the index; none where it goes by the rows' own keys. */
  readonly columns: readonly string[]
  matches(row: RowData): boolean
  /** What a page token is good for. */
  readonly name: string
}

/** What one column must be. */
type Condition =
  | { readonly is: 'values'; readonly values: readonly unknown[] }
  | { readonly is: 'range'; readonly from: unknown; readonly below: unknown }
type Conditions = ReadonlyMap<string, Condition>

const prefixesMax = 200

export function findPlan(shape: RowShape, space: string, question: FindQuestion): FindPlan {
  const conditions = conditionsOf(shape, question.where ?? {})
  const [orderBy, direction = 'asc', ...more] = question.order?.split(' ') ?? []
  if ((direction !== 'asc' && direction !== 'desc') || orderBy === '' || more.length > 0)
    throw fault('FIND_INVALID', `${shape.name}: order is like 'placedAt desc'`, { order: question.order })
  // By the rows' own keys, or along an index, of which every entry ends with the key: so it orders by that too.
  const ways = [
    { columns: [], by: [shape.key], byKey: true },
    ...shape.indexes.map((columns) => ({ columns, by: [...columns, shape.key], byKey: false })),
  ]
  const way = ways
    .filter(({ by }) => serves(by, conditions, orderBy))
    .sort((a, b) => covers(b.by, conditions) - covers(a.by, conditions))[0]
  if (way === undefined) throw noIndex(shape, conditions, orderBy)
  const { columns, by, byKey } = way
  const reverse = direction === 'desc'
  const ranges = rangesOf(by, conditions, byKey)
  const part = byKey ? space : indexPart(space, columns)
  return {
    kind: byKey ? 'row' : 'index',
    part,
    ranges: reverse ? ranges.toReversed() : ranges,
    reverse,
    columns,
    matches: matcherOf(conditions),
    name: JSON.stringify([part, namesOf(conditions), orderBy ?? '', direction]),
  }
}

/** Whatever is asked comes from outside, often: what is no condition is refused, lest it be passed over. */
function conditionsOf(shape: RowShape, where: Where): Conditions {
  const given = Object.entries(where).filter(([, condition]) => condition !== undefined)
  return new Map(given.map(([column, condition]) => [column, conditionOf(`${shape.name}: where ${column}`, condition)]))
}

function conditionOf(what: string, given: unknown): Condition {
  const found = shapeOfCondition(given)
  const values = found?.is === 'values' ? found.values : [found?.from, found?.below]
  if (found === undefined || !values.every(comparable))
    throw fault('FIND_INVALID', `${what}: is a text, a number, true, false or null, or { in: [...] }, or { from, below } of such`, { what })
  return found
}

function shapeOfCondition(given: unknown): Condition | undefined {
  if (typeof given !== 'object' || given === null) return { is: 'values', values: [given] }
  const names = Object.keys(given)
  const { in: values, from, below } = given as { readonly in?: unknown; readonly from?: unknown; readonly below?: unknown }
  if (names.length === 1 && Array.isArray(values)) return { is: 'values', values: [...new Set<unknown>(values)] }
  if (Array.isArray(given) || names.some((name) => name !== 'from' && name !== 'below')) return undefined
  return { is: 'range', from, below }
}

function comparable(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  return value === undefined || value === null || typeof value === 'boolean' || (typeof value === 'number' && !Number.isNaN(value))
}

function matcherOf(conditions: Conditions): (row: RowData) => boolean {
  const tests = [...conditions].map(([column, condition]) => {
    const test = testOf(condition)
    return (row: RowData) => test(row[column])
  })
  return (row) => tests.every((test) => test(row))
}

function testOf(condition: Condition): (value: unknown) => boolean {
  if (condition.is === 'values') {
    const values = new Set(condition.values.map(encodeColumn))
    return (value) => isScalar(value) && values.has(encodeColumn(value))
  }
  const from = condition.from === undefined ? undefined : encodeColumn(condition.from)
  const below = condition.below === undefined ? undefined : encodeColumn(condition.below)
  return (value) => {
    if (!isScalar(value) || (from === undefined && below !== undefined && isNothing(value))) return false
    const at = encodeColumn(value)
    return (from === undefined || compareUtf8(at, from) >= 0) && (below === undefined || compareUtf8(at, below) < 0)
  }
}

/** A column that no index has may hold anything. */
function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

/** The same for the same question, in whatever order it is written. */
function namesOf(conditions: Conditions): unknown {
  return [...conditions]
    .sort(([a], [b]) => compareUtf8(a, b))
    .map(([column, condition]) => [
      column,
      condition.is === 'values'
        ? condition.values.map(encodeColumn).sort(compareUtf8)
        : [condition.from, condition.below].map((bound) => (bound === undefined ? null : [encodeColumn(bound)])),
      condition.is,
    ])
}

/** The conditions must name its first column, and the order the one after the fixed ones, or one that is fixed. */
function serves(index: readonly string[], conditions: Conditions, orderBy: string | undefined): boolean {
  const first = index[0] ?? ''
  if (conditions.size > 0 && !conditions.has(first)) return false
  if (orderBy === undefined) return true
  const at = index.indexOf(orderBy)
  if (at < 0) return false
  // Several values before it would be walked one after another, each in an order of its own.
  return index.slice(0, at).every((column) => isSingle(conditions.get(column)))
}

/** How much of the question it answers. */
function covers(index: readonly string[], conditions: Conditions): number {
  const fixed = fixedPrefix(index, conditions)
  const next = index[fixed]
  return fixed * 2 + (next !== undefined && conditions.has(next) ? 1 : 0)
}

function fixedPrefix(index: readonly string[], conditions: Conditions): number {
  const free = index.findIndex((column) => conditions.get(column)?.is !== 'values')
  return free < 0 ? index.length : free
}

function isSingle(condition: Condition | undefined): boolean {
  return condition?.is === 'values' && condition.values.length <= 1
}

function rangesOf(index: readonly string[], conditions: Conditions, byKey: boolean): { from: string; to: string }[] {
  // A row's own key stands as it is, an index's columns are encoded.
  const encode = byKey ? (value: unknown) => String(value) : encodeColumn
  const fixed = fixedPrefix(index, conditions)
  let prefixes = ['']
  for (const column of index.slice(0, fixed)) {
    const condition = conditions.get(column)
    const values = condition?.is === 'values' ? [...new Set(condition.values.map(encode))] : []
    if (prefixes.length * values.length > prefixesMax) throw fault('FIND_INVALID', `more than ${prefixesMax} values at once`, {})
    prefixes = prefixes.flatMap((prefix) => values.map((value) => prefix + value))
  }
  const next = conditions.get(index[fixed] ?? '')
  const ranges = prefixes.map((prefix) => {
    if (next?.is === 'range') {
      return { from: prefix + beginOf(next, byKey), to: next.below === undefined ? endOf(prefix) : prefix + encode(next.below) }
    }
    return byKey && fixed > 0 ? { from: prefix, to: `${prefix}\u0000` } : { from: prefix, to: endOf(prefix) }
  })
  return ranges.sort((a, b) => compareUtf8(a.from, b.from))
}

function beginOf({ from, below }: Extract<Condition, { is: 'range' }>, byKey: boolean): string {
  // Every key is a text, and above all that is none.
  if (byKey) return typeof from === 'string' ? from : ''
  if (from !== undefined) return encodeColumn(from)
  return below === undefined ? '' : something
}

/** The end of all that begins with it: encoded columns begin with a digit, so `:` is above them all. */
function endOf(prefix: string): string {
  return prefix === '' ? '' : `${prefix}\u{10FFFF}`
}

/** Single values first, then the order or the range. */
function noIndex(shape: RowShape, conditions: Conditions, orderBy: string | undefined): Error {
  const order = isSingle(conditions.get(orderBy ?? '')) ? undefined : orderBy
  const others = [...conditions.keys()].filter((column) => column !== order)
  const singles = others.filter((column) => isSingle(conditions.get(column)))
  const rest = others.filter((column) => !singles.includes(column))
  if (order !== undefined && rest.length > 0)
    return fault('FIND_INVALID', `${shape.name}: ordered by ${order}, each other column has one value: not so ${rest.join(', ')}`, {
      projection: shape.name,
      columns: rest,
    })
  const wanted = [...singles, ...rest.filter((column) => conditions.get(column)?.is === 'values')]
  const ranges = rest.filter((column) => !wanted.includes(column))
  wanted.push(...ranges.slice(0, 1), ...(order === undefined ? [] : [order]))
  if (wanted.length > 1 && wanted.at(-1) === shape.key) wanted.pop()
  const index = wanted.map((column) => `'${column}'`).join(', ')
  return fault('INDEX_MISSING', `${shape.name} has no index for this question: declare index: [[${index}]]`, {
    projection: shape.name,
    wanted,
  })
}
