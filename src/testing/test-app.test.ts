import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { app, batched, config, event, fn, github, projection, resource, route, webhook, type Definition } from '../entry/index.ts'
import { replace, testApp } from '../entry/testing.ts'
import { sign } from '../event/signature.ts'
import { isFault } from '../kit/fault.ts'

const Placed = event('Placed', z.object({ orderId: z.string(), cents: z.int() }), { key: (order) => order.orderId })
const Paid = event('Paid', z.object({ orderId: z.string(), payment: z.string() }), { key: (paid) => paid.orderId })
const payments = resource('payments', {
  open: (): { charge(cents: number, key: string): Promise<string> } => assert.fail('it is replaced'),
})

const charge = fn('charge', Placed, {
  emits: [Paid],
  retry: { attempts: 4, from: '1m', to: '10m' },
  run: async ({ orderId, cents }, ctx) => Paid({ orderId, payment: await ctx.use(payments).charge(cents, ctx.idempotencyKey) }),
})

const placed = (orderId: string, cents = 100): ReturnType<typeof Placed> => Placed({ orderId, cents })
const paying = (charging: (cents: number, key: string) => string | Promise<string>, ...more: Definition[]) => ({
  shop: app('shop', [Placed, Paid, payments, charge, ...more]),
  fake: [replace(payments, { charge: async (cents: number, key: string) => charging(cents, key) })],
})

test('given a fact, when publish returns, then what follows of it at this instant is done', async () => {
  const { shop, fake } = paying((cents) => `p-${cents}`)
  await using running = await testApp(shop, { replace: fake })
  const { ids, repeated } = await running.publish([placed('o-1'), placed('o-2', 5)])
  assert.deepEqual([ids.length, repeated], [2, false])
  assert.deepEqual(running.emitted(Placed), [
    { orderId: 'o-1', cents: 100 },
    { orderId: 'o-2', cents: 5 },
  ])
  assert.deepEqual(
    running.emitted(Paid).toSorted((a, b) => a.orderId.localeCompare(b.orderId)),
    [
      { orderId: 'o-1', payment: 'p-100' },
      { orderId: 'o-2', payment: 'p-5' },
    ],
  )
  running.expectHealthy()
})

test('given a handler that fails twice, when minutes pass, then no retry came late, and the effect is there once', async () => {
  const calls: { readonly atMs: number; readonly key: string }[] = []
  const { shop, fake } = paying((_cents, key) => {
    calls.push({ atMs: running.now(), key })
    if (calls.length < 3) throw new Error('declined')
    return 'p-1'
  })
  await using running = await testApp(shop, { replace: fake, at: '2026-03-01T12:00:00Z' })
  const startMs = Date.parse('2026-03-01T12:00:00Z')
  await running.publish(placed('o-1'))
  assert.deepEqual(
    calls.map(({ atMs }) => atMs),
    [startMs],
  )
  running.expectHealthy()
  await running.advance('20m')
  assert.equal(calls.length, 3)
  assert.ok(calls.every(({ atMs }, i) => atMs >= startMs && atMs <= startMs + (i === 0 ? 0 : i === 1 ? 60_000 : 180_000)))
  assert.equal(new Set(calls.map(({ key }) => key)).size, 1)
  assert.equal(running.now(), startMs + 20 * 60_000)
  assert.deepEqual(running.emitted(Paid), [{ orderId: 'o-1', payment: 'p-1' }])
})

test('given a handler that always fails, when it has given up, then its key is a dead letter, and a redrive runs it in order', async () => {
  let works = false
  const charged: number[] = []
  const { shop, fake } = paying((cents) => {
    if (!works) throw new Error('no such card')
    charged.push(cents)
    return `p-${cents}`
  })
  await using running = await testApp(shop, { replace: fake })
  await running.publish(placed('o-1', 1), { id: 'first' })
  await running.publish(placed('o-1', 2))
  await running.publish(placed('o-2', 3))
  assert.deepEqual(running.deadLetters(), [])
  await running.advance('1h')
  const letters = running.deadLetters()
  assert.deepEqual(
    letters.find(({ key }) => key === 'o-1'),
    {
      consumer: 'charge',
      key: 'o-1',
      fact: { type: 'Placed', id: 'first', version: 1, data: { orderId: 'o-1', cents: 1 } },
      code: undefined,
      message: 'no such card',
      attempts: 4,
      behind: 1,
    },
  )
  assert.equal(letters.length, 2)
  assert.throws(() => running.expectHealthy(), /TEST_UNHEALTHY: .*charge parked key 'o-1' at Placed first after 4 attempts: no such card/)
  assert.ok(running.logged.some(({ level, message }) => level === 'error' && message.includes("parked key 'o-1'")))
  works = true
  assert.equal(await running.redrive({ consumer: 'other' }), 0)
  assert.equal(await running.redrive(letters.find(({ key }) => key === 'o-1')), 1)
  assert.deepEqual(charged, [1, 2])
  assert.deepEqual(
    running.deadLetters().map(({ key }) => key),
    ['o-2'],
  )
  assert.equal(await running.redrive(), 1)
  assert.deepEqual(charged, [1, 2, 3])
  running.expectHealthy()
})

