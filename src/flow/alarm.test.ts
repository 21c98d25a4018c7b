import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SimEnvironment } from '../testing/sim-environment.ts'
import { SimWorld } from '../testing/sim-world.ts'
import { Alarm } from './alarm.ts'

function alarmIn(seed = 1): {
  readonly world: SimWorld
  readonly alarm: Alarm
  readonly nowMs: () => number
  run(ms: number): Promise<void>
} {
  const world = new SimWorld(seed)
  const environment = new SimEnvironment(world, world.spawn('one', 0), { share: 0.3, mostUs: 5_000 })
  return { world, alarm: new Alarm(environment), nowMs: () => world.nowUs / 1_000, run: (ms) => world.run(world.nowUs + ms * 1_000) }
}

test('given any times, some set by what rings, when time passes, then each rings once, never early, hardly late', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: -10, max: 2_000 }), fc.option(fc.integer({ min: 0, max: 500 }))), { maxLength: 40 }),
      fc.integer({ min: 0, max: 1_000 }),
      async (asked, seed) => {
        const { alarm, nowMs, run, world } = alarmIn(seed)
        const rung: { dueMs: number; atMs: number }[] = []
        const set = (ms: number, then: number | null): void => {
          const dueMs = nowMs() + ms
          alarm.in(ms, () => {
            rung.push({ dueMs, atMs: nowMs() })
            if (then !== null) set(then, null)
          })
        }
        for (const [ms, then] of asked) set(ms, then)
        await run(10_000)
        assert.equal(world.failure, undefined)
        assert.equal(rung.length, asked.length + asked.filter(([, then]) => then !== null).length)
        for (const { dueMs, atMs } of rung)
          assert.ok(atMs >= dueMs - 0.001 && atMs <= Math.max(0, dueMs) + 20, `due at ${dueMs}, rung at ${atMs}`)
      },
    ),
    { numRuns: 60 },
  )
})

test('given a wait for something late, when something earlier is set, then it rings at its own time', async () => {
  const { alarm, nowMs, run } = alarmIn()
  const rung: number[] = []
  alarm.in(1_000, () => rung.push(nowMs()))
  await run(100)
  alarm.in(50, () => rung.push(nowMs()))
  await run(2_000)
  const [first = 0, second = 0] = rung
  assert.ok(first >= 150 && first < 160, `${first}`)
  assert.ok(second >= 1_000 && second < 1_010, `${second}`)
})

test('given an alarm that is stopped, when time passes, then nothing rings, and what is set later never does', async () => {
  const { alarm, run } = alarmIn()
  const rung: string[] = []
  alarm.in(10, () => rung.push('before'))
  alarm.stop()
  alarm.in(20, () => rung.push('after'))
  await run(1_000)
  assert.deepEqual(rung, [])
})
