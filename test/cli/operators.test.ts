/** What operators see and do, over a store in memory with four lanes, with a real flow of a small app. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { nodeEnvironment } from '../../src/hosts/node-environment.ts'
import { idMint } from '../../src/kit/uuid-v7.ts'
import type { DeadLetterInFull } from '../../src/observe/dead-letters.ts'
import type { EventView, Station } from '../../src/observe/event-trail.ts'
import type { OperationView } from '../../src/observe/operation-log.ts'
import type { Settled } from '../../src/observe/operator.ts'
import type { LaneView, SubscriptionView } from '../../src/observe/subscription-views.ts'
import { operatorDoor, type OperatorDoor } from '../../src/observe/operator-door.ts'
import { telemetryTo } from '../../src/observe/telemetry.ts'
import type { Store } from '../../src/ports/store.ts'
import { startRuntime, type Runtime } from '../../src/runtime/runtime.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { app, fn, type App } from '../../src/entry/index.ts'
import { Cooked, cook, diner, Ordered, serve, tables } from './diner.ts'

/** Whatever a door may answer: each test reads what its question is answered with. */
interface Told {
  readonly code: string
  readonly data: { readonly near: readonly string[]; readonly sources?: readonly string[] }
  readonly deadLetters: readonly DeadLetterInFull[]
  readonly settled: readonly Settled[]
  readonly subscriptions: readonly SubscriptionView[]
  readonly lanes: readonly LaneView[]
  readonly operations: readonly OperationView[]
  readonly stations: readonly Station[]
  readonly caused: readonly { readonly type: string }[]
  readonly event: EventView
  readonly events: readonly EventView[]
  readonly next: string
  readonly end: boolean
  readonly changed: boolean
  readonly rows: number
}

interface Stand {
  readonly store: Store
  readonly runtime: Runtime
  ask(at: string, body?: object): Promise<Told>
  order(order: string, dish: string): Promise<void>
}

const telemetry = telemetryTo({ form: 'json', least: 'error', colours: false, nowMs: nodeEnvironment.nowMs })

async function open(
  t: TestContext,
  of: App = diner,
  store: Store = memoryStore({ nowMs: nodeEnvironment.nowMs, incarnation: 'first' }),
  waitMs = 5_000,
): Promise<Stand> {
  const runtime = await startRuntime(of, { store, environment: nodeEnvironment, telemetry })
  t.after(() => runtime.stop())
  const { flow, door, plan } = runtime
  const answer = operatorDoor({
    store,
    flow,
    door,
    sources: [plan.name],
    environment: nodeEnvironment,
    changeId: flow.context.changeId,
    about: { app: plan.name },
    events: plan.events,
    waitMs,
  })
  return {
    store,
    runtime,
    ask: (at, body) => asked(answer, at, body),
    order: async (order, dish) =>
      void (await door.publish([{ type: 'Ordered', data: { order, table: 't1', dish } }], { id: `${order}-${dish}` })),
  }
}

/** Over the store alone, as the command line does where nobody runs. */
function alone(store: Store): Stand['ask'] {
  const answer = operatorDoor(alongside({ store }))
  return (at, body) => asked(answer, at, body)
}

async function asked(answer: (request: Request) => Promise<Response>, at: string, body?: object): Promise<Told> {
  const sent = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return (await answer(new Request(new URL(at, 'http://operators'), sent))).json() as Promise<Told>
}

/** What an operator's door is made of, with nobody at the other end. */
function alongside({ store }: Pick<Stand, 'store'>): OperatorDoor {
  return { store, environment: nodeEnvironment, changeId: idMint(nodeEnvironment), about: { app: null } }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await turn()
}

async function parked({ ask, order }: Stand, name: string): Promise<void> {
  await order(name, 'burnt')
  await order(name, 'pie')
  await until(async () => (await ask(`/v1/dead-letters?key=${name}`)).deadLetters[0]?.behind === 1)
}

async function stationOf({ ask }: Pick<Stand, 'ask'>, id: string, subscription: string): Promise<Station> {
  const found = (await ask(`/v1/events/${id}`)).stations.find((one) => one.subscription === subscription)
  assert.ok(found !== undefined, `${subscription} has a station for ${id}`)
  return found
}

