import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isFault } from '../kit/fault.ts'
import { compareUtf8 } from '../kit/utf8-order.ts'
import { encodeColumn } from './index-key.ts'

/** nothing < false < true < numbers < texts */
function compareValues(a: unknown, b: unknown): number {
  const rank = (value: unknown): number => {
    if (value === null || value === undefined) return 0
    return value === false ? 1 : value === true ? 2 : typeof value === 'number' ? 3 : 4
  }
  if (rank(a) !== rank(b)) return rank(a) - rank(b)
  if (typeof a === 'number' && typeof b === 'number') return a === b ? 0 : a - b
  return typeof a === 'string' && typeof b === 'string' ? compareUtf8(a, b) : 0
}

// Few characters, so that texts share beginnings: what is escaped, and both sides of the surrogates.
const character = fc.constantFrom('\u0000', '\u0001', '\u0002', '\u0003', ' ', '0', 'a', 'b', '~', 'é', '\ud7ff', '\ue000', '\uffff', '😀')
const text = fc.string({ unit: character, maxLength: 4 })
const number = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(-0, 0, Infinity, -Infinity, 5e-324, -5e-324),
)
const value = fc.oneof(fc.constant(null), fc.constant(undefined), fc.boolean(), number, text)

test('given any two values, when encoded, then the texts order as the values do', () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      assert.equal(Math.sign(compareUtf8(encodeColumn(a), encodeColumn(b))), Math.sign(compareValues(a, b)))
    }),
    { numRuns: 3_000 },
  )
})

test('given rows of several columns, when their columns are joined, then the first that differs decides', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 4 }), (pairs) => {
      const a = pairs.map(([one]) => one)
      const b = pairs.map(([, other]) => other)
      const differs = pairs.map(([one, other]) => compareValues(one, other)).find((order) => order !== 0) ?? 0
      const joined = (values: readonly unknown[]): string => values.map(encodeColumn).join('')
      assert.equal(Math.sign(compareUtf8(joined(a), joined(b))), Math.sign(differs))
    }),
    { numRuns: 3_000 },
  )
})

test('given a text that begins as another, when both are encoded, then neither begins as the other', () => {
  for (const longer of ['a\u0000', 'a\u0001', 'a\u0002', 'ab', 'a😀']) {
    assert.ok(!encodeColumn(longer).startsWith(encodeColumn('a')), longer)
    assert.ok(compareUtf8(encodeColumn('a'), encodeColumn(longer)) < 0, longer)
  }
})

test('given any text, when encoded, then no NUL is in it', () => {
  assert.ok(!encodeColumn('\u0000a\u0000').includes('\u0000'))
})

test('given minus zero, when encoded, then it is zero', () => {
  assert.equal(encodeColumn(-0), encodeColumn(0))
})

test('given what has no order, when encoded, then it is refused', () => {
  for (const none of [Number.NaN, {}, [], '\ud800', 'a\udc00', 1n, Symbol('a'), () => 1])
    assert.throws(
      () => encodeColumn(none),
      (error) => isFault(error, 'ROW_INVALID'),
      typeof none,
    )
})
