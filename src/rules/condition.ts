/** A pattern taken apart: `$or` multiplied out into sub-rules, each a condition for every path that it names. */
import { fault } from '../kit/fault.ts'
import { canonicalAddress } from './address.ts'

export type Leaf = string | number | boolean | null
export type Test = (leaf: unknown) => boolean

/** What the leaves of one path must be: one of them fits one of the tests, or, where `absent` may be, there is none. */
export interface Condition {
  readonly path: string
  readonly tests: readonly Test[]
  readonly absent: boolean
}

/** Sub-rules, each in ascending order of paths. */
export function conditionsOf(pattern: unknown, what: string): readonly (readonly Condition[])[] {
  const rules = membersOf(pattern, { what, pointer: '', path: undefined }, [new Map()])
  return rules.map((rule) => [...rule.values()].sort((a, b) => (a.path < b.path ? -1 : 1)))
}

type Rule = ReadonlyMap<string, Condition>
type Members = Readonly<Record<string, unknown>>

interface Where {
  readonly what: string
  readonly pointer: string
  readonly path: string | undefined
}

/** Together with others they multiply. */
const rulesMax = 1_000

/** These can't be fields under `$or`: a list of operators is meant for a field. */
const reserved: ReadonlySet<string> = new Set(
  (
    'exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr = < <= > >= regex ' +
    'not-wildcard not-equals-ignore-case date-after date-on-or-after date-before date-on-or-before in-date-range ' +
    'ip-address-in-range ip-address-not-in-range'
  ).split(' '),
)

/** In the order they are written: a path that is named again takes the place of what was said before. */
function membersOf(pattern: unknown, at: Where, rules: readonly Rule[]): readonly Rule[] {
  if (!isMembers(pattern)) throw invalid(at, 'a pattern is an object')
  const members = Object.entries(pattern)
  if (members.length === 0) throw invalid(at, 'an object names at least one field')
  return members.reduce((before, [name, value]) => memberOf(name, value, at, before), rules)
}

