import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { slotCount, slotOf } from './slot.ts'

test('given these keys, when their slots are asked, then they are these for ever', () => {
  const vectors: readonly (readonly [string, number])[] = [
    ['', 11],
    ['a', 435],
    ['order-1', 668],
    ['order-2', 704],
    ['kunde-ä', 258],
    ['😀', 10],
    ['\ud800', 570],
    ['0193f618-487b-75f7-a83a-6cbfa30ac06f', 1_015],
    ['x'.repeat(1_000), 594],
  ]
  for (const [key, slot] of vectors) assert.equal(slotOf(key), slot, JSON.stringify(key))
})

test('given any key, when its slot is asked, then it is a whole number from 0 to 1023, the same for equal keys', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (key) => {
      const slot = slotOf(key)
      assert.ok(Number.isInteger(slot) && slot >= 0 && slot < slotCount)
      assert.equal(slotOf(`${key}`), slot)
    }),
  )
})

test('given keys as people make them, when 102,400 of each kind are spread, then every slot has its share', () => {
  const kinds = [
    (n: number) => `order-${n}`,
    (n: number) => String(n),
    (n: number) => `kunde-ä-${n}`,
    (n: number) => `acct_${(n * 7_919).toString(36)}`,
  ]
  for (const kind of kinds) {
    const counts = new Array<number>(slotCount).fill(0)
    for (let n = 0; n < 102_400; n++) counts[slotOf(kind(n))] = (counts[slotOf(kind(n))] ?? 0) + 1
    const chiSquare = counts.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0)
    assert.ok(chiSquare < 1_023 + 5 * Math.sqrt(2 * 1_023), `${kind(1)}: chi square ${chiSquare}`)
    assert.ok(Math.min(...counts) > 50 && Math.max(...counts) < 160, `${kind(1)}: ${Math.min(...counts)} to ${Math.max(...counts)}`)
  }
})
