import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareUtf8 } from '../kit/utf8-order.ts'
import { heldKey, heldRange } from './holds.ts'

/** Keys that look alike once they are written without care, and any others. */
const key = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .array(fc.constantFrom(' ', '%20', '%25', '%', '!', '%21', 'a', '\u0000', 'ä', '😀'), { maxLength: 3 })
      .map((parts) => parts.join('')),
  },
  fc.string({ unit: 'grapheme' }),
)
const position = fc.integer({ min: 1, max: 10 ** 15 }).map((n) => String(n).padStart(16, '0'))

function within(text: string, { from, to }: { readonly from: string; readonly to: string }): boolean {
  return compareUtf8(text, from) >= 0 && compareUtf8(text, to) < 0
}

test('given any key, when its rows are written, then they lie in its range, in the order of their positions', () => {
  fc.assert(
    fc.property(key, position, position, (one, first, second) => {
      const a = heldKey('p', one, first).key
      const b = heldKey('p', one, second).key
      assert.ok(within(a, heldRange('p', one, 10)))
      assert.equal(Math.sign(compareUtf8(a, b)), first < second ? -1 : first > second ? 1 : 0)
    }),
  )
})

test('given any two keys, when they differ, then no row of one lies in the range of the other', () => {
  fc.assert(
    fc.property(key, key, position, (one, other, at) => {
      fc.pre(one !== other)
      assert.ok(!within(heldKey('p', one, at).key, heldRange('p', other, 10)))
    }),
    { numRuns: 10_000 },
  )
})

test('given a row of a key, when the next are read from the character after it, then it is left out and nothing between is', () => {
  fc.assert(
    fc.property(key, position, position, (one, first, second) => {
      fc.pre(first < second)
      const from = `${heldKey('p', one, first).key} `
      assert.ok(compareUtf8(heldKey('p', one, first).key, from) < 0)
      assert.ok(within(heldKey('p', one, second).key, { ...heldRange('p', one, 10), from }))
    }),
  )
})
