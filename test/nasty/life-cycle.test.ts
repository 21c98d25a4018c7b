/** Beginning, pausing, stopping, being renamed: what of it is durable, and where a subscription begins. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fault, isFault } from '../../src/kit/fault.ts'
import { consumer, note, numberOf } from './consumer.ts'
import { engines, happened, ids, Stage } from './stage.ts'

for (const engine of engines) {
  test(`given a paused subscription, when the process restarts, then it is paused still, until resume (${engine})`, async () => {
    const stage = await Stage.open(engine, { lanes: 4 })
    const first = await stage.life(() => [consumer()])
    await stage.publish([happened(1, 'a')])
    await stage.pass(100)
    await stage.control('f', true)
    await stage.pass(2_000)
    await stage.publish([2, 3, 4, 5].map((n) => happened(n, `key ${n}`)))
    await stage.pass(10_000)
    assert.deepEqual(ids(stage.effects), ['1'])
    await first.stop()
    await stage.life(() => [consumer()])
    await stage.pass(10_000)
    assert.deepEqual(ids(stage.effects), ['1'])
    await stage.control('f', false)
    await stage.pass(2_000)
    assert.deepEqual(ids(stage.effects).toSorted(), ['1', '2', '3', '4', '5'])
  })

  test(`given turns under way, when it stops, then those that end in time commit, the others abort uncounted (${engine})`, async () => {
    const stage = await Stage.open(engine)
    const attempts: [number, number][] = []
    const aborted: number[] = []
    const subscriptions =
      (last: boolean) =>
      ({ environment }: { environment: { wait(ms: number): Promise<void> } }) => [
        consumer({
          async run(turn) {
            attempts.push([numberOf(turn), turn.attempt])
            turn.signal.addEventListener('abort', () => aborted.push(numberOf(turn)))
            await environment.wait(last ? 1 : numberOf(turn) * 1_000)
            note(turn)
          },
        }),
      ]
    const first = await stage.life(subscriptions(false), { settings: { drainMs: 3_000 } })
    // 11 stands behind 1: it must not start any more.
    await stage.publish([1, 5, 11].map((n) => happened(n, `key ${n % 10}`)))
    await stage.pass(10)
    const stopping = first.flow.stop()
    await stage.pass(10)
    await stage.publish([happened(2, 'key 2')])
    await stage.wait(stopping)
    assert.deepEqual(ids(stage.effects), ['1'])
    assert.deepEqual(aborted, [5])
    assert.equal((await stage.record('f')).owner, '')
    await stage.pass(10_000)
    assert.deepEqual(ids(stage.effects), ['1'])
    await stage.life(subscriptions(true))
    await stage.pass(1_000)
    assert.deepEqual(ids(stage.effects).toSorted(), ['1', '11', '2', '5'])
    assert.deepEqual(
      attempts.toSorted(([a], [b]) => a - b),
      [
        [1, 1],
        [2, 1],
        [5, 1],
        [5, 1],
        [11, 1],
      ],
    )
    assert.equal((await stage.rows('start', 'f/0-1023')).length, 0)
  })

  test(`given subscriptions from now, start, an instant, when events stand around, then each has its own (${engine})`, async () => {
    const stage = await Stage.open(engine, { lanes: 4 })
    await stage.publish([1, 2].map((n) => happened(n, `key ${n}`)))
    await stage.pass(10_000)
    const instant = Math.floor(stage.world.nowMs)
    await stage.publish([3, 4].map((n) => happened(n, `key ${n}`)))
    const subscriptions = () => [
      consumer({ name: 'now', from: 'now' }),
      consumer({ name: 'start', from: 'start' }),
      consumer({ name: 'instant', from: instant }),
      consumer({ name: 'merged', from: 'now', merged: true }),
    ]
    const first = await stage.life(subscriptions)
    await stage.publish([5, 6].map((n) => happened(n, `key ${n}`)))
    await stage.pass(100)
    await first.stop()
    await stage.publish([7].map((n) => happened(n, `key ${n}`)))
    await stage.life(subscriptions)
    await stage.pass(100)
    const of = (part: string): readonly string[] => ids(stage.effects.filter((effect) => effect.part === part)).toSorted()
    assert.deepEqual(of('now'), ['5', '6', '7'])
    assert.deepEqual(of('merged'), ['5', '6', '7'])
    assert.deepEqual(of('start'), ['1', '2', '3', '4', '5', '6', '7'])
    assert.deepEqual(of('instant'), ['3', '4', '5', '6', '7'])
  })
}

test('given a subscription that has come some way, when renamed with `was`, then it goes on there, with its holds', async () => {
  const stage = await Stage.open('memory')
  let fails = true
  const subscription = (name: string, was?: string) => () => [
    consumer({
      name,
      ...(was === undefined ? {} : { was }),
      policy: { retry: { attempts: 1, fromMs: 10, toMs: 10 } },
      run(turn) {
        if (fails && numberOf(turn) === 2) throw new Error('fails')
        note(turn, name)
      },
    }),
  ]
  const first = await stage.life(subscription('old'))
  await stage.publish([1, 2].map((n) => happened(n, `key ${n}`)))
  await stage.pass(100)
  await first.stop()
  await stage.publish([happened(3, 'key 3')])
  const second = await stage.life(subscription('young', 'old'))
  await stage.pass(100)
  assert.deepEqual(ids(stage.effects), ['1', '3'])
  fails = false
  await stage.request('old', '0-1023', { op: 'redrive', key: 'key 2', by: 'ann', atMs: 1 })
  await stage.pass(100)
  assert.deepEqual(ids(stage.effects), ['1', '3', '2'])
  await second.stop()
  await stage.life(subscription('young', 'old'))
  await stage.publish([happened(4, 'key 4')])
  await stage.pass(100)
  assert.deepEqual(ids(stage.effects), ['1', '3', '2', '4'])
})

test('given a renamed subscription, when another takes its old name, then that one is new, and each has its own', async () => {
  const stage = await Stage.open('memory')
  const first = await stage.life(() => [consumer({ name: 'old' })])
  await stage.publish([happened(1, 'a')])
  await stage.pass(100)
  await first.stop()
  await stage.life(() => [consumer({ name: 'young', was: 'old' }), consumer({ name: 'old', from: 'now' })])
  await stage.publish([happened(2, 'a')])
  await stage.pass(1_000)
  assert.deepEqual(stage.effects.map(({ part, key }) => `${part} ${key}`).toSorted(), ['old 1', 'old 2', 'young 2'])
})

test('given a rename without `was`, when it is deployed, then it is a new subscription, and the old one keeps what it had', async () => {
  const stage = await Stage.open('memory')
  const first = await stage.life(() => [consumer({ name: 'old' })])
  await stage.publish([happened(1, 'a')])
  await stage.pass(100)
  await first.stop()
  const before = await stage.record('old')
  await stage.life(() => [consumer({ name: 'young' })])
  await stage.pass(100)
  assert.deepEqual(
    stage.effects.map(({ part, key }) => `${part} ${key}`),
    ['old 1', 'young 1'],
  )
  assert.deepEqual(await stage.record('old'), before)
})

test('given a subscription that was spread, when it is deployed as merged, then it is refused by name', async () => {
  const stage = await Stage.open('memory')
  const first = await stage.life(() => [consumer()])
  await first.stop()
  await assert.rejects(
    stage.life(() => [consumer({ merged: true })]),
    (thrown) => isFault(thrown, 'LANES_CHANGED'),
  )
})

test('given a retry, when the clocks of process and store are an hour apart, then it is never early, and not an hour late', async () => {
  for (const skewMs of [-3_600_000, 3_600_000]) {
    const stage = await Stage.open('memory', { storeSkewMs: skewMs })
    const times: number[] = []
    const dueMs: number[] = []
    stage.door = (change) => {
      for (const put of change.puts) if (put.kind === 'hold') dueMs.push((JSON.parse(put.value) as { dueMs: number }).dueMs)
      return undefined
    }
    const subscriptions = () => [
      consumer({
        policy: { retry: { attempts: 4, fromMs: 1_000, toMs: 8_000 } },
        run() {
          times.push(stage.world.nowMs + skewMs)
          throw new Error('fails')
        },
      }),
    ]
    const first = await stage.life(subscriptions, { skewMs: -skewMs })
    await stage.publish([happened(1, 'a')])
    await stage.until(() => times.length === 2)
    await stage.pass(1)
    first.kill()
    await stage.pass(1)
    await stage.life(subscriptions, { skewMs })
    await stage.pass(60_000)
    assert.equal(times.length, 4)
    for (let attempt = 1; attempt < 4; attempt += 1) {
      const lateMs = (times[attempt] ?? 0) - (dueMs[attempt - 1] ?? 0)
      assert.ok(lateMs >= 0 && lateMs < 100, `attempt ${attempt + 1} began ${lateMs} ms after it was due`)
    }
  }
})

test('given events that a subscription does not take, when they pass, then they are counted and its mark is the head', async () => {
  const stage = await Stage.open('memory')
  const life = await stage.life(
    () => [consumer({ look: (event) => (event.id === '2' ? { is: 'skip' } : { is: 'run', key: event.key, parts: [{}] }) })],
    { settings: { skipsMax: 1 } },
  )
  await stage.publish([happened(1, 'a'), happened(2, 'a'), happened(3, 'a', {}, { type: 'Other' })])
  await stage.pass(2_000)
  assert.equal((await stage.record('f')).mark, (await stage.log()).at(-1)?.position)
  await life.stop()
  const { counts } = await stage.record('f')
  assert.deepEqual({ done: counts.done, skipped: counts.skipped }, { done: 1, skipped: 1 })
})

test('given handlers that throw undefined, a text, an object, when they fail, then each has a message, the rest goes on', async () => {
  const stage = await Stage.open('memory')
  const thrown: Readonly<Record<string, unknown>> = { 1: undefined, 2: 'no', 3: { code: 7 }, 4: null }
  await stage.life(() => [
    consumer({
      policy: { retry: { attempts: 1, fromMs: 10, toMs: 10 } },
      run(turn) {
        const id = turn.taken[0]?.event.id ?? ''
        if (id in thrown) throw thrown[id]
        note(turn)
      },
    }),
  ])
  await stage.publish([1, 2, 3, 4, 5].map((n) => happened(n, `key ${n}`)))
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['5'])
  const messages = [...(await stage.holds('f')).values()].map(({ error }) => error?.message ?? '')
  assert.equal(messages.length, 4)
  for (const message of messages) assert.notEqual(message, '')
})

test('given an error too long to be kept, when a handler throws it, then its key parks as any other, the rest goes on', async () => {
  const stage = await Stage.open('memory')
  await stage.life(() => [
    consumer({
      policy: { retry: { attempts: 2, fromMs: 10, toMs: 10 } },
      run(turn) {
        if (numberOf(turn) === 1) throw new Error('x'.repeat(2_000_000))
        note(turn)
      },
    }),
  ])
  await stage.publish([happened(1, 'a'), happened(2, 'b')])
  await stage.pass(1_000)
  await stage.publish([happened(3, 'b')])
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['2', '3'])
  assert.deepEqual(
    [...(await stage.holds('f'))].map(([key, { state, attempt }]) => [key, state, attempt]),
    [['a', 'parked', 2]],
  )
})

test('given a handler that returns something awaitable that fails, when it runs, then that is a failure like any other', async () => {
  const stage = await Stage.open('memory')
  const thenable = (then: (yes: unknown, no: (thrown: unknown) => void) => unknown): unknown =>
    Object.fromEntries([[['th', 'en'].join(''), then]])
  const odd: readonly unknown[] = [
    thenable(() => {
      throw new Error('no')
    }),
    thenable((_, no) => no(new Error('no'))),
  ]
  await stage.life(() => [
    consumer({
      policy: { retry: { attempts: 1, fromMs: 10, toMs: 10 } },
      run: (turn) => (odd[numberOf(turn)] as Promise<void> | undefined) ?? note(turn),
    }),
  ])
  await stage.publish([0, 1, 2].map((n) => happened(n, `key ${n}`)))
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['2'])
  assert.deepEqual(
    [...(await stage.holds('f'))].map(([key, { state }]) => [key, state]),
    [
      ['key 0', 'parked'],
      ['key 1', 'parked'],
    ],
  )
})

test('given a store that refuses all commits, when it stops, then the stop ends, and the next life finishes the rest', async () => {
  const stage = await Stage.open('memory')
  const first = await stage.life(() => [consumer()], { settings: { drainMs: 1_000 } })
  stage.door = (change, process) =>
    process === first.process && change.puts.some(({ kind }) => kind === 'lane') ? fault('STORE_FULL') : undefined
  await stage.publish([happened(1, 'a')])
  await stage.pass(100)
  await stage.wait(first.flow.stop(), 60_000)
  stage.door = () => undefined
  await stage.life(() => [consumer()])
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['1'])
})

test('given an attempt that fails because the store did, when the store is back, then it was no attempt', async () => {
  const stage = await Stage.open('memory')
  const attempts: number[] = []
  let broken = true
  const subscriptions = () => [
    consumer({
      policy: { retry: { attempts: 2, fromMs: 10, toMs: 10 } },
      async run(turn) {
        attempts.push(turn.attempt)
        await turn.get({ kind: 'row', part: 'f', key: 'a' })
        note(turn)
      },
    }),
  ]
  const { get } = stage.store
  stage.store.get = (keys) =>
    broken && keys.some(({ kind }) => kind === 'row') ? Promise.reject(fault('STORE_FAILED')) : get.call(stage.store, keys)
  await stage.life(subscriptions)
  await stage.publish([happened(1, 'a')])
  await stage.pass(5_000)
  broken = false
  await stage.pass(70_000)
  assert.ok(attempts.length > 2)
  assert.deepEqual(new Set(attempts), new Set([1]))
  assert.deepEqual(ids(stage.effects), ['1'])
})
