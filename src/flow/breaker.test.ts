import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { closed, decodeBreaker, encodeBreaker, probeKey, settle, type Breaker, type Outcome } from './breaker.ts'

const policy = { share: 0.5, of: 20, keys: 5, restMs: 30_000 }
const outcome = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), well: fc.boolean() }, { noNullPrototype: true })

function after(outcomes: readonly Outcome[], from: Breaker = closed): Breaker {
  return outcomes.reduce((breaker, one) => settle(breaker, one, policy, 1_000), from)
}

test('given one key that always fails among any others that go well, when any number of calls end, then the breaker never opens', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant('poison') }, fc.constantFrom('b', 'c', 'd', 'e', 'f')), { maxLength: 400 }),
      (keys) => {
        let breaker: Breaker = closed
        for (const key of keys) {
          breaker = settle(breaker, { key, well: key !== 'poison' }, policy, 0)
          assert.equal(breaker.phase, 'closed')
        }
      },
    ),
  )
})

test('given any outcomes, when they are told, then it opens exactly where half of the last 20 failed over at least 5 keys', () => {
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 120 }), fc.integer({ min: 1, max: 7 }), (drawn, keys) => {
      const outcomes = drawn.map(({ key, well }) => ({ key: String(key.charCodeAt(0) % keys), well }))
      let breaker: Breaker = closed
      const last: Outcome[] = []
      for (const one of outcomes) {
        last.push(one)
        if (last.length > 20) last.shift()
        breaker = settle(breaker, one, policy, 0)
        const failed = last.filter(({ well }) => !well)
        assert.equal(breaker.phase, failed.length >= 10 && new Set(failed.map(({ key }) => key)).size >= 5 ? 'open' : 'closed')
        if (breaker.phase === 'open') return
      }
    }),
  )
})

test('given only calls that go well, when they are told, then nothing is recorded: it is the very same breaker', () => {
  assert.equal(after(Array.from({ length: 100 }, (_, n) => ({ key: `key ${n}`, well: true }))), closed)
})

test('given a total outage, when calls fail, then ten calls open it', () => {
  const outcomes = Array.from({ length: 9 }, (_, n) => ({ key: `key ${n}`, well: false }))
  assert.equal(after(outcomes).phase, 'closed')
  assert.deepEqual(after([...outcomes, { key: 'key 9', well: false }]), { phase: 'open', untilMs: 31_000, probed: [] })
})

test('given an open breaker, when one call goes well, then it is closed, and remembers nothing', () => {
  const open: Breaker = { phase: 'open', untilMs: 1, probed: ['a'] }
  assert.equal(settle(open, { key: 'b', well: true }, policy, 5), closed)
})

test('given an open breaker, when probes fail, then it rests again, and each probe is another key’s until all were asked', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 20 }), (keys) => {
      let breaker: Breaker = { phase: 'open', untilMs: 0, probed: [] }
      const asked: string[] = []
      for (let round = 0; round < 3 * keys.length; round += 1) {
        if (breaker.phase !== 'open') return assert.fail()
        const key = probeKey(breaker, keys)
        if (key === undefined) return assert.fail()
        asked.push(key)
        breaker = settle(breaker, { key, well: false }, policy, round)
        assert.equal(breaker.phase === 'open' && breaker.untilMs, round + policy.restMs)
      }
      for (let round = 0; round < 3; round += 1)
        assert.equal(new Set(asked.slice(round * keys.length, (round + 1) * keys.length)).size, keys.length)
    }),
  )
  assert.equal(probeKey({ phase: 'open', untilMs: 0, probed: [] }, []), undefined)
})

test('given any breaker, when it is written and read, then it is the same', () => {
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 60 }), (outcomes) =>
      assert.deepEqual(decodeBreaker(encodeBreaker(after(outcomes))), after(outcomes)),
    ),
  )
})
