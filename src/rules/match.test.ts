import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { isFault } from '../kit/fault.ts'
import { compilePattern } from './match.ts'

interface Row {
  readonly expect: boolean | 'error'
  readonly pattern: string
  readonly event: string
}

const rows = readFileSync(new URL('../../test/fixtures/patterns.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line): Row => JSON.parse(line))

test('given the recorded patterns and events, when each is compiled and asked, then it answers as recorded', () => {
  assert.ok(rows.length > 300)
  for (const row of rows) {
    const pattern: unknown = JSON.parse(row.pattern)
    if (row.expect === 'error')
      assert.throws(
        () => compilePattern(pattern),
        (error) => isFault(error, 'PATTERN_INVALID'),
        row.pattern,
      )
    else assert.equal(compilePattern(pattern)(JSON.parse(row.event)), row.expect, `${row.pattern} on ${row.event}`)
  }
})

test('given numbers beyond doubles, when compared, then they are as JSON.parse rounds them', () => {
  assert.equal(compilePattern(JSON.parse('{"a":[9007199254740993]}'))({ a: 9007199254740992 }), true)
  assert.equal(compilePattern({ a: [{ numeric: ['>', 0] }] })(JSON.parse('{"a":3.14159265358979323846264338327950288}')), true)
})

test('given a field that has no value in it, when asked, then it is as absent as in JSON', () => {
  assert.equal(compilePattern({ a: [{ exists: true }] })({ a: undefined }), false)
  assert.equal(compilePattern({ a: [{ exists: false }] })({ a: undefined }), true)
  assert.equal(compilePattern({ a: [null] })({ a: undefined }), false)
})

test('given what is no object, when asked, then it does not fit', () => {
  for (const value of [null, undefined, 1, 'x', [], [{ a: 1 }]]) assert.equal(compilePattern({ a: [{ exists: false }] })(value), false)
})

test('given names of Object.prototype, when asked, then only own fields count', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const pattern: unknown = JSON.parse(`{"${name}":["x"]}`)
    assert.equal(compilePattern(pattern)(JSON.parse(`{"${name}":"x"}`)), true, name)
    assert.equal(compilePattern(pattern)({}), false, name)
    assert.equal(compilePattern(JSON.parse(`{"${name}":[{"exists":true}]}`))({}), false, name)
    assert.equal(compilePattern(JSON.parse(`{"${name}":{"name":["Object"]}}`))({}), false, name)
  }
})

test('given one array that stands at two places, when fields of both are asked for, then they are two arrays', () => {
  const lines = [{ sku: 'a' }, { sku: 'b' }]
  const pattern = compilePattern({ ordered: { sku: ['a'] }, shipped: { sku: ['b'] } })
  assert.equal(pattern({ ordered: lines, shipped: lines }), true)
})

const mistakes: readonly (readonly [pattern: unknown, pointer: string, rule: RegExp])[] = [
  [{}, '', /at least one field/],
  [{ data: {} }, '/data', /at least one field/],
  [{ data: { cents: 12 } }, '/data/cents', /a list of what it may be/],
  [{ data: { cents: [] } }, '/data/cents', /not empty/],
  [{ data: { cents: [[1]] } }, '/data/cents/0', /no lists in lists/],
  [{ data: { cents: [1, { numeric: ['>'] }] } }, '/data/cents/1/numeric', /numeric takes/],
  [{ data: { cents: [{ numeric: ['>', 5, '<', 5] }] } }, '/data/cents/0/numeric', /begins below its end/],
  [{ 'a/b~c': [{ prefix: 1 }] }, '/a~1b~0c/0/prefix', /takes a text/],
  [{ a: [{ wildcard: 'x*' }] }, '/a/0/wildcard', /no operator 'wildcard'/],
  [{ a: [{ prefix: 'x', suffix: 'y' }] }, '/a/0', /stands alone/],
  [{ a: [{ 'anything-but': [] }] }, '/a/0/anything-but', /takes a text, a number/],
  [{ a: [{ 'anything-but': { prefix: '' } }] }, '/a/0/anything-but/prefix', /none of them empty/],
  [{ a: [Number.NaN] }, '/a/0', /finite/],
  [{ $or: [{ a: [1] }] }, '/$or', /two or more/],
  [{ $or: [{ a: [1] }, { prefix: ['x'] }] }, '/$or/1', /'prefix' is an operator/],
]

test('given a mistaken pattern, when compiled, then the fault names the place and the rule', () => {
  for (const [pattern, pointer, rule] of mistakes) {
    assert.throws(
      () => compilePattern(pattern, 'fn charge: where'),
      (error) =>
        isFault(error, 'PATTERN_INVALID') &&
        error.data['pointer'] === pointer &&
        rule.test(error.message) &&
        error.message.includes('fn charge: where'),
      `${JSON.stringify(pattern)} at ${pointer}`,
    )
  }
})

test('given many alternatives that multiply, when there are more than a thousand, then it is refused', () => {
  const two = (field: string) => ({ $or: [{ [field]: ['x'] }, { [field]: ['y'] }] })
  const nested = (n: number): object =>
    n === 0
      ? two('z')
      : {
          $or: [
            { a: [1], [`n${n}`]: nested(n - 1) },
            { b: [1], [`n${n}`]: nested(n - 1) },
          ],
        }
  assert.doesNotThrow(() => compilePattern(nested(8)))
  assert.throws(
    () => compilePattern(nested(9)),
    (error) => isFault(error, 'PATTERN_INVALID'),
  )
})

