/** The tests that a lazy implementation fails, as whole runs: every check of the simulator stands at the door meanwhile. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { called, countOf, doneBy, fixed, parkedBy, placed, subscribed, watched } from './fixed.ts'
import type { Call, Fact, Fault } from './schedule.ts'

const keysOf = (count: number): string[] => Array.from({ length: count }, (_, at) => `key${at}`)
const each = (facts: readonly Fact[], everyMs: number, fromMs = 200): Call[] => facts.map((fact, at) => called(fromMs + at * everyMs, fact))

test('given 100 events of which one aborts the process, when it is restarted, then that one parks, and 99 are done once', async () => {
  const facts = keysOf(100).map((key, at) => placed(at + 1, key, at === 9 ? { plain: { do: 'abort', times: 99 } } : {}))
  const run = await watched(
    fixed({
      calls: [called(200, ...facts.slice(0, 50)), called(210, ...facts.slice(50))],
      subscriptions: [subscribed('plain', { workMs: 5 })],
    }),
  )
  assert.deepEqual(parkedBy(run, 'plain'), ['key9'])
  assert.equal(doneBy(run, 'plain').length, 99)
})

test('given 100 keys that add to one row, when 20 turns run side by side, then the sum is exact, and reruns are no attempts', async () => {
  const facts = keysOf(100).map((key, at) => placed(at + 1, key))
  const policy = { retry: { attempts: 1, fromMs: 20, toMs: 100 }, timeoutMs: 400, graceMs: 200, concurrency: 20, breaker: false } as const
  const run = await watched(
    fixed({
      settings: { holesMax: 1_000, leaseMs: 1_500, beatMs: 300 },
      subscriptions: [subscribed('plain', { merged: true, shares: true, workMs: 3, policy })],
      calls: [called(200, ...facts)],
    }),
  )
  assert.equal(run.cluster.mirror.get('shared', 'plain', 'sum')?.value, '100')
  assert.ok((run.outcome.coverage.reached.get('millrace_reruns_total') ?? 0) > 0)
  assert.deepEqual([countOf(run, 'plain', 'done'), countOf(run, 'plain', 'failed'), countOf(run, 'plain', 'parked')], [100, 0, 0])
})

test('given a handler that ignores its signal, when it stages after its retry has committed, then there is one effect', async () => {
  const fact = placed(1, 'key0', { plain: { do: 'late', times: 1, ms: 1_000 } })
  const run = await watched(fixed({ calls: [called(200, fact)] }))
  assert.deepEqual(doneBy(run, 'plain'), [1])
  assert.equal(run.cluster.mirror.count('late', 'plain'), 0)
  assert.deepEqual(
    run.cluster.turns.bySerial.map(({ state, inTime }) => `${state} ${inTime ? 'in time' : 'too late'}`),
    ['threw too late', 'returned in time'],
  )
})

test('given one key that hangs while 5,000 events pass, when the process dies, then holes stay few, and all is done in order', async () => {
  const facts = Array.from({ length: 5_000 }, (_, at) =>
    placed(at + 1, at % 10 === 0 ? 'slow' : `key${at % 7}`, at === 0 ? { plain: { do: 'hang', times: 2 } } : {}),
  )
  const calls = Array.from({ length: 50 }, (_, at) => called(200 + at * 20, ...facts.slice(at * 100, at * 100 + 100)))
  const faults: Fault[] = [{ is: 'crash', runtime: 0, when: { atMs: 900 }, restMs: 50 }]
  const run = await watched(
    fixed({
      settings: { holesMax: 1_000, leaseMs: 1_500, beatMs: 300 },
      subscriptions: [subscribed('plain', { workMs: 0 })],
      calls,
      faults,
    }),
  )
  assert.equal(doneBy(run, 'plain').length, 5_000)
})

test('given a key that is redriven while more arrives, when the process dies at any await, then all are done in order', async () => {
  const facts = [5, 6, 7, 8, 9].map((number) =>
    placed(number, 'key0', number < 7 ? { plain: { do: 'fail', times: number === 5 ? 1 : 2, staged: true } } : {}),
  )
  const policy = { retry: { attempts: 1, fromMs: 20, toMs: 100 }, timeoutMs: 400, graceMs: 200, concurrency: 8, breaker: false } as const
  const redrive = (atMs: number) => ({ atMs, op: 'redrive', subscription: 'plain', which: 0, all: true }) as const
  const schedule = fixed({
    liveMs: 1_500,
    repair: true,
    subscriptions: [subscribed('plain', { policy, folds: true })],
    calls: [...each(facts.slice(0, 3), 10), ...each(facts.slice(3), 10, 640)],
    acts: [redrive(600), redrive(900)],
  })
  const whole = await watched(schedule)
  assert.deepEqual(doneBy(whole, 'plain'), [1, 2, 3, 4, 5])
  let died = 0
  for (let step = 30; step < whole.outcome.steps && step < 1_500; step += 3) {
    const run = await watched({ ...schedule, faults: [{ is: 'crash', runtime: 0, when: { atStep: step }, restMs: 0 }] })
    assert.equal(doneBy(run, 'plain').length, 5, `dies at step ${step}`)
    died += run.cluster.livesMade > 1 ? 1 : 0
  }
  assert.ok(died > 50, `${died} runs died`)
})

test('given a full disk in the middle of a wave, when there is room again, then nothing is lost or doubled', async () => {
  const facts = keysOf(40).map((key, at) => placed(at + 1, key))
  const faults = [1, 2, 3, 5].map((nth): Fault => ({ is: 'store', op: 'wave', nth, fault: 'full' }))
  const run = await watched(fixed({ calls: [called(200, ...facts)], subscriptions: [subscribed('plain', { workMs: 20 })], faults }))
  assert.equal(doneBy(run, 'plain').length, 40)
  assert.equal(countOf(run, 'plain', 'failed'), 0)
  assert.equal(run.outcome.coverage.counts.get('full × wave'), 4)
})

test('given one poison key, when it fails, then the breaker stays shut, and an outage parks at most ten keys', async () => {
  const breaker = { share: 0.5, of: 20, keys: 5, restMs: 200 }
  const policy = { retry: { attempts: 3, fromMs: 20, toMs: 100 }, timeoutMs: 400, graceMs: 200, concurrency: 4, breaker }
  const poison = placed(1, 'poison', { plain: { do: 'fail', times: 99, staged: false } })
  const calls = [
    ...each([poison], 1),
    ...each(
      keysOf(200).map((key, at) => placed(at + 2, key)),
      30,
    ),
  ]
  const quiet = await watched(fixed({ liveMs: 8_000, calls, subscriptions: [subscribed('plain', { policy, workMs: 1 })] }))
  assert.deepEqual(parkedBy(quiet, 'plain'), ['poison'])
  assert.ok(!(quiet.cluster.mirror.get('breaker', '', quiet.cluster.model.byName('plain').id)?.value ?? '').includes('open'))

  const outage = { fromMs: 1_000, toMs: 6_000 }
  const run = await watched(fixed({ liveMs: 8_000, calls, subscriptions: [subscribed('plain', { policy, workMs: 1, outage })] }))
  const parked = parkedBy(run, 'plain').filter((key) => key !== 'poison')
  assert.ok(parked.length <= 10, `${parked.length} keys parked`)
  assert.equal(doneBy(run, 'plain').length, 200 - parked.length)
  assert.ok(!(run.cluster.mirror.get('breaker', '', run.cluster.model.byName('plain').id)?.value ?? '').includes('"open"'))
})

test("given a projection by another field with poison in it, when it is redriven, then its row is the log's fold", async () => {
  const projection = subscribed('orders', { kind: 'projection', merged: true, order: 'group', folds: true })
  const facts = [placed(1, 'order1', { orders: { do: 'fail', times: 99, staged: true } }), placed(2, 'order2'), placed(3, 'order3')]
  const parked = await watched(fixed({ subscriptions: [projection], calls: each(facts, 50) }))
  assert.deepEqual(parkedBy(parked, 'orders'), ['group0'])
  assert.equal(parked.cluster.mirror.get('fold', 'orders', 'group0'), undefined)
  const repaired = await watched(fixed({ subscriptions: [projection], calls: each(facts, 50), repair: true }))
  assert.deepEqual(doneBy(repaired, 'orders'), [1, 2, 3])
  assert.match(repaired.cluster.mirror.get('fold', 'orders', 'group0')?.value ?? '', /"n":3/)
})

test('given two publishes of one id, when the power fails at any await, then none was acknowledged, or the event is there', async () => {
  const fact = placed(1, 'key0')
  const twice = [called(200, fact), called(200, fact)].map((call) => ({ ...call, retries: 0 }))
  const schedule = fixed({ liveMs: 1_000, calls: twice })
  const whole = await watched(schedule)
  assert.equal(whole.outcome.events, 1)
  let again = 0
  for (let step = 1; step < whole.outcome.steps && step < 400; step += 1) {
    const run = await watched({ ...schedule, faults: [{ is: 'cut', when: { atStep: step }, restMs: 0 }] })
    assert.equal(run.outcome.events, 1)
    again += (run.outcome.coverage.operations.get('publish') ?? 0) > 2 ? 1 : 0
  }
  // What was taken back was called again, and what was acknowledged stands: the checks see to that.
  assert.ok(again > 0)
})

test('given old and new code on one store, when a new version is rolled back, then nothing parks, and it drains later', async () => {
  const facts = keysOf(12).map((_, at) => placed(at + 1, `key${at % 3}`, {}, { version: at % 4 === 1 ? 2 : 1 }))
  const runtimes = [
    { name: 'a', startMs: 0, skewMs: 0, knows: 1 },
    { name: 'b', startMs: 0, skewMs: 3_600_000, knows: 2 },
  ]
  const rolledBack: Fault = { is: 'stop', runtime: 1, when: { atMs: 1_000 }, restMs: 0, knows: 1 }
  const run = await watched(fixed({ runtimes, calls: each(facts, 200), faults: [rolledBack] }))
  assert.deepEqual(parkedBy(run, 'plain'), [])
  assert.equal(countOf(run, 'plain', 'parked'), 0)
  assert.equal(doneBy(run, 'plain').length, 12)
  assert.ok((run.outcome.coverage.operations.get('hold version') ?? 0) > 0)
})
