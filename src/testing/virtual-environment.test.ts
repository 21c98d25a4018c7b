import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VirtualEnvironment } from './virtual-environment.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const open = (seed = 1): VirtualEnvironment => new VirtualEnvironment(1_000, seed, turn)

test('given any waits, when time passes, then each ends at its own time, never early, and of equals the first comes first', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.double({ min: -5, max: 50, noNaN: true }), { maxLength: 30 }), async (waits) => {
      const environment = open()
      const ended: { readonly at: number; readonly dueMs: number; readonly nowMs: number }[] = []
      waits.forEach(
        (ms, at) => void environment.wait(ms).then(() => ended.push({ at, dueMs: Math.max(0, ms), nowMs: environment.monotonicMs() })),
      )
      while (environment.next(60)) await turn()
      assert.equal(ended.length, waits.length)
      for (const { dueMs, nowMs } of ended) assert.equal(nowMs, Math.ceil(dueMs))
      const order = ended.toSorted((a, b) => a.nowMs - b.nowMs || a.at - b.at)
      assert.deepEqual(ended, order)
    }),
    { numRuns: 50 },
  )
})

test('given a wait, when less time passes than it takes, or its signal is aborted, then it stays, or ends at once', async () => {
  const environment = open()
  const calls: string[] = []
  const calling = new AbortController()
  void environment.wait(100).then(() => calls.push('long'))
  void environment.wait(50, calling.signal).then(() => calls.push('called off'))
  assert.equal(environment.next(49), false)
  environment.goTo(49)
  assert.equal(environment.nowMs(), 1_049)
  calling.abort()
  await turn()
  assert.deepEqual(calls, ['called off'])
  assert.equal(environment.next(99), false)
  assert.equal(environment.next(100), true)
  await environment.wait(10, calling.signal)
  assert.deepEqual([calls, environment.monotonicMs(), environment.busy], [['called off', 'long'], 100, false])
})

test('given code that asks for a later without end, when the event loop is asked to turn, then it turns', async () => {
  const environment = open()
  let going = true
  const again = (): void => (going ? environment.soon(again) : undefined)
  again()
  assert.equal(environment.busy, true)
  await turn()
  going = false
  await turn()
  assert.equal(environment.busy, false)
})

test('given a seed, when chance is asked, then it is the same again, and another for another seed', () => {
  const drawn = (seed: number): readonly number[] =>
    Array.from(
      { length: 5 },
      (
        (environment) => () =>
          environment.random()
      )(open(seed)),
    )
  assert.deepEqual(drawn(3), drawn(3))
  assert.notDeepEqual(drawn(3), drawn(4))
})
