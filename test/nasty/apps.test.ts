/** Rules that show in an app's own words: projections by a field, once, orders, emits and resources. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { app } from '../../src/define/app.ts'
import { batched } from '../../src/define/batched.ts'
import { event } from '../../src/define/event.ts'
import { fn } from '../../src/define/fn.ts'
import { projection } from '../../src/define/projection.ts'
import { resource } from '../../src/define/resource.ts'
import type { App } from '../../src/define/app.ts'
import { startRuntime, type Runtime } from '../../src/runtime/runtime.ts'
import { engines, Stage } from './stage.ts'

const Placed = event('Placed', z.object({ order: z.string(), customer: z.string(), cents: z.int() }), { key: ({ order }) => order })
const Thanked = event('Thanked', z.object({ order: z.string() }), { key: ({ order }) => order })
const Other = event('Other', z.object({ order: z.string() }))

let lives = 0

async function started(stage: Stage, parts: App): Promise<Runtime & { end(): Promise<void> }> {
  lives += 1
  const runtime = await stage.wait(startRuntime(parts, stage.ports(`app ${lives}`), { settings: { storeRestMs: 20 } }))
  return Object.assign(runtime, { end: () => stage.wait(runtime.stop()) })
}

async function publish(
  stage: Stage,
  runtime: Runtime,
  ...facts: Parameters<ReturnType<Runtime['serving']>['publish']>[0][]
): Promise<void> {
  const serving = runtime.serving(new AbortController().signal)
  for (const fact of facts) await stage.wait(serving.publish(fact))
}

const order = (number: number, customer: string, cents = 100) => Placed({ order: `o${number}`, customer, cents })
const quickly = { attempts: 1 }

for (const engine of engines) {
  test(`given a projection with order 1 parked, when repaired and redriven, then its row is the log's fold (${engine})`, async () => {
    const stage = await Stage.open(engine, { lanes: 4 })
    let broken = true
    const lastOrders = projection('last-orders', z.object({ id: z.string(), last: z.string(), cents: z.int() }), {
      key: 'id',
      retry: quickly,
      apply: (on) => [
        on(Placed, { by: ({ customer }) => customer }, async (rows, { order, customer, cents }) => {
          if (broken && order === 'o1') throw new Error('broken')
          const row = await rows.get(customer)
          rows.put({ id: customer, last: order, cents: (row?.cents ?? 0) + cents })
        }),
      ],
    })
    const runtime = await started(stage, app('shop', [Placed, lastOrders]))
    await publish(stage, runtime, order(1, 'carla', 5), order(2, 'carla', 7), order(3, 'dora', 11))
    await stage.pass(1_000)
    const rows = runtime.serving(new AbortController().signal).rows(lastOrders)
    assert.equal(await stage.wait(rows.get('carla')), undefined)
    assert.deepEqual(await stage.wait(rows.get('dora')), { id: 'dora', last: 'o3', cents: 11 })
    assert.equal((await stage.holds('last-orders')).get('carla')?.count, 2)
    broken = false
    await stage.request('last-orders', '*', { op: 'redrive', key: 'carla', by: 'ann', atMs: 1 })
    await stage.pass(1_000)
    assert.deepEqual(await stage.wait(rows.get('carla')), { id: 'carla', last: 'o2', cents: 12 })
  })

  test(`given rows without \`by\`, when two order keys meet in one, if deleted, then ROW_SHARED parks it (${engine})`, async () => {
    const stage = await Stage.open(engine, { lanes: 4 })
    const customers = projection('customers', z.object({ id: z.string(), last: z.string() }), {
      key: 'id',
      retry: quickly,
      apply: (on) => [
        on(Placed, (rows, { order, customer, cents }) => (cents === 0 ? rows.delete(customer) : rows.put({ id: customer, last: order }))),
      ],
    })
    const runtime = await started(stage, app('shop', [Placed, customers]))
    await publish(stage, runtime, order(1, 'carla'), order(1, 'carla', 0))
    await stage.pass(1_000)
    await publish(stage, runtime, order(2, 'carla'), order(3, 'dora'))
    await stage.pass(1_000)
    const holds = await stage.holds('customers')
    assert.deepEqual(
      [...holds].map(([key, { state, error }]) => [key, state, error?.code]),
      [['o2', 'parked', 'ROW_SHARED']],
    )
    assert.match(holds.get('o2')?.error?.message ?? '', /by/)
  })
}

test('given `once`, when the same thing comes twice, then it is done once and the other is counted; what parked was not done', async () => {
  const stage = await Stage.open('memory')
  const seen: string[] = []
  let fails = true
  const thank = fn('thank', Placed, {
    from: 'start',
    once: { by: ({ customer }) => customer, within: '1d' },
    retry: quickly,
    run({ order, customer }) {
      if (customer === 'dora' && fails) throw new Error('fails')
      seen.push(order)
    },
  })
  const runtime = await started(stage, app('shop', [Placed, thank]))
  await publish(stage, runtime, order(1, 'carla'), order(2, 'carla'), order(3, 'dora'))
  await stage.pass(1_000)
  fails = false
  await publish(stage, runtime, order(4, 'dora'), order(5, 'dora'))
  await stage.pass(1_000)
  assert.deepEqual(seen, ['o1', 'o4'])
  await stage.request('thank', '0-1023', { op: 'redrive', key: 'o3', by: 'ann', atMs: 1 })
  await stage.pass(1_000)
  assert.deepEqual(seen, ['o1', 'o4'])
  const { counts } = await stage.record('thank')
  assert.deepEqual({ done: counts.done, once: counts.once }, { done: 5, once: 3 })
  await stage.pass(86_400_000)
  await publish(stage, runtime, order(6, 'carla'))
  await stage.pass(1_000)
  assert.deepEqual(seen, ['o1', 'o4', 'o6'])
})

test('given `order: none`, when an event of a key fails, then it parks alone and later ones of the key are done', async () => {
  const stage = await Stage.open('memory')
  const seen: number[] = []
  const thank = fn('thank', Placed, {
    from: 'start',
    order: 'none',
    retry: quickly,
    run({ cents }) {
      if (cents === 1) throw new Error('fails')
      seen.push(cents)
    },
  })
  const runtime = await started(stage, app('shop', [Placed, thank]))
  await publish(stage, runtime, order(1, 'carla', 1), order(1, 'carla', 2), order(1, 'carla', 3))
  await stage.pass(1_000)
  assert.deepEqual(seen, [2, 3])
  assert.deepEqual(
    [...(await stage.holds('thank')).values()].map(({ state, count }) => [state, count]),
    [['parked', 1]],
  )
})

test('given an order by field over four lanes, when events share it, then they run one by one in the order of the log', async () => {
  const stage = await Stage.open('memory', { lanes: 4 })
  const seen: number[] = []
  let inside = 0
  let most = 0
  const thank = fn('thank', Placed, {
    from: 'start',
    order: ({ customer }) => customer,
    async run({ cents, customer }) {
      if (customer !== 'carla') return
      most = Math.max(most, ++inside)
      await new Promise<void>((resolve) => void stage.world.after(stage.world.random.below(3_000), undefined, 0, resolve))
      inside -= 1
      seen.push(cents)
    },
  })
  const runtime = await started(stage, app('shop', [Placed, thank]))
  for (let n = 0; n < 40; n += 1) await publish(stage, runtime, order(n, n % 2 === 0 ? 'carla' : 'dora', n))
  await stage.pass(5_000)
  assert.equal(most, 1)
  assert.deepEqual(
    seen,
    Array.from({ length: 20 }, (_, n) => 2 * n),
  )
})

test('given an undeclared emit and an unlisted resource, when they run, then each parks by name and the rest goes on', async () => {
  const stage = await Stage.open('memory')
  const secret = resource('secret', { open: () => 1 })
  const done: string[] = []
  const emits = fn('emits', Placed, { from: 'start', retry: quickly, emits: [Thanked], run: ({ order }) => Other({ order }) as never })
  const uses = fn('uses', Placed, { from: 'start', retry: quickly, run: (_, ctx) => void ctx.use(secret) })
  const well = fn('well', Placed, {
    from: 'start',
    emits: [Thanked],
    run({ order }) {
      done.push(order)
      return Thanked({ order })
    },
  })
  const runtime = await started(stage, app('shop', [Placed, Thanked, Other, emits, uses, well]))
  await publish(stage, runtime, order(1, 'carla'), order(2, 'dora'))
  await stage.pass(1_000)
  const codes = async (name: string): Promise<unknown> => [...(await stage.holds(name)).values()].map(({ error }) => error?.code)
  assert.deepEqual(await codes('emits'), ['EMIT_UNDECLARED', 'EMIT_UNDECLARED'])
  assert.deepEqual(await codes('uses'), ['RESOURCE_NOT_LISTED', 'RESOURCE_NOT_LISTED'])
  assert.deepEqual(done, ['o1', 'o2'])
  assert.deepEqual((await stage.log()).filter(({ type }) => type === 'Thanked').length, 2)
  assert.ok(stage.heard('error', /emits parked key 'o1'.*Other/))
  assert.ok(stage.heard('error', /uses parked key 'o1'.*secret/))
})

test('given an attempt that emits and fails, when its retry emits, then only that stands, under one idempotency key', async () => {
  const stage = await Stage.open('memory')
  const keys: string[] = []
  const thank = fn('thank', Placed, {
    from: 'start',
    emits: [Thanked],
    retry: { attempts: 3, from: '10ms', to: '10ms' },
    run({ order }, ctx) {
      keys.push(ctx.idempotencyKey)
      ctx.emit(Thanked({ order: `${order} at ${ctx.attempt}` }))
      if (ctx.attempt < 3) throw new Error('fails')
    },
  })
  const runtime = await started(stage, app('shop', [Placed, Thanked, thank]))
  await publish(stage, runtime, order(1, 'carla'))
  await stage.pass(1_000)
  assert.deepEqual(
    (await stage.log()).filter(({ type }) => type === 'Thanked').map(({ data }) => JSON.parse(data) as unknown),
    [{ order: 'o1 at 3' }],
  )
  assert.equal(keys.length, 3)
  assert.equal(new Set(keys).size, 1)
})

test('given a parked event, when it is edited, then its idempotency key is another; when it is only redriven, it is the same', async () => {
  const stage = await Stage.open('memory')
  const keys: string[] = []
  const thank = fn('thank', Placed, {
    from: 'start',
    retry: quickly,
    run({ cents }, ctx) {
      keys.push(ctx.idempotencyKey)
      if (cents < 10) throw new Error('too little')
    },
  })
  const runtime = await started(stage, app('shop', [Placed, thank]))
  await publish(stage, runtime, order(1, 'carla', 1))
  await stage.pass(1_000)
  await stage.request('thank', '0-1023', { op: 'redrive', key: 'o1', by: 'ann', atMs: 1 })
  await stage.pass(1_000)
  const [held] = await stage.held('thank')
  const data = JSON.stringify({ order: 'o1', customer: 'carla', cents: 10 })
  await stage.request('thank', '0-1023', { op: 'edit', key: 'o1', position: held?.position ?? '', data, by: 'ann', atMs: 2 })
  await stage.pass(1_000)
  await stage.request('thank', '0-1023', { op: 'redrive', key: 'o1', by: 'ann', atMs: 3 })
  await stage.pass(1_000)
  const [first, second, third] = keys
  assert.equal(keys.length, 3)
  assert.equal(first, second)
  assert.notEqual(second, third)
  assert.equal((await stage.holds('thank')).size, 0)
})

test('given `once` in batches, when the same thing comes twice, then it is done once and what is skipped is counted', async () => {
  const stage = await Stage.open('memory')
  const seen: string[] = []
  const thank = fn('thank', batched(Placed, { size: 10, wait: '0s' }), {
    from: 'start',
    once: { by: ({ customer }) => customer, within: '1d' },
    run: (_, { items }) => void seen.push(...items.map(({ event }) => event.data.order)),
  })
  const runtime = await started(stage, app('shop', [Placed, thank]))
  const serving = runtime.serving(new AbortController().signal)
  await stage.wait(serving.publish([order(1, 'carla'), order(2, 'carla'), order(3, 'dora')]))
  await stage.pass(1_000)
  await publish(stage, runtime, order(4, 'dora'))
  await stage.pass(1_000)
  assert.deepEqual(seen, ['o1', 'o3'])
  const { counts } = await stage.record('thank')
  assert.deepEqual({ done: counts.done, once: counts.once }, { done: 4, once: 2 })
})
