/** A store that refuses, is full, or loses its answer: nothing is lost or doubled, and one bad member fails alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change } from '../../src/ports/store.ts'
import { fault } from '../../src/kit/fault.ts'
import { consumer, note, numberOf } from './consumer.ts'
import { engines, happened, ids, lostAnswer, Stage } from './stage.ts'

const hasEffect = (change: Change): boolean => change.puts.some(({ kind }) => kind === 'effect')
const ofLane = (change: Change): boolean => change.puts.some(({ kind }) => kind === 'lane')

for (const engine of engines) {
  test(`given a disk that is full, when there is room again, then all is done once, in order, no attempt lost (${engine})`, async () => {
    const stage = await Stage.open(engine)
    const attempts = new Set<number>()
    let refused = 0
    stage.door = (change) => {
      if (!ofLane(change) || stage.nowMs < 50 || stage.nowMs > 2_000) return undefined
      refused += 1
      return fault('STORE_FULL')
    }
    await stage.life(({ environment }) => [
      consumer({
        async run(turn) {
          attempts.add(turn.attempt)
          await environment.wait(environment.random() * 40)
          note(turn)
        },
      }),
    ])
    for (let batch = 0; batch < 10; batch += 1) {
      await stage.publish(Array.from({ length: 10 }, (_, i) => happened(batch * 10 + i, `key ${i % 4}`)))
      await stage.pass(20)
    }
    await stage.pass(20_000)
    assert.ok(refused > 10)
    assert.equal(stage.effects.length, 100)
    assert.equal(new Set(ids(stage.effects)).size, 100)
    for (let key = 0; key < 4; key += 1) {
      const order = ids(stage.effects)
        .map(Number)
        .filter((n) => (n % 10) % 4 === key)
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      )
    }
    assert.deepEqual([...attempts], [1])
    const { counts, holes } = await stage.record('f')
    assert.deepEqual({ done: counts.done, failed: counts.failed, holes }, { done: 100, failed: 0, holes: [] })
  })

  test(`given a store that loses every second answer, when turns commit, then effects and emits stand once (${engine})`, async () => {
    const stage = await Stage.open(engine)
    let commits = 0
    stage.door = (change) => (ofLane(change) && hasEffect(change) && commits++ % 2 === 0 ? 'lost' : undefined)
    await stage.life(() => [
      consumer({
        run(turn) {
          note(turn)
          turn.append(happened(`of ${numberOf(turn)}`, 'b', {}, { type: 'Emitted' }))
        },
      }),
    ])
    for (let n = 0; n < 20; n += 1) {
      await stage.publish([happened(n, `key ${n % 3}`)])
      await stage.pass(5)
    }
    await stage.pass(10_000)
    assert.equal(stage.effects.length, 20)
    assert.equal((await stage.log()).filter(({ type }) => type === 'Emitted').length, 20)
    const { counts, epoch } = await stage.record('f')
    assert.deepEqual({ failed: counts.failed, done: counts.done, epoch }, { failed: 0, done: 20, epoch: 1 })
  })

  test(`given a turn that stages more than a commit takes, when it shares a wave, then it alone parks (${engine})`, async () => {
    const stage = await Stage.open(engine, { limits: { rowBytes: 1_000 } })
    await stage.life(() => [
      consumer({
        run(turn) {
          note(turn)
          if (numberOf(turn) === 5) turn.put({ kind: 'large', part: 'f', key: 'a' }, 'x'.repeat(2_000))
        },
      }),
    ])
    await stage.publish(Array.from({ length: 20 }, (_, n) => happened(n, `key ${n % 10}`)))
    await stage.pass(10_000)
    assert.deepEqual(
      ids(stage.effects)
        .map(Number)
        .toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, n) => n).filter((n) => n % 10 !== 5),
    )
    const holds = await stage.holds('f')
    assert.deepEqual(
      [...holds].map(([key, { state, error, count }]) => ({ key, state, code: error?.code, count })),
      [{ key: 'key 5', state: 'parked', code: 'WAVE_TOO_LARGE', count: 2 }],
    )
  })

  test(`given a turn that stages what no store can keep, when it shares a wave, then it alone parks (${engine})`, async () => {
    const stage = await Stage.open(engine)
    await stage.life(() => [
      consumer({
        run(turn) {
          note(turn)
          if (numberOf(turn) === 5) turn.put({ kind: 'odd', part: 'f', key: '\ud800' }, 'half a pair')
        },
      }),
    ])
    await stage.publish(Array.from({ length: 10 }, (_, n) => happened(n, `key ${n}`)))
    await stage.pass(2_000)
    assert.equal(stage.effects.length, 9, 'the others are done')
    const holds = await stage.holds('f')
    assert.deepEqual(
      [...holds].map(([key, { state, error }]) => ({ key, state, code: error?.code })),
      [{ key: 'key 5', state: 'parked', code: 'CHANGE_INVALID' }],
    )
  })

  test(`given turns that emit under one id, when they commit, then it stands once and the lane goes on (${engine})`, async () => {
    const stage = await Stage.open(engine)
    await stage.life(() => [
      consumer({
        run(turn) {
          note(turn)
          turn.append(happened('same', 'b', {}, { type: 'Emitted' }))
        },
      }),
    ])
    await stage.publish([1, 2, 3].map((n) => happened(n, `key ${n}`)))
    await stage.pass(10_000)
    assert.equal(stage.effects.length, 3)
    assert.equal((await stage.log()).filter(({ type }) => type === 'Emitted').length, 1)
  })
}

test('given a failing event whose key is too long for a row, when it fails, then the rest of the lane goes on', async () => {
  const stage = await Stage.open('memory')
  await stage.life(() => [
    consumer({
      policy: { retry: { attempts: 2, fromMs: 10, toMs: 10 } },
      run(turn) {
        if (numberOf(turn) === 1) throw new Error('fails')
        note(turn)
      },
    }),
  ])
  await stage.publish([happened(1, 'k'.repeat(1_100)), happened(2, 'b')])
  await stage.pass(1_000)
  await stage.publish([happened(3, 'c')])
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['2', '3'])
})

test('given more waiting events of a key than a commit can take, when its head fails, then all are held in the end', async () => {
  const stage = await Stage.open('memory', { limits: { items: 60 } })
  let fails = true
  await stage.life(({ environment }) => [
    consumer({
      policy: { retry: { attempts: 1, fromMs: 10, toMs: 10 } },
      async run(turn) {
        await environment.wait(50)
        if (fails) throw new Error('fails')
        note(turn)
      },
    }),
  ])
  for (let n = 0; n < 20; n += 1) await stage.publish(Array.from({ length: 10 }, (_, i) => happened(n * 10 + i, 'a')))
  await stage.pass(10_000)
  assert.equal((await stage.holds('f')).get('a')?.count, 200)
  fails = false
  await stage.request('f', '0-1023', { op: 'redrive', key: 'a', by: 'ann', atMs: 1 })
  await stage.pass(60_000)
  assert.deepEqual(
    ids(stage.effects).map(Number),
    Array.from({ length: 200 }, (_, n) => n),
  )
})

test('given an answer that is lost for good, when the owner looks, then it goes by its own row and not by hope', async () => {
  const stage = await Stage.open('memory')
  let lost = 0
  stage.door = (change) => (ofLane(change) && hasEffect(change) && lost++ < 5 ? lostAnswer() : undefined)
  await stage.life(() => [consumer()])
  await stage.publish([happened(1, 'a')])
  await stage.pass(10_000)
  assert.deepEqual(ids(stage.effects), ['1'])
})