test('given a key that is parked, when operators look, then every screen says so and why', async (t) => {
  const stand = await open(t)
  await stand.order('a', 'soup')
  await stand.order('w', 'water')
  await parked(stand, 'b')
  const letter = only((await stand.ask('/v1/dead-letters')).deadLetters)
  const { subscription, key, id, type, attempts, error, behind, edits } = letter
  assert.deepEqual(
    { subscription, key, id, type, attempts, error, behind, edits },
    { subscription: 'cook', key: 'b', id: 'b-burnt', type: 'Ordered', attempts: 2, error: 'the pan is on fire', behind: 1, edits: 0 },
  )
  const full = only((await stand.ask('/v1/dead-letters/b-burnt')).deadLetters)
  assert.deepEqual(full.data, { order: 'b', table: 't1', dish: 'burnt' })
  assert.match(full.stack ?? '', /diner\.ts/)
  assert.deepEqual(
    full.waiting.map((one) => one.id),
    ['b-pie'],
  )
  await until(async () => (await stand.ask('/v1/subscriptions')).subscriptions.every(({ lag }) => lag.events === 0))
  const cooking = only((await stand.ask('/v1/subscriptions')).subscriptions.filter(({ name }) => name === 'cook'))
  assert.deepEqual([cooking.running, cooking.parked, cooking.counts.done, cooking.counts.failed, cooking.lanes.length], [true, 1, 1, 2, 4])

  assert.deepEqual(await stationOf(stand, 'b-burnt', 'cook'), {
    subscription: 'cook',
    kind: 'fn',
    state: 'parked',
    key: 'b',
    attempts: 2,
    error: 'the pan is on fire',
    why: 'until it is redriven, edited or discarded',
  })
  assert.equal((await stationOf(stand, 'b-pie', 'cook')).why, 'behind Ordered b-burnt, which is parked')
  assert.equal((await stationOf(stand, 'w-water', 'cook')).why, 'its `where` does not match')
  assert.equal((await stationOf(stand, 'a-soup', 'serve')).why, 'it takes no Ordered')
  assert.equal((await stationOf(stand, 'a-soup', 'cook')).state, 'done')
  assert.deepEqual(
    (await stand.ask('/v1/events/a-soup')).caused.map(({ type: one }) => one),
    ['Cooked'],
  )
  assert.equal((await stand.ask('/v1/lanes')).lanes.filter(({ subscription: of }) => of === 'tables')[0]?.lane, '*')
})

test('given filters, when dead letters are listed, then only those that fit', async (t) => {
  const stand = await open(t)
  await parked(stand, 'b')
  await parked(stand, 'c')
  const keysAt = async (query: string): Promise<string[]> =>
    (await stand.ask(`/v1/dead-letters?${query}`)).deadLetters.map(({ key }) => key).sort()
  assert.deepEqual(await keysAt('subscription=cook'), ['b', 'c'])
  assert.deepEqual(await keysAt('key=c'), ['c'])
  assert.deepEqual(await keysAt('subscription=serve'), [])
  assert.deepEqual(await keysAt('code=VALIDATION_FAILED'), [])
  assert.deepEqual(await keysAt(`sinceMs=${Date.now() + 60_000}`), [])
  assert.deepEqual(await keysAt('type=Cooked'), [])
})

test('given a parked key, when its event is edited and redriven, then it runs as edited, and the log says who asked', async (t) => {
  const stand = await open(t)
  await parked(stand, 'b')
  const refused = await stand.ask('/v1/dead-letters/edit', { id: 'b-burnt', data: '{"order":"b"}', by: 'ann' })
  assert.equal(refused.code, 'VALIDATION_FAILED', 'what would only park again')
  assert.equal((await stand.ask('/v1/dead-letters/edit', { id: 'b-burnt', data: '{"order":', by: 'ann' })).code, 'EDIT_NOT_JSON')
  const { settled } = await stand.ask('/v1/dead-letters/edit', {
    id: 'b-burnt',
    data: '{"order":"b","table":"t1","dish":"flan"}',
    redrive: true,
    by: 'ann',
  })
  assert.deepEqual(
    settled.map(({ outcome }) => outcome),
    ['done', 'done'],
  )
  await until(async () => (await stationOf(stand, 'b-pie', 'cook')).state === 'done')
  assert.equal((await stationOf(stand, 'b-burnt', 'cook')).state, 'done')
  const { operations } = await stand.ask('/v1/operations')
  assert.deepEqual(
    operations.map(({ op, by, subscription, key }) => [op, by, subscription, key]),
    [
      ['redrive', 'ann', 'cook', 'b'],
      ['edit', 'ann', 'cook', 'b'],
    ],
  )
})

