/** Old and new code side by side, and events whose meaning changes while they wait. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Look } from '../../src/flow/subscription.ts'
import { fault, isFault } from '../../src/kit/fault.ts'
import type { Placed } from '../../src/ports/store.ts'
import { consumer, note } from './consumer.ts'
import { engines, happened, ids, Stage } from './stage.ts'

const beats = { leaseMs: 2_000, beatMs: 500 }

for (const engine of engines) {
  test(`given old and new code on one store, when the new goes and comes back, then keys are held, not parked (${engine})`, async () => {
    const stage = await Stage.open(engine, { writers: 'many', lanes: 2 })
    const old = () => [consumer({ knows: 2 })]
    const today = () => [consumer({ knows: 3 })]
    const events = (from: number, version: number) =>
      Array.from({ length: 8 }, (_, i) => happened(from + i, `key ${i % 4}`, {}, { version }))
    await stage.life(old, { settings: beats })
    await stage.publish(events(0, 2))
    await stage.pass(5_000)
    const newer = await stage.life(today, { settings: beats, generation: 1 })
    await stage.pass(10_000)
    await stage.publish(events(10, 3))
    await stage.pass(1_000)
    await newer.stop()
    await stage.publish([...events(20, 3), ...events(30, 2)])
    await stage.pass(20_000)
    const holds = await stage.holds('f')
    assert.deepEqual([...holds.keys()].toSorted(), ['key 0', 'key 1', 'key 2', 'key 3'])
    assert.deepEqual(new Set([...holds.values()].map(({ state }) => state)), new Set(['version']))
    assert.equal(stage.effects.length, 16)
    await stage.life(today, { settings: beats, generation: 1 })
    await stage.pass(30_000)
    assert.equal((await stage.holds('f')).size, 0)
    assert.equal(stage.effects.length, 32)
    for (let key = 0; key < 4; key += 1) {
      const order = ids(stage.effects)
        .map(Number)
        .filter((n) => (n % 10) % 4 === key)
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      )
    }
  })

  test(`given an event that failed at part 2 of a split, when redriven with another split, then each part once (${engine})`, async () => {
    const stage = await Stage.open(engine)
    let split = ['address', 'name', 'phone']
    let fails = true
    const look = (event: Placed): Look => ({ is: 'run', key: event.key, parts: split })
    const subscriptions = () => [
      consumer({
        look,
        policy: { retry: { attempts: 2, fromMs: 10, toMs: 10 } },
        run(turn) {
          for (const part of (turn.taken[0]?.parts ?? []) as readonly string[]) {
            if (part === 'name' && fails) throw new Error('no name')
            turn.put({ kind: 'effect', part: 'f', key: part }, part)
          }
        },
      }),
    ]
    const first = await stage.life(subscriptions)
    await stage.publish([happened(1, 'a')])
    await stage.pass(1_000)
    assert.deepEqual(ids(stage.effects), [])
    assert.equal((await stage.holds('f')).get('a')?.state, 'parked')
    await first.stop()
    split = ['name', 'phone', 'address']
    fails = false
    await stage.life(subscriptions)
    await stage.request('f', '0-1023', { op: 'redrive', key: 'a', by: 'ann', atMs: 1 })
    await stage.pass(1_000)
    assert.deepEqual(ids(stage.effects), split)
  })
}

test('given an event that cannot be decoded, when it arrives, then it parks at once, without an attempt', async () => {
  const stage = await Stage.open('memory')
  let runs = 0
  const look = (event: Placed): Look =>
    event.id === '2'
      ? { is: 'fault', key: event.key, fault: fault('UPCAST_FAILED', 'no currency') }
      : { is: 'run', key: event.key, parts: [{}] }
  await stage.life(() => [
    consumer({
      look,
      run(turn) {
        runs += 1
        note(turn)
      },
    }),
  ])
  await stage.publish([happened(1, 'a'), happened(2, 'a'), happened(3, 'a'), happened(4, 'b')])
  await stage.pass(100)
  const hold = (await stage.holds('f')).get('a')
  assert.deepEqual(
    { state: hold?.state, attempt: hold?.attempt, count: hold?.count, code: hold?.error?.code },
    { state: 'parked', attempt: 0, count: 2, code: 'UPCAST_FAILED' },
  )
  assert.deepEqual(ids(stage.effects), ['1', '4'])
  assert.equal(runs, 2)
})

test('given a key held at an unknown version, when code that knows it is deployed, then it drains in order', async () => {
  const stage = await Stage.open('memory')
  const old = await stage.life(() => [consumer({ knows: 1 })])
  await stage.publish([happened(1, 'a'), happened(2, 'a', {}, { version: 2 }), happened(3, 'a'), happened(4, 'b')])
  await stage.pass(100)
  assert.deepEqual(ids(stage.effects), ['1', '4'])
  assert.equal((await stage.record('f')).counts.parked, 0)
  await old.stop()
  await stage.life(() => [consumer({ knows: 2 })])
  await stage.pass(100)
  assert.deepEqual(ids(stage.effects), ['1', '4', '2', '3'])
})

test('given a waiting retry whose event today’s code no longer wants, when it is due, then it settles without a run', async () => {
  const stage = await Stage.open('memory')
  let wanted = true
  const look = (event: Placed): Look => (wanted || event.id !== '1' ? { is: 'run', key: event.key, parts: [{}] } : { is: 'skip' })
  const subscriptions = () => [
    consumer({
      look,
      policy: { retry: { attempts: 9, fromMs: 60_000, toMs: 60_000 } },
      run(turn) {
        if (turn.taken[0]?.event.id === '1') throw new Error('fails')
        note(turn)
      },
    }),
  ]
  const first = await stage.life(subscriptions)
  await stage.publish([happened(1, 'a'), happened(2, 'a')])
  await stage.pass(100)
  await first.stop()
  wanted = false
  await stage.life(subscriptions)
  await stage.pass(120_000)
  assert.deepEqual(ids(stage.effects), ['2'])
  assert.equal((await stage.holds('f')).size, 0)
})

test('given an order key that cannot be computed, when merged, then it stands there, loudly, until discarded', async () => {
  const stage = await Stage.open('memory', { lanes: 4 })
  const subscriptions = () => [consumer({ merged: true, key: (event) => (event.id === '2' ? undefined : 'all') })]
  const first = await stage.life(subscriptions)
  await stage.publish([happened(1, 'a'), happened(2, 'b'), happened(3, 'c')])
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['1'])
  assert.ok(stage.heard('error', /stands at an event whose order key cannot be computed/))
  await first.stop()
  await stage.life(subscriptions)
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['1'])
  await stage.request('f', '*', { op: 'discard', by: 'ann', atMs: 1 })
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['1', '3'])
  assert.equal((await stage.record('f', '*')).counts.discarded, 1)
})

test('given a merged subscription that stands, when code that can compute the key is deployed, then it goes on', async () => {
  const stage = await Stage.open('memory', { lanes: 4 })
  const first = await stage.life(() => [consumer({ merged: true, key: (event) => (event.id === '2' ? undefined : 'all') })])
  await stage.publish([happened(1, 'a'), happened(2, 'b'), happened(3, 'c')])
  await stage.pass(1_000)
  await first.stop()
  await stage.life(() => [consumer({ merged: true, key: () => 'all' })])
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['1', '2', '3'])
})

test('given a store without an order over lanes, when a merged subscription is deployed, then it is refused by name', async () => {
  const stage = await Stage.open('memory', { lanes: 4, limits: { order: 'lane' } })
  await assert.rejects(
    stage.life(() => [consumer({ name: 'totals', merged: true })]),
    (thrown) => isFault(thrown, 'NO_ORDER_OVER_LANES') && /totals/.test(thrown.message),
  )
})