function memberOf(name: string, value: unknown, at: Where, rules: readonly Rule[]): readonly Rule[] {
  const pointer = `${at.pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
  if (name === '$or') return alternativesOf(value, { ...at, pointer }, rules)
  const inner = { ...at, pointer, path: at.path === undefined ? name : `${at.path}.${name}` }
  if (isMembers(value)) return membersOf(value, inner, rules)
  if (!Array.isArray(value)) throw invalid(inner, 'a field has an object, or a list of what it may be')
  if (value.length === 0) throw invalid(inner, 'a list of what a field may be is not empty')
  const condition = conditionOf(value, inner)
  return rules.map((rule) => new Map([...rule, [condition.path, condition]]))
}

function alternativesOf(value: unknown, at: Where, rules: readonly Rule[]): readonly Rule[] {
  if (!Array.isArray(value) || value.length < 2) throw invalid(at, '$or has a list of two or more patterns')
  const expanded = value.flatMap((alternative: unknown, index) => {
    const inner = { ...at, pointer: `${at.pointer}/${index}` }
    const operator = isMembers(alternative) ? Object.keys(alternative).find((name) => reserved.has(name)) : undefined
    if (operator !== undefined) throw invalid(inner, `'${operator}' is an operator, and no name of a field here`)
    return membersOf(alternative, inner, rules)
  })
  if (expanded.length > rulesMax) throw invalid(at, `$or comes to more than ${rulesMax} combinations`)
  return expanded
}

function conditionOf(values: readonly unknown[], at: Where): Condition {
  const tests: Test[] = []
  let absent = false
  for (const [index, value] of values.entries()) {
    const inner = { ...at, pointer: `${at.pointer}/${index}` }
    if (isMembers(value) && 'exists' in value && value['exists'] === false && Object.keys(value).length === 1) absent = true
    else tests.push(testOf(value, inner))
  }
  return { path: at.path ?? '', tests, absent }
}

function testOf(value: unknown, at: Where): Test {
  if (value === null || typeof value === 'boolean') return (leaf) => leaf === value
  if (typeof value === 'string') return textTest(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalid(at, 'a number is finite')
    return (leaf) => leaf === value
  }
  if (!isMembers(value)) throw invalid(at, 'is a text, a number, true, false, null, or an operator; there are no lists in lists')
  const [[operator, argument] = ['', undefined], ...others] = Object.entries(value)
  if (others.length > 0 || operator === '') throw invalid(at, 'an operator stands alone in its object')
  return operatorTest(operator, argument, { ...at, pointer: `${at.pointer}/${operator}` })
}

function operatorTest(operator: string, argument: unknown, at: Where): Test {
  switch (operator) {
    case 'prefix':
    case 'suffix': {
      if (typeof argument !== 'string') throw invalid(at, `${operator} takes a text`)
      return affixTest(operator, [argument])
    }
    case 'numeric':
      return numericTest(argument, at)
    case 'exists': {
      if (typeof argument !== 'boolean') throw invalid(at, 'exists takes true or false')
      return () => true
    }
    case 'anything-but':
      return otherTest(argument, at)
    default:
      throw invalid(at, `there is no operator '${operator}'; there are prefix, suffix, numeric, exists, anything-but`)
  }
}

/** A literal that is an IP address is also equal to any other spelling of it. */
function textTest(text: string): Test {
  const address = canonicalAddress(text)
  if (address === undefined) return (leaf) => leaf === text
  return (leaf) => leaf === text || (typeof leaf === 'string' && canonicalAddress(leaf) === address)
}

function affixTest(operator: 'prefix' | 'suffix', affixes: readonly string[]): Test {
  return operator === 'prefix'
    ? (leaf) => typeof leaf === 'string' && affixes.some((affix) => leaf.startsWith(affix))
    : (leaf) => typeof leaf === 'string' && affixes.some((affix) => leaf.endsWith(affix))
}

/** Negations fit every leaf that is there and not what they name, of whatever type. */
function otherTest(argument: unknown, at: Where): Test {
  if (isMembers(argument)) {
    const [[operator, affix] = ['', undefined], ...others]: readonly (readonly [string, unknown])[] = Object.entries(argument)
    if (others.length > 0 || (operator !== 'prefix' && operator !== 'suffix'))
      throw invalid(at, 'anything-but takes a value, a list of values, prefix or suffix')
    const affixes: readonly unknown[] = Array.isArray(affix) ? affix : [affix]
    if (!isTexts(affixes) || affixes.includes(''))
      throw invalid({ ...at, pointer: `${at.pointer}/${operator}` }, `${operator} takes a text or a list of texts here, none of them empty`)
    const test = affixTest(operator, affixes)
    return (leaf) => !test(leaf)
  }
  const values: readonly unknown[] = Array.isArray(argument) ? argument : [argument]
  if (!isTexts(values) && !isNumbers(values)) throw invalid(at, 'anything-but takes a text, a number, a list of texts or a list of numbers')
  const excluded: ReadonlySet<unknown> = new Set<unknown>(values)
  return (leaf) => !excluded.has(leaf)
}

function numericTest(argument: unknown, at: Where): Test {
  const [first, low, second, high, ...others]: readonly unknown[] = Array.isArray(argument) ? argument : []
  const rule = "numeric takes ['=', n], ['<', n], ['<=', n], ['>', n], ['>=', n], or a range from below such as ['>=', 1, '<', 10]"
  if (!Array.isArray(argument) || others.length > 0 || !isFinite(low) || typeof first !== 'string') throw invalid(at, rule)
  const one = comparisons.get(first)
  if (one === undefined) throw invalid(at, rule)
  if (argument.length === 2) return (leaf) => typeof leaf === 'number' && one(leaf, low)
  const two = typeof second === 'string' && second.startsWith('<') ? comparisons.get(second) : undefined
  if (!first.startsWith('>') || two === undefined || !isFinite(high) || argument.length !== 4) throw invalid(at, rule)
  if (low >= high) throw invalid(at, 'a range begins below its end')
  return (leaf) => typeof leaf === 'number' && one(leaf, low) && two(leaf, high)
}

const comparisons: ReadonlyMap<string, (leaf: number, than: number) => boolean> = new Map([
  ['=', (leaf, than) => leaf === than],
  ['<', (leaf, than) => leaf < than],
  ['<=', (leaf, than) => leaf <= than],
  ['>', (leaf, than) => leaf > than],
  ['>=', (leaf, than) => leaf >= than],
])

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTexts(values: readonly unknown[]): values is readonly string[] {
  return values.length > 0 && values.every((value) => typeof value === 'string')
}

function isNumbers(values: readonly unknown[]): values is readonly number[] {
  return values.length > 0 && values.every(isFinite)
}

function isFinite(value: unknown): value is number {
  return Number.isFinite(value)
}

function invalid(at: Where, rule: string): Error {
  return fault('PATTERN_INVALID', `${at.what}${at.pointer === '' ? '' : ` at ${at.pointer}`}: ${rule}`, { pointer: at.pointer, rule })
}
