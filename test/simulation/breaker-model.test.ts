import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { closed, settle, type Breaker } from '../../src/flow/breaker.ts'
import { BreakerModel } from './breaker-model.ts'

const policy = { share: 0.5, of: 6, keys: 2, restMs: 1_000 }

test('given any outcomes, when the model hears of them, then it rests for as long as the breaker does, and has opened as often', () => {
  const outcome = fc.record({ key: fc.constantFrom('a', 'b', 'c'), well: fc.boolean() })
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 60 }), (outcomes) => {
      const model = new BreakerModel(policy)
      let breaker: Breaker = closed
      let openings = 0
      for (const [atMs, { key, well }] of outcomes.entries()) {
        const rested = restOf(breaker)
        breaker = settle(breaker, { key, well }, policy, atMs)
        if (rested === undefined && restOf(breaker) !== undefined) openings += 1
        model.ended({ atUs: atMs * 1_000, key, well })
        assert.equal(model.restsUntilUs(atMs * 1_000 + 1), restOf(breaker))
      }
      assert.equal(model.openings, openings)
    }),
  )
})

test('given an open breaker, when a turn goes well at the instant of the question, then nobody says that it rests', () => {
  const model = new BreakerModel(policy)
  for (const key of ['a', 'b', 'c']) model.ended({ atUs: 10, key, well: false })
  assert.equal(model.restsUntilUs(11), 1_000_010)
  model.ended({ atUs: 20, key: 'a', well: true })
  assert.equal(model.restsUntilUs(20), undefined)
  assert.equal(model.restsUntilUs(21), undefined)
})

function restOf(breaker: Breaker): number | undefined {
  return breaker.phase === 'open' ? breaker.untilMs * 1_000 : undefined
}