test('given a handler that hangs, when time passes its time-out, then it has failed, and its signal is aborted', async () => {
  const signals: AbortSignal[] = []
  const hang = fn('hang', Placed, {
    retry: { attempts: 2, from: '1s', to: '1s' },
    timeout: '5s',
    run: (_, ctx) => {
      signals.push(ctx.signal)
      return new Promise<void>(() => {})
    },
  })
  await using running = await testApp(app('shop', [Placed, hang]), { patience: '5ms' })
  await running.publish(placed('o-1'))
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [false],
  )
  await running.advance('4999ms')
  assert.equal(signals[0]?.aborted, false)
  await running.advance('1ms')
  assert.equal(signals[0]?.aborted, true)
  await running.advance('2m')
  assert.deepEqual(
    running.deadLetters().map(({ code, attempts }) => ({ code, attempts })),
    [{ code: 'HANDLER_TIMED_OUT', attempts: 2 }],
  )
  assert.throws(() => running.expectHealthy(), /still run after their time/)
})

test('given a handler that awaits something real, when publish returns, then it has ended', async () => {
  const slow = fn('slow', Placed, { emits: [Paid], run: async ({ orderId }) => (await sleep(20), Paid({ orderId, payment: 'real' })) })
  await using running = await testApp(app('shop', [Placed, Paid, slow]), { patience: '5s' })
  await running.publish(placed('o-1'))
  assert.deepEqual(running.emitted(Paid), [{ orderId: 'o-1', payment: 'real' }])
})

test('given an outage, when half of the calls fail, then the breaker opens, parks few, and closes after a good probe', async () => {
  let down = true
  const breaking = fn('breaking', Placed, {
    retry: false,
    breaker: { share: 0.5, of: 10, rest: '30s' },
    concurrency: 1,
    run: () => {
      if (down) throw new Error('down')
    },
  })
  await using running = await testApp(app('shop', [Placed, breaking]), { lanes: 1 })
  for (let i = 0; i < 40; i += 1) await running.publish(placed(`o-${i}`))
  const parked = running.deadLetters().length
  assert.ok(parked >= 5 && parked <= 10, `${parked} are parked`)
  assert.throws(() => running.expectHealthy(), /the breaker of breaking is open/)
  down = false
  await running.advance('1h')
  assert.equal(running.deadLetters().length, parked)
  await running.redrive()
  running.expectHealthy()
})

test('given a batch that waits, when it is full or its time is up, then it runs', async () => {
  const batches: string[][] = []
  const gather = fn('gather', batched(Placed, { size: 3, wait: '5s' }), {
    run: (orders) => void batches.push(orders.map(({ orderId }) => orderId)),
  })
  await using running = await testApp(app('shop', [Placed, gather]), { lanes: 1 })
  await running.publish([placed('a'), placed('b')])
  await running.advance('4s')
  assert.deepEqual(batches, [])
  await running.advance('1s')
  assert.deepEqual(batches, [['a', 'b']])
  await running.publish([placed('c'), placed('d'), placed('e'), placed('f')])
  assert.deepEqual(batches, [
    ['a', 'b'],
    ['c', 'd', 'e'],
  ])
  await running.advance('5s')
  assert.deepEqual(batches, [['a', 'b'], ['c', 'd', 'e'], ['f']])
})

const orders = projection('orders', z.object({ orderId: z.string(), cents: z.int(), paid: z.boolean() }), {
  key: 'orderId',
  index: [['paid', 'orderId']],
  apply: (on) => [
    on(Placed, (rows, { orderId, cents }) => rows.put({ orderId, cents, paid: false })),
    on(Paid, (rows, { orderId }) => rows.patch(orderId, { paid: true })),
  ],
})
const unpaid = orders.query('unpaid', z.object({}), (rows) => rows.find({ where: { paid: false }, order: 'orderId asc' }))

test('given a projection and a query, when facts are published, then rows and answers follow at once', async () => {
  const { shop, fake } = paying(
    (cents) => (cents > 1 ? 'p' : assert.fail('refused')),
    orders,
    unpaid,
    route('GET /unpaid', unpaid),
    route('POST /orders', Placed),
  )
  await using running = await testApp(shop, { replace: fake })
  await running.publish(placed('o-1'))
  const posted = await running.fetch('/orders', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ orderId: 'o-2', cents: 1 }),
  })
  assert.equal(posted.status, 202)
  assert.deepEqual(await running.rows(orders).get('o-1'), { orderId: 'o-1', cents: 100, paid: true })
  assert.deepEqual((await running.ask(unpaid, {})).rows, [{ orderId: 'o-2', cents: 1, paid: false }])
  const answer = await running.fetch('/unpaid')
  assert.deepEqual(await answer.json(), { rows: [{ orderId: 'o-2', cents: 1, paid: false }] })
  const wrong = await running.fetch(
    new Request('http://localhost/orders', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"orderId":7}' }),
  )
  assert.equal(wrong.status, 422)
})