test('given a key that is parked, when it is redriven as it was, then it parks again at attempt 2, not at 4', async (t) => {
  const stand = await open(t)
  await parked(stand, 'b')
  const before = (await stand.ask('/v1/dead-letters')).deadLetters[0]?.parkedAt
  const { settled } = await stand.ask('/v1/dead-letters/redrive', { ids: ['b-burnt'], by: 'ann' })
  assert.deepEqual(
    settled.map(({ outcome, key }) => [outcome, key]),
    [['done', 'b']],
  )
  await until(async () => ((await stand.ask('/v1/dead-letters')).deadLetters[0]?.parkedAt ?? before) !== before)
  assert.equal((await stand.ask('/v1/dead-letters')).deadLetters[0]?.attempts, 2)
})

test("given two parked keys, when one event is discarded and the other key whole, then only the first one's rest runs", async (t) => {
  const stand = await open(t)
  await parked(stand, 'b')
  await parked(stand, 'c')
  await stand.ask('/v1/dead-letters/discard', { ids: ['b-burnt'], by: 'ann' })
  await stand.ask('/v1/dead-letters/discard', { key: 'c', wholeKey: true, by: 'ann' })
  await until(async () => (await stationOf(stand, 'b-pie', 'cook')).state === 'done')
  assert.match((await stationOf(stand, 'b-burnt', 'cook')).why ?? '', /^by ann at /)
  assert.equal((await stationOf(stand, 'c-pie', 'cook')).state, 'discarded')
  assert.deepEqual((await stand.ask('/v1/dead-letters')).deadLetters, [])
})

test('given a paused subscription, when an event comes, then it waits, and its trail says who paused; resumed, it runs', async (t) => {
  const stand = await open(t)
  assert.deepEqual(await stand.ask('/v1/subscriptions/cook/pause', { by: 'ann', why: 'lunch' }), {
    subscription: 'cook',
    paused: true,
    changed: true,
  })
  await until(async () => stand.runtime.flow.crews.some(({ paused, subscription }) => paused && subscription.name === 'cook'))
  await stand.order('a', 'soup')
  await stand.order('w', 'water')
  await until(async () => (await stationOf(stand, 'w-water', 'tables')).state === 'done')
  const station = await stationOf(stand, 'a-soup', 'cook')
  assert.match(`${station.state}: ${station.why}`, /^(waiting|not reached): paused by ann at .*: lunch$/)
  const view = only((await stand.ask('/v1/subscriptions')).subscriptions.filter(({ name }) => name === 'cook'))
  assert.deepEqual([view.paused?.by, view.paused?.why, view.lag.events], ['ann', 'lunch', 1])
  assert.equal((await stand.ask('/v1/subscriptions/cook/resume', { by: 'ann' })).changed, true)
  await until(async () => (await stationOf(stand, 'a-soup', 'cook')).state === 'done')
  assert.deepEqual(
    (await stand.ask('/v1/operations')).operations.map(({ op }) => op),
    ['resume', 'pause'],
  )
})

