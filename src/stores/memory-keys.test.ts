/** Sorted keys against a plain sorted list, and the order of UTF-8 against the bytes themselves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareUtf8 } from '../kit/utf8-order.ts'
import { SortedKeys } from './memory-keys.ts'

const text = fc.string({ unit: 'binary', maxLength: 6 })

test('given any two texts, when they are compared, then they stand as their UTF-8 bytes do', () => {
  fc.assert(
    fc.property(text, text, (a, b) => assert.equal(Math.sign(compareUtf8(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)))),
    { numRuns: 2_000 },
  )
})

test('given any keys added and removed, when a range is walked, then it has what a sorted list has, from both ends', () => {
  const step = fc.record({ add: fc.boolean(), keys: fc.array(fc.nat(3_000).map(String), { maxLength: 1_500, size: 'max' }) })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 6 }),
      fc.nat(3_000).map(String),
      fc.oneof(fc.constant(''), fc.nat(3_000).map(String)),
      (steps, from, to) => {
        const sorted = new SortedKeys()
        const plain = new Set<string>()
        for (const { add, keys } of steps) {
          for (const key of keys) {
            if (add) sorted.add(key)
            else sorted.remove(key)
            if (add) plain.add(key)
            else plain.delete(key)
          }
        }
        const within = [...plain].filter((key) => key >= from && (to === '' || key < to)).toSorted()
        assert.deepEqual([...sorted.between(from, to)], within)
        assert.deepEqual([...sorted.backwards(from, to)], within.toReversed())
      },
    ),
    { numRuns: 30 },
  )
})
