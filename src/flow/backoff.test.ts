import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backoffMs } from './backoff.ts'

const retry = { attempts: 6, fromMs: 200, toMs: 60_000 }

test('given full chance, when attempts fail one after another, then the wait doubles up to the cap', () => {
  const most = [1, 2, 3, 4, 9, 10, 60, 5_000].map((attempt) => backoffMs(retry, attempt, 0.999_999_999))
  assert.deepEqual(most, [200, 400, 800, 1_600, 51_200, 60_000, 60_000, 60_000])
})

test('given any attempt and chance, when a wait is drawn, then it is whole, below the cap, and spread over all of it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 0.999_999, noNaN: true }), (attempt, chance) => {
      const most = Math.min(retry.toMs, retry.fromMs * 2 ** (attempt - 1))
      const ms = backoffMs(retry, attempt, chance)
      assert.ok(Number.isInteger(ms) && ms >= 0 && ms <= most)
      assert.ok(Math.abs(ms - most * chance) <= 1)
    }),
  )
})