test('given what does not exist, when it is asked for, then the fault names what is near', async (t) => {
  const stand = await open(t)
  await stand.order('a', 'soup')
  await parked(stand, 'b')
  const pause = await stand.ask('/v1/subscriptions/cok/pause', {})
  assert.deepEqual([pause.code, pause.data.near], ['SUBSCRIPTION_UNKNOWN', ['cook']])
  const event = await stand.ask('/v1/events/a-sopp')
  assert.deepEqual([event.code, event.data.near], ['EVENT_NOT_FOUND', ['a-soup']])
  assert.equal((await stand.ask('/v1/events/a-so')).event.id, 'a-soup', 'the beginning is enough')
  const letter = await stand.ask('/v1/dead-letters/b-burn')
  assert.deepEqual([letter.code, letter.data.near], ['DEAD_LETTER_UNKNOWN', ['b-burnt']])
  assert.equal((await stand.ask('/v1/dead-letters/redrive', { by: 'ann' })).code, 'OPERATION_INVALID')
  assert.equal((await stand.ask('/v1/nothing')).code, 'ROUTE_UNKNOWN')
  const unknown = await stand.ask('/v1/events', { type: 'Ordred', data: {} })
  assert.deepEqual([unknown.code, unknown.data.near], ['EVENT_UNKNOWN', ['Ordered']])
})

test('given one id of two sources, when it is asked for, then both are named, and each is shown by its source', async (t) => {
  const stand = await open(t)
  const [here, there] = ['diner', 'https://counter.example']
  for (const source of [here, there]) {
    const data = { order: source, table: 't1', dish: 'soup' }
    await stand.runtime.door.publish([{ type: 'Ordered', source, id: 'o-1', data }], {})
  }
  const answers = operatorDoor({ ...alongside(stand), sources: [here, there] })
  const both = await asked(answers, '/v1/events/o-1')
  assert.deepEqual([both.code, both.data.sources], ['EVENT_AMBIGUOUS', [here, there]])
  for (const source of [here, there])
    assert.equal((await asked(answers, `/v1/events/o-1?source=${encodeURIComponent(source)}`)).event.source, source)
  await stand.runtime.stop()
  assert.deepEqual((await alone(stand.store)('/v1/events/o-1')).data.sources?.toSorted(), [here, there], 'the log alone tells')
})

test('given an app that lost a subscription, when it is forgotten, then all its rows go; while it runs it is refused', async (t) => {
  const first = await open(t)
  await parked(first, 'b')
  await until(async () => (await stationOf(first, 'b-pie', 'tables')).state === 'done')
  assert.equal((await first.ask('/v1/subscriptions/tables/forget', { by: 'ann' })).code, 'SUBSCRIPTION_RUNS')
  await first.runtime.stop()
  const second = await open(t, app('diner', [Ordered, Cooked, serve]), first.store)
  const left = await second.ask('/v1/dead-letters/redrive', { ids: ['b-burnt'], by: 'ann' })
  assert.deepEqual(
    left.settled.map(({ outcome, why }) => [outcome, why]),
    [['left', 'no running app has this subscription: it is done at its next start']],
  )
  assert.equal((await stationOf(second, 'b-burnt', 'cook')).state, 'parked', 'it is seen all the same')
  for (const name of ['cook', 'tables']) assert.ok((await second.ask(`/v1/subscriptions/${name}/forget`, { by: 'ann' })).rows > 1)
  assert.deepEqual(
    (await second.ask('/v1/subscriptions')).subscriptions.map(({ name }) => name),
    ['serve'],
  )
  for (const kind of ['lane', 'control', 'breaker', 'indexes'])
    assert.deepEqual(
      (await rowsOf(first.store, kind, kind === 'lane' ? 'cook' : '')).filter(({ key }) => key !== 'serve'),
      [],
    )
  for (const [kind, part] of [
    ['row', 'tables#1'],
    ['index', 'tables#1/orders'],
  ] as const)
    assert.deepEqual(await rowsOf(first.store, kind, part), [])
  for (const lane of first.store.limits.lanes)
    for (const kind of ['hold', 'held', 'request']) assert.deepEqual(await rowsOf(first.store, kind, `cook/${lane.name}`), [])
})

test('given a request left where nobody runs, when the app starts, then it is carried out', async (t) => {
  const first = await open(t)
  await parked(first, 'b')
  await first.runtime.stop()
  const ask = alone(first.store)
  assert.equal((await ask('/v1/dead-letters/discard', { ids: ['b-burnt'], by: 'ann' })).settled[0]?.outcome, 'left')
  assert.equal((await ask('/v1/events', { type: 'Ordered', data: {} })).code, 'APP_NOT_RUNNING')
  assert.equal((await stationOf({ ask }, 'b-pie', 'cook')).state, 'waiting', 'the rows alone tell')
  const second = await open(t, diner, first.store)
  await until(async () => (await stationOf(second, 'b-pie', 'cook')).state === 'done')
})

