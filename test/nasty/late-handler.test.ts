/** Handlers that do not come back in time: what they stage later has no effect, and attempts overlap only where a grace is over. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '../../src/kit/fault.ts'
import type { Turn } from '../../src/flow/turn.ts'
import { consumer, note, numberOf } from './consumer.ts'
import { effectOf, engines, happened, ids, Stage } from './stage.ts'

const quick = { timeoutMs: 1_000, graceMs: 500, retry: { attempts: 3, fromMs: 10, toMs: 10 } }

for (const engine of engines) {
  test(`given a handler past its time, when it emits after its retry committed, then one effect, and TURN_CLOSED (${engine})`, async () => {
    const stage = await Stage.open(engine)
    const late: unknown[] = []
    const attempts: number[] = []
    const attempt = (call: () => void): void => {
      try {
        call()
      } catch (thrown) {
        late.push(thrown)
      }
    }
    await stage.life(({ environment }) => [
      consumer({
        policy: quick,
        async run(turn) {
          attempts.push(turn.attempt)
          if (turn.attempt > 1) return note(turn)
          await environment.wait(5_000)
          assert.ok(turn.signal.aborted && !turn.open)
          const { event } = turn.taken[0] ?? assert.fail()
          attempt(() => turn.put(effectOf('f', event), 'late'))
          attempt(() => turn.append(happened('late', 'a')))
          attempt(() => turn.delete(effectOf('f', event)))
          attempt(() => turn.repeated())
          await turn.get(effectOf('f', event)).catch((thrown: unknown) => late.push(thrown))
        },
      }),
    ])
    await stage.publish([happened(1, 'a')])
    await stage.pass(10_000)
    assert.deepEqual(attempts, [1, 2])
    assert.deepEqual(
      stage.effects.map(({ value }) => value),
      ['1'],
    )
    assert.equal((await stage.log()).length, 1)
    assert.equal(late.length, 5)
    for (const thrown of late) assert.ok(isFault(thrown, 'TURN_CLOSED'), String(thrown))
    assert.match(String(late[0]), /f: its time was up/)
  })
}

test('given a handler that returned, when what it did not await stages, then it gets TURN_CLOSED and has no effect', async () => {
  const stage = await Stage.open('memory')
  const late: unknown[] = []
  await stage.life(({ environment }) => [
    consumer({
      run(turn) {
        note(turn)
        void environment
          .wait(100)
          .then(() => turn.put({ kind: 'effect', part: 'f', key: 'stray' }, '1'))
          .catch((thrown: unknown) => late.push(thrown))
      },
    }),
  ])
  await stage.publish([happened(1, 'a')])
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['1'])
  assert.ok(isFault(late[0], 'TURN_CLOSED'))
})

test('given a handler that runs on after its time, when it settles within the grace, then the next attempt begins only then', async () => {
  const stage = await Stage.open('memory')
  const times = new Map<string, number>()
  await stage.life(({ environment }) => [
    consumer({
      policy: { ...quick, graceMs: 5_000 },
      async run(turn) {
        times.set(`begins ${turn.attempt}`, stage.nowMs)
        if (turn.attempt === 1) await environment.wait(3_000)
        times.set(`ends ${turn.attempt}`, stage.nowMs)
      },
    }),
  ])
  await stage.publish([happened(1, 'a')])
  await stage.pass(10_000)
  const firstEnds = times.get('ends 1') ?? assert.fail()
  const secondBegins = times.get('begins 2') ?? assert.fail()
  assert.ok(secondBegins >= firstEnds && secondBegins < firstEnds + 50, `${firstEnds} ${secondBegins}`)
})

test('given a handler that never settles, when its time and one grace are over, then the next attempt begins, and not before', async () => {
  const stage = await Stage.open('memory')
  const begins: number[] = []
  await stage.life(() => [
    consumer({
      policy: quick,
      run(turn) {
        begins.push(stage.nowMs)
        return turn.attempt === 1 ? new Promise(() => {}) : undefined
      },
    }),
  ])
  await stage.publish([happened(1, 'a')])
  await stage.pass(10_000)
  const [first = 0, second = 0] = begins
  assert.equal(begins.length, 2)
  assert.ok(second - first >= 1_500 && second - first < 1_600, `${second - first}`)
})

test('given handlers that never settle, when as many are abandoned as may be, then nothing starts until one settles', async () => {
  const stage = await Stage.open('memory')
  const open: (() => void)[] = []
  const started: number[] = []
  await stage.life(
    () => [
      consumer({
        policy: { ...quick, retry: { attempts: 1, fromMs: 10, toMs: 10 } },
        run(turn) {
          started.push(numberOf(turn))
          if (numberOf(turn) > 3) return note(turn)
          return new Promise((resolve) => void open.push(resolve))
        },
      }),
    ],
    { settings: { abandonedMax: 3 } },
  )
  await stage.publish([1, 2, 3].map((n) => happened(n, `key ${n}`)))
  await stage.pass(5_000)
  await stage.publish([4, 5, 6].map((n) => happened(n, `key ${n}`)))
  await stage.pass(60_000)
  assert.deepEqual(started, [1, 2, 3])
  assert.deepEqual(ids(stage.effects), [])
  open[0]?.()
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects).toSorted(), ['4', '5', '6'])
  assert.ok(stage.heard('warn', /still runs after its time and its grace/))
})

test('given a process that stands still for longer than the time-out, when it goes on, then no attempt was lost', async () => {
  const stage = await Stage.open('memory')
  const attempts: number[] = []
  const life = await stage.life(({ environment }) => [
    consumer({
      policy: quick,
      async run(turn: Turn) {
        attempts.push(turn.attempt)
        await environment.wait(900)
        note(turn)
      },
    }),
  ])
  await stage.publish([happened(1, 'a')])
  await stage.pass(300)
  stage.world.pause(life.process)
  await stage.pass(60_000)
  stage.world.resume(life.process)
  await stage.pass(10_000)
  assert.deepEqual(attempts, [1])
  assert.deepEqual(ids(stage.effects), ['1'])
})

test('given a standstill right after a time-out, when it is over, then the next attempt still waits for the old one', async () => {
  const stage = await Stage.open('memory')
  const story: string[] = []
  const life = await stage.life(({ environment }) => [
    consumer({
      policy: quick,
      async run(turn) {
        story.push(`begins ${turn.attempt}`)
        if (turn.attempt > 1) return
        for (let step = 0; step < 13; step += 1) await environment.wait(100)
        story.push('ends 1')
      },
    }),
  ])
  await stage.publish([happened(1, 'a')])
  await stage.pass(1_100)
  stage.world.pause(life.process)
  await stage.pass(60_000)
  stage.world.resume(life.process)
  await stage.pass(10_000)
  assert.deepEqual(story, ['begins 1', 'ends 1', 'begins 2'])
})
