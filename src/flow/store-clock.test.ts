import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StoreClock } from './store-clock.ts'

test('given answers that take any time on their way, when the clock is read, then it is never ahead of the store', () => {
  const step = fc.record({ passMs: fc.integer({ min: 0, max: 5_000 }), wayMs: fc.integer({ min: 0, max: 2_000 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: -4_000_000, max: 4_000_000 }), (steps, skewMs) => {
      let monotonicMs = 1_000_000
      const clock = new StoreClock({
        nowMs: () => assert.fail('asks the wall clock'),
        monotonicMs: () => monotonicMs,
        wait: async () => {},
        random: () => 0,
        soon: () => {},
      })
      const storeMs = (): number => 2_000_000_000 + monotonicMs + skewMs
      for (const { passMs, wayMs } of steps) {
        const answered = storeMs()
        monotonicMs += wayMs
        clock.note(answered)
        monotonicMs += passMs
        assert.ok(clock.nowMs() <= storeMs(), `${clock.nowMs() - storeMs()} ms ahead`)
        assert.ok(clock.nowMs() >= storeMs() - wayMs - 1)
      }
    }),
  )
})
