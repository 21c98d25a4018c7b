import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isFault } from '../kit/fault.ts'
import { carried, jsonText } from './carried.ts'

const passed = (value: unknown): unknown => carried(value, jsonText(value, 'Order'), 'Order')

class Money {
  readonly cents: number
  constructor(cents: number) {
    this.cents = cents
  }
}

test('given any JSON, when it is carried, then it is itself, but for the sign of zero', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(passed(value), JSON.parse(JSON.stringify(value)))
    }),
  )
  const data = { a: [1, 'x', null, { b: true }], c: '\ud800' }
  assert.equal(passed(data), data)
})

test('given anything at all, when it is carried, then it is what its text says, or it is refused', () => {
  const anything = fc.anything({
    withDate: true,
    withBigInt: true,
    withMap: true,
    withSet: true,
    withSparseArray: true,
    withNullPrototype: true,
  })
  fc.assert(
    fc.property(anything, (value) => {
      try {
        assert.deepEqual(passed(value), JSON.parse(JSON.stringify(value) ?? 'null'))
      } catch (thrown) {
        assert.ok(isFault(thrown, 'NOT_JSON'), String(thrown))
      }
    }),
    { numRuns: 500 },
  )
})

test('given what vanishes in JSON, when it is carried, then it has vanished', () => {
  assert.deepEqual(passed({ a: undefined, b: -0, c: new Money(5), d: Object.assign(Object.create(null), { e: 1 }) }), {
    b: 0,
    c: { cents: 5 },
    d: { e: 1 },
  })
  assert.equal(passed(undefined), null)
})

test('given what JSON would change, when it is carried, then the fault names its place', () => {
  const round: Record<string, unknown> = {}
  round['self'] = round
  for (const [value, path, words] of [
    [{ at: new Date(0) }, '/at', '/at is a Date'],
    [{ n: [1, Number.NaN] }, '/n/1', '/n/1 is NaN'],
    [{ n: Number.NEGATIVE_INFINITY }, '/n', '/n is -Infinity'],
    [{ a: { 'b/c': 1n } }, '/a/b~1c', '/a/b~1c is a bigint'],
    [new Map([[1, 2]]), '', 'it is a Map'],
    [[undefined], '/0', '/0 is undefined'],
    [{ f: () => 1 }, '/f', '/f is a function'],
    [{ s: new Set() }, '/s', '/s is a Set'],
    [{ t: { toJSON: () => 1 } }, '/t', '/t is an object with toJSON'],
    [{ u: new Uint8Array(1) }, '/u', '/u is a Uint8Array'],
    [round, '', "can't be written as JSON"],
  ] as const) {
    assert.throws(
      () => passed(value),
      (error) => isFault(error, 'NOT_JSON') && error.data['path'] === path && error.message.includes(words),
      words,
    )
  }
})