test('given settings from outside, when a signed webhook comes in, then it is published, and a wrong signature is not', async () => {
  const settings = config(z.object({ HOOK_SECRET: z.string() }), { secret: ['HOOK_SECRET'] })
  const hook = webhook('/hooks/paid', Paid, { verify: github(settings.pick('HOOK_SECRET')) })
  const listening = app('listening', [Paid, settings, hook])
  await assert.rejects(testApp(listening), (error) => isFault(error, 'CONFIG_INVALID'))
  await using running = await testApp(listening, { env: { HOOK_SECRET: 'a secret' } })
  const body = JSON.stringify({ orderId: 'o-1', payment: 'p-1' })
  const deliver = (secret: string, id: string): Promise<Response> =>
    running.fetch('/hooks/paid', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-delivery': id,
        ...sign('github', secret, { id, body: Buffer.from(body), nowMs: running.now() }),
      },
      body,
    })
  assert.deepEqual(
    [(await deliver('a secret', 'd-1')).status, (await deliver('a secret', 'd-1')).status, (await deliver('other', 'd-2')).status],
    [202, 200, 401],
  )
  assert.deepEqual(running.emitted(Paid), [{ orderId: 'o-1', payment: 'p-1' }])
})

test('given older events in the log, when emitted is asked, then they have today’s shape, and an unlisted one is a fault', async () => {
  const First = event('Moved', z.object({ to: z.string() }))
  const Moved = event('Moved', z.object({ to: z.string(), by: z.string() }), {
    version: 2,
    upcast: (from) => from(First, (old) => ({ ...old, by: 'foot' })),
  })
  await using running = await testApp(app('moves', [First, Moved]))
  await running.publish(First({ to: 'a' }))
  await running.publish(Moved({ to: 'b', by: 'train' }))
  assert.deepEqual(running.emitted(Moved), [
    { to: 'a', by: 'foot' },
    { to: 'b', by: 'train' },
  ])
  assert.throws(
    () => running.emitted(Placed),
    (error) => isFault(error, 'EVENT_UNLISTED'),
  )
})

test('given a handler that changes its fact, when it runs, then it is told', async () => {
  const careless = fn('careless', Placed, { retry: false, run: (order) => void Object.assign(order, { cents: 0 }) })
  await using running = await testApp(app('shop', [Placed, careless]))
  await running.publish(placed('o-1'))
  assert.match(running.deadLetters()[0]?.message ?? '', /read only/)
})

test('given a function that answers its own event, when the app does not come to rest, then publish says so', async () => {
  const echo = fn('echo', Placed, { emits: [Placed], run: ({ orderId, cents }) => placed(orderId, cents + 1) })
  const running = await testApp(app('shop', [Placed, echo]))
  await assert.rejects(running.publish(placed('o-1')), (error) => isFault(error, 'TEST_RESTLESS'))
  await running.stop()
})

test('given the same seed, when an app is run twice, then ids, times and retries are the same', async () => {
  const run = async (seed: number): Promise<readonly unknown[]> => {
    const { shop, fake } = paying((cents) => (seen.push([cents, running.now()]), seen.length > 3 ? 'p' : assert.fail('not yet')))
    const seen: unknown[] = []
    await using running = await testApp(shop, { replace: fake, seed })
    const { ids } = await running.publish([placed('o-1', 1), placed('o-2', 2)])
    await running.advance('1h')
    return [ids, seen, running.emitted(Paid)]
  }
  assert.deepEqual(await run(1), await run(1))
  assert.notDeepEqual(await run(1), await run(2))
})

test('given a handler that runs, when the app stops, then it drains, closes its resources, and a second stop waits for it', async () => {
  const closed: string[] = []
  const wire = resource('wire', { open: () => 'open', close: (it) => void closed.push(it) })
  const hang = fn('hang', Placed, { run: () => new Promise<void>(() => {}) })
  const running = await testApp(app('shop', [Placed, wire, hang]), { patience: '1ms' })
  await running.publish(placed('o-1'))
  assert.equal(running.use(wire), 'open')
  await Promise.all([running.stop(), running.stop()])
  assert.deepEqual(closed, ['open'])
  assert.equal(running.signal.aborted, true)
  await assert.rejects(running.publish(placed('o-2')), (error) => isFault(error, 'STORE_CLOSED'))
})

test('given a mistyped option, when the app is started, then it is refused', async () => {
  await assert.rejects(testApp(app('none', []), { settings: {}, ...{ replaces: [] } }), (error) => isFault(error, 'OPTION_INVALID'))
})
