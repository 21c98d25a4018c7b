import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { idMint, timeOfUuidV7, uuidV7From } from './uuid-v7.ts'

const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('given any clock, when ids are minted, then each is a UUIDv7 and greater than the one before', () => {
  const clock = fc.array(fc.oneof(fc.nat(5), fc.integer({ min: 0, max: 2 ** 41 }), fc.double({ min: 0, max: 1e12, noNaN: true })), {
    minLength: 1,
    maxLength: 200,
  })
  fc.assert(
    fc.property(clock, fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), (times, chance) => {
      let at = 0
      const mint = idMint({ nowMs: () => times[at++ % times.length] ?? 0, random: () => chance.next().value ?? 0 })
      let before = ''
      for (let n = 0; n < 600; n++) {
        const id = mint()
        assert.match(id, shape)
        assert.ok(id > before, `${id} after ${before}`)
        before = id
      }
    }),
    { numRuns: 60 },
  )
})

test('given a clock that stands, when more ids are minted than a millisecond has room for, then time is borrowed and order kept', () => {
  const mint = idMint({ nowMs: () => 1_000, random: () => 0.999_999_999 }, 2 ** 16)
  const ids = 2 ** 15 + 1_000
  let before = mint()
  const first = before
  for (let n = 1; n < ids; n++) {
    const id = mint()
    if (id <= before) assert.fail(`${id} after ${before}`)
    before = id
  }
  assert.equal(timeOfUuidV7(first), 1_000)
  assert.equal(timeOfUuidV7(before), 1_001)
})

test('given the clock, when an id is minted, then it carries the time', () => {
  assert.equal(timeOfUuidV7(idMint({ nowMs: () => 1_735_000_000_123.9, random: Math.random })()), 1_735_000_000_123)
  assert.equal(timeOfUuidV7('018bcfe5-6800-4abc-8def-0123456789ab'), undefined)
})

test('given two processes with the same clock, when they mint, then no id is in both', () => {
  const mints = Array.from({ length: 50 }, () => idMint({ nowMs: () => 5_000, random: Math.random }))
  const all = mints.flatMap((mint) => Array.from({ length: 2_000 }, mint))
  assert.equal(new Set(all).size, all.length)
})

test('given two processes that count from the same number in one millisecond, when they mint, then the rest is chance', () => {
  const mint = (chance: number) => {
    const drawn = [0.5, chance]
    return idMint({ nowMs: () => 5_000, random: () => drawn.shift() ?? 0 })
  }
  const [one, other] = [mint(0.1), mint(0.2)]
  const ids = [one(), other()]
  assert.equal(ids[0]?.slice(0, 23), ids[1]?.slice(0, 23))
  assert.notEqual(ids[0], ids[1])
})

test('given the same time and parts, when an id is made of them, then it is for ever the same', () => {
  assert.equal(uuidV7From(1_735_000_000_123, ['charge-card', 'cause', 0, 0, 0, '{"a":1}']), '0193f60f-067b-7b36-9899-67970c82779b')
  assert.equal(uuidV7From(0, []), '00000000-0000-7e3b-8c44-298fc1c149af')
})

test('given parts that differ, when ids are made of them, then the ids differ, borders included', () => {
  const parts = fc.array(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.nat()), { maxLength: 5 })
  fc.assert(
    fc.property(parts, parts, fc.nat(), (one, other, timeMs) => {
      const id = uuidV7From(timeMs, one)
      assert.match(id, shape)
      assert.equal(timeOfUuidV7(id), timeMs)
      const same = one.length === other.length && one.every((part, at) => String(part) === String(other[at]))
      assert.equal(id === uuidV7From(timeMs, other), same)
    }),
  )
  assert.notEqual(uuidV7From(1, ['ab', 'c']), uuidV7From(1, ['a', 'bc']))
  assert.notEqual(uuidV7From(1, ['a']), uuidV7From(2, ['a']))
})