test('given arrays made to be long to choose from, when asked, then it ends, by name', () => {
  const many = (field: object) => Array.from({ length: 3_000 }, () => field)
  const pattern = compilePattern({ a: { x: [1] }, b: { x: [1] }, c: { x: [1], y: [1] } })
  const event = { a: many({ x: 1 }), b: many({ x: 1 }), c: [{ x: 1 }, { y: 1 }] }
  assert.throws(
    () => pattern(event),
    (error) => isFault(error, 'PATTERN_TOO_COSTLY'),
  )
  assert.equal(compilePattern({ c: { x: [1], y: [1] } })({ c: [...many({ x: 1 }), ...many({ y: 1 }), { x: 1, y: 1 }] }), true)
})

interface Leaf {
  readonly path: string
  readonly value: unknown
  readonly elements: ReadonlyMap<number, number>
}

/** Every leaf, with the element that it comes from, of each array that it sits in as part of an object or an array. */
function leavesOf(event: unknown): readonly Leaf[] {
  const leaves: Leaf[] = []
  let arrays = 0
  const walk = (value: unknown, path: string, elements: ReadonlyMap<number, number>): void => {
    if (Array.isArray(value)) {
      const array = arrays++
      value.forEach((item, index) =>
        walk(item, path, typeof item === 'object' && item !== null ? new Map([...elements, [array, index]]) : elements),
      )
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) walk(inner, path === '' ? name : `${path}.${name}`, elements)
    } else leaves.push({ path, value, elements })
  }
  walk(event, '', new Map())
  return leaves
}

type Expectation = { readonly exists: boolean } | { readonly 'anything-but': string } | string
type Tree = { readonly [field: string]: Tree | readonly Expectation[] }

function literally(pattern: Tree, event: unknown): boolean {
  const wanted = new Map<string, readonly Expectation[]>()
  const flatten = (tree: Tree, path: string): void => {
    for (const [name, value] of Object.entries(tree)) {
      const at = path === '' ? name : `${path}.${name}`
      if (Array.isArray(value)) wanted.set(at, value)
      else flatten(value as Tree, at)
    }
  }
  flatten(pattern, '')
  const paths = [...wanted.keys()].sort()
  const leaves = leavesOf(event)
  const together = (leaf: Leaf, chosen: readonly Leaf[]) =>
    chosen.every((other) => [...leaf.elements].every(([array, index]) => (other.elements.get(array) ?? index) === index))
  const meets = (value: unknown, expected: Expectation) =>
    typeof expected === 'string' ? value === expected : 'exists' in expected ? expected.exists : value !== expected['anything-but']
  const choose = (at: number, chosen: readonly Leaf[]): boolean => {
    const path = paths[at]
    if (path === undefined) return true
    const candidates = leaves.filter((leaf) => leaf.path === path && together(leaf, chosen))
    const expectations = wanted.get(path) ?? []
    if (candidates.some((leaf) => expectations.some((expected) => meets(leaf.value, expected)) && choose(at + 1, [...chosen, leaf])))
      return true
    return (
      candidates.length === 0 &&
      expectations.some((expected) => typeof expected !== 'string' && 'exists' in expected && !expected.exists) &&
      choose(at + 1, chosen)
    )
  }
  return choose(0, [])
}

const name = fc.constantFrom('a', 'b', 'a.b')
const expectation: fc.Arbitrary<Expectation> = fc.oneof(
  fc.constantFrom('x', 'y'),
  fc.boolean().map((exists) => ({ exists })),
  fc.constantFrom('x', 'y').map((text) => ({ 'anything-but': text })),
)
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.dictionary(
    name,
    fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.array(expectation, { minLength: 1, maxLength: 2 }), tie('tree')),
    { minKeys: 1, maxKeys: 3 },
  ),
}))
const { node } = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom('x', 'y', null),
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(name, tie('node'), { maxKeys: 3 }),
  ),
}))
/** Half of them with a list of records, which a pattern may ask two fields of. */
const records = fc.array(fc.dictionary(name, fc.oneof(node, fc.constantFrom('x', 'y')), { minKeys: 1, maxKeys: 2 }), {
  minLength: 1,
  maxLength: 4,
})
const event = fc.dictionary(name, fc.oneof(node, records), { maxKeys: 3 })

test('given any pattern and event, when asked, then the answer is that of the definition read literally', () => {
  let fitting = 0
  fc.assert(
    fc.property(tree, event, (pattern, given) => {
      const answer = compilePattern(pattern)(given)
      fitting += Number(answer)
      assert.equal(answer, literally(pattern, given))
    }),
    { numRuns: 3_000, seed: 11 },
  )
  assert.ok(fitting > 300, `${fitting} fit`)
})

test('given the fields of a pattern in another order, when asked, then the answer is the same', () => {
  const turned = (value: Tree): Tree =>
    Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([field, inner]) => [field, Array.isArray(inner) ? [...inner].reverse() : turned(inner as Tree)]),
    )
  fc.assert(
    fc.property(tree, event, (pattern, given) => {
      // A path that is named twice is overridden by the later: there the order counts.
      fc.pre(!('a.b' in pattern && 'a' in pattern))
      const flat = JSON.stringify(pattern).includes('a.b')
      fc.pre(!flat)
      assert.equal(compilePattern(turned(pattern))(given), compilePattern(pattern)(given))
    }),
    { numRuns: 500 },
  )
})
