import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson, sameJson } from './canonical-json.ts'

test('given the example of RFC 8785, when it is written, then it is the text that stands there', () => {
  const numbers = '"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001]'
  const string = String.raw`"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"`
  const text = `{${numbers},${string},"literals":[null,true,false]}`
  const written = String.raw`"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"`
  const expected = `{"literals":[null,true,false],${written}}`
  assert.equal(canonicalJson(JSON.parse(text)), expected)
})

test('given members in any order, when written, then the text is the same, by UTF-16 units, and reads back as the value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const text = canonicalJson(value)
      const back: unknown = JSON.parse(text)
      assert.equal(canonicalJson(back), text)
      assert.deepEqual(back, JSON.parse(JSON.stringify(value)))
      assert.equal(canonicalJson(reversed(value)), text)
    }),
  )
  assert.equal(
    canonicalJson(JSON.parse('{"\ufb33":1,"\ud83d\ude00":2,"\u20ac":3,"1":4,"__proto__":5}')),
    '{"1":4,"__proto__":5,"€":3,"😀":2,"\ufb33":1}',
  )
})

test('given what JSON leaves out, when written, then it is left out', () => {
  assert.equal(
    canonicalJson({ b: undefined, a: [undefined, () => 1], d: new Date(0), c: -0, e: NaN }),
    '{"a":[null,null],"c":0,"d":"1970-01-01T00:00:00.000Z","e":null}',
  )
  assert.equal(canonicalJson(undefined), 'null')
})

test('given two texts, when compared, then order and spaces do not matter, and content does', () => {
  assert.ok(sameJson('{"a":1,"b":[2]}', '{ "b": [2.0], "a": 1e0 }'))
  assert.ok(!sameJson('{"a":1,"b":[2]}', '{"a":1,"b":[2,3]}'))
  assert.ok(!sameJson('"1"', '1'))
})

function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(reversed)
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  )
}