test('given a subscription that begins now, when an older event is asked for, then it says that it was before', async (t) => {
  const first = await open(t, app('diner', [Ordered, Cooked, serve]))
  await first.order('a', 'soup')
  await first.runtime.stop()
  const second = await open(t, app('diner', [Ordered, Cooked, serve, cook, tables]), first.store)
  await until(async () => (await stationOf(second, 'a-soup', 'tables')).state === 'done')
  assert.equal((await stationOf(second, 'a-soup', 'cook')).state, 'before')
})

test('given an event without an order key, when one looks, then its subscription stands at it, until it is discarded', async (t) => {
  const byTable = fn('by-table', Ordered, {
    order: ({ dish, table }) => {
      if (dish === 'nothing') throw new Error('no dish, no table')
      return table
    },
    run() {},
  })
  const stand = await open(t, app('diner', [Ordered, byTable]))
  await stand.order('a', 'nothing')
  await stand.order('b', 'soup')
  await until(async () => (await stationOf(stand, 'a-nothing', 'by-table')).state === 'stands')
  assert.match((await stationOf(stand, 'a-nothing', 'by-table')).why ?? '', /no dish, no table/)
  assert.match((await stationOf(stand, 'b-soup', 'by-table')).why ?? '', /^it stands at a-nothing: /)
  assert.equal(only((await stand.ask('/v1/subscriptions')).subscriptions).standsAt?.id, 'a-nothing')
  const { settled } = await stand.ask('/v1/dead-letters/discard', { ids: ['a-nothing'], by: 'ann' })
  assert.deepEqual(
    settled.map(({ outcome, id }) => [outcome, id]),
    [['done', 'a-nothing']],
  )
  await until(async () => (await stationOf(stand, 'b-soup', 'by-table')).state === 'done')
  assert.equal((await stationOf(stand, 'a-nothing', 'by-table')).state, 'discarded')
})

test('given an owner that takes its time, when something is redriven, then it is told as left, and is done later', async (t) => {
  const stand = await open(t, diner, undefined, 0)
  await parked(stand, 'b')
  const { settled } = await stand.ask('/v1/dead-letters/redrive', { key: 'b', by: 'ann' })
  assert.deepEqual(
    settled.map(({ outcome, why }) => [outcome, why]),
    [['left', 'it waits for the owner of its lane']],
  )
  await until(async () => (await stand.ask('/v1/operations')).operations.some(({ op, doneAt }) => op === 'redrive' && doneAt !== undefined))
})

test('given a log over four lanes, when it is followed, then its pages bring each event once, in order, and wait for more', async (t) => {
  const stand = await open(t)
  for (let n = 0; n < 25; n += 1) await stand.order(`o${n}`, 'water')
  const seen: string[] = []
  let from = 'start'
  for (let end = false; !end;) {
    const page = await stand.ask(`/v1/log?from=${encodeURIComponent(from)}&limit=4&type=Ordered`)
    seen.push(...page.events.map(({ id }) => id))
    end = page.end
    from = page.next
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 25 }, (_, n) => `o${n}-water`),
  )
  const waiting = stand.ask(`/v1/log?from=${encodeURIComponent(from)}&waitMs=10000&key=next`)
  await stand.order('other', 'water')
  await stand.order('next', 'water')
  let page = await waiting
  while (page.events.length === 0) page = await stand.ask(`/v1/log?from=${encodeURIComponent(page.next)}&waitMs=10000&key=next`)
  assert.deepEqual(
    page.events.map(({ id }) => id),
    ['next-water'],
  )
})

function only<T>(found: readonly T[]): T {
  const [one] = found
  assert.ok(one !== undefined && found.length === 1, 'there is one of it')
  return one
}

function rowsOf(store: Store, kind: string, part: string): Promise<readonly { readonly key: string }[]> {
  return store.scan({ kind, part, from: '', to: '', limit: 100 })
}
