import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { z } from 'zod'
import { app } from '../define/app.ts'
import type { Asking } from '../define/context.ts'
import type { Definition } from '../define/definition.ts'
import { event } from '../define/event.ts'
import { fn } from '../define/fn.ts'
import { projection } from '../define/projection.ts'
import { query } from '../define/query.ts'
import { resource } from '../define/resource.ts'
import { decodeLane, laneKey } from '../flow/lane-record.ts'
import { fault, isFault } from '../kit/fault.ts'
import type { Code } from '../kit/fault-codes.ts'
import type { Store } from '../ports/store.ts'
import type { Fields } from '../ports/telemetry.ts'
import { memoryStore } from '../stores/memory.ts'
import { VirtualEnvironment } from '../testing/virtual-environment.ts'
import { startRuntime, type Runtime } from './runtime.ts'

const startMs = Date.parse('2026-05-01T10:00:00Z')
const Placed = event('Placed', z.object({ id: z.string(), cents: z.int() }), { key: ({ id }) => id })
const orders = projection('orders', z.object({ id: z.string(), cents: z.int() }), {
  key: 'id',
  index: ['cents'],
  apply: (on) => [on(Placed, (rows, data) => rows.put(data))],
})
const order = orders.query('order', z.object({ id: z.string(), size: z.coerce.number().int().default(1) }), (rows, { id }) => rows.get(id))

interface Started {
  readonly runtime: Runtime
  readonly store: Store
  readonly logged: (readonly [string, Fields | undefined])[]
}

let starts = 0

const aStore = (): Store => memoryStore({ nowMs: () => startMs, incarnation: 'one', lanes: 1 })

async function started(parts: readonly Definition[], store: Store = aStore()): Promise<Started> {
  const logged: (readonly [string, Fields | undefined])[] = []
  const environment = new VirtualEnvironment(startMs, (starts += 1), async () => turn())
  const telemetry = {
    count: () => {},
    record: () => {},
    span: <T>(_name: string, _of: object, run: () => T): T => run(),
    log: (_level: string, message: string, fields?: Fields) => void logged.push([message, fields]),
  }
  const runtime = await startRuntime(app('shop', parts), { store, environment, telemetry })
  return { runtime, store, logged }
}

const serving = (runtime: Runtime): ReturnType<Runtime['serving']> => runtime.serving(new AbortController().signal)

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; !(await what()); turns += 1) {
    assert.ok(turns < 1_000, 'it never came')
    await turn()
  }
}

const refused =
  (code: Code, ...words: readonly string[]) =>
  (error: unknown): boolean =>
    isFault(error, code) && words.every((word) => error.message.includes(word))

test('given an app, when a fact is published, then its functions and projections take it, and its queries answer', async () => {
  const seen: unknown[] = []
  const of = fn('f', Placed, {
    run: async ({ id }, ctx) => {
      ctx.log.info('taken', { id })
      seen.push([ctx.event.id, ctx.now(), ctx.signal.aborted])
    },
  })
  const { runtime, logged } = await started([Placed, orders, order, of])
  const { ask, publish, rows } = serving(runtime)
  await publish(Placed({ id: 'o', cents: 5 }), { id: 'x' })
  await until(async () => seen.length > 0 && (await ask(order, { id: 'o' })) !== undefined)
  assert.deepEqual(await ask(order, { id: 'o', size: '3' }), { id: 'o', cents: 5 })
  assert.deepEqual((await rows(orders).find({ where: { cents: 5 } })).rows, [{ id: 'o', cents: 5 }])
  assert.equal(await rows(orders).count(), 1)
  assert.deepEqual(seen, [['x', startMs, false]])
  assert.deepEqual(logged.find(([message]) => message === 'taken')?.[1], { from: 'f', id: 'o' })
  await runtime.stop()
})

test('given a query, when it is asked with what its input does not allow, then it is VALIDATION_FAILED, and it is not called', async () => {
  let calls = 0
  const counted = query('counted', z.object({ n: z.coerce.number() }), ({ n }) => (calls += n))
  const { runtime } = await started([counted])
  const { signal } = new AbortController()
  await assert.rejects(() => serving(runtime).ask(counted, { n: 'x' }), refused('VALIDATION_FAILED', 'query counted', '/n'))
  await assert.rejects(async () => runtime.door.ask(counted, {}, signal), refused('VALIDATION_FAILED'))
  assert.equal(calls, 0)
  assert.equal(await serving(runtime).ask(counted, { n: '4' }), 4)
  assert.equal(await runtime.door.ask(counted, { n: 3 }, signal), 7)
  await runtime.stop()
})

test('given a query, when it runs, then it may ask others, under the signal of who asked first, and logs under its own name', async () => {
  const controller = new AbortController()
  const inner = query('inner', z.object({}), (_, { signal, log }) => (log.warn('here'), signal))
  const outer = query('outer', z.object({}), (_, { ask }) => ask(inner, {}))
  const { runtime, logged } = await started([inner, outer])
  const one = runtime.serving(controller.signal)
  assert.equal(await one.ask(outer, {}), controller.signal)
  assert.equal({ ...one }.signal, controller.signal)
  assert.deepEqual(logged.at(-1), ['here', { from: 'inner' }])
  await runtime.stop()
})

test('given what the app does not list, when rows or a resource of it are asked for, then it is RESOURCE_NOT_LISTED', async () => {
  const pool = resource('pool', { open: () => 1 })
  const asks = (what: (asking: Asking) => unknown): Definition & ReturnType<typeof query<z.ZodObject<{}>, unknown>> =>
    query('q', z.object({}), (_, asking) => what(asking))
  for (const [what, word] of [
    [({ rows }: Asking) => rows(orders).get('o'), 'projection orders'],
    [({ use }: Asking) => use(pool), 'resource pool'],
  ] as const) {
    const q = asks(what)
    const { runtime } = await started([Placed, fn('f', Placed, { run: () => {} }), q])
    await assert.rejects(async () => serving(runtime).ask(q, {}), refused('RESOURCE_NOT_LISTED', word))
    await runtime.stop()
  }
})

test('given a runtime, when it is stopped twice at once, then both wait until all is over, and a resource closes once', async () => {
  const closing = Promise.withResolvers<void>()
  const log: string[] = []
  const pool = resource('pool', {
    open: () => 1,
    close: async () => {
      log.push('closing')
      await closing.promise
    },
  })
  const { runtime } = await started([pool])
  const first = runtime.stop().then(() => log.push('first'))
  const second = runtime.stop().then(() => log.push('second'))
  await until(() => log.length > 0)
  await turn()
  assert.deepEqual(log, ['closing'])
  closing.resolve()
  await Promise.all([first, second])
  await runtime.stop()
  assert.deepEqual(log, ['closing', 'first', 'second'])
})

test('given a runtime that stops, when something is published, then it is rejected, and it says that it is not ready', async () => {
  const { runtime } = await started([Placed, orders])
  const { publish } = serving(runtime)
  assert.deepEqual(runtime.door.unready(), [])
  const stopping = runtime.stop()
  // A promise, not a throw: whoever has only a `catch` on it is told.
  await assert.rejects(publish(Placed({ id: 'o', cents: 1 })), refused('STORE_CLOSED', 'shop stops'))
  await assert.rejects(runtime.door.publish([{ type: 'Placed', data: { id: 'o', cents: 1 } }], {}), refused('STORE_CLOSED', 'shop stops'))
  assert.deepEqual(runtime.door.unready(), ['it stops'])
  await stopping
})

test('given an app with something wrong, when started, then it is APP_INVALID, and nothing is opened', async () => {
  let opened = 0
  const pool = resource('pool', { open: () => (opened += 1) })
  await assert.rejects(() => started([pool, orders]), refused('APP_INVALID', 'event Placed 1'))
  assert.equal(opened, 0)
})

test('given a store that fails while the app starts, when it is given up, then its lanes are let go and its resources closed', async () => {
  const store = aStore()
  let closed = 0
  const failing: Store = Object.assign(Object.create(store) as Store, {
    limits: store.limits,
    incarnation: store.incarnation,
    commit: async (change: Parameters<Store['commit']>[0]) => {
      if (change.puts.some(({ kind }) => kind === 'indexes')) throw fault('STORE_FULL')
      return store.commit(change)
    },
    get: async (keys: Parameters<Store['get']>[0]) => store.get(keys),
    scan: async (range: Parameters<Store['scan']>[0]) => store.scan(range),
    read: async (...args: Parameters<Store['read']>) => store.read(...args),
    changed: async (...args: Parameters<Store['changed']>) => store.changed(...args),
  })
  const pool = resource('pool', { open: () => 1, close: () => void (closed += 1) })
  await assert.rejects(() => started([Placed, orders, pool], failing), refused('STORE_FULL'))
  assert.equal(closed, 1)
  const [lane] = await store.get([laneKey('orders', store.limits.lanes[0]?.name ?? '')])
  assert.equal(lane === undefined ? undefined : decodeLane(lane.value).owner, '')
})

test('given a projection that is renamed, when the app starts again, then its rows are found under the new name', async () => {
  const first = await started([Placed, orders])
  await serving(first.runtime).publish(Placed({ id: 'o', cents: 5 }))
  await until(async () => (await serving(first.runtime).rows(orders).get('o')) !== undefined)
  await first.runtime.stop()
  const sales = projection('sales', z.object({ id: z.string(), cents: z.int() }), {
    key: 'id',
    was: 'orders',
    apply: (on) => [on(Placed, (rows, data) => rows.put(data))],
  })
  const { runtime } = await started([Placed, sales], first.store)
  assert.deepEqual(await serving(runtime).rows(sales).get('o'), { id: 'o', cents: 5 })
  await runtime.stop()
})

test('given rows written without an index, when the app starts with it, then they are found, however often it comes and goes', async () => {
  const row = z.object({ id: z.string(), cents: z.int() })
  const indexed = (...index: readonly 'cents'[]): ReturnType<typeof projection<z.infer<typeof row>, 'id' | 'cents'>> =>
    projection('p', row, {
      key: 'id',
      index,
      apply: (on) => [on(Placed, (rows, data) => (data.cents < 0 ? rows.delete(data.id) : rows.put(data)))],
    })
  const plain = indexed()
  const better = indexed('cents')
  const store = aStore()
  const write = async (of: typeof plain, ids: readonly string[], cents: number): Promise<void> => {
    const { runtime } = await started([Placed, of], store)
    await serving(runtime).publish(ids.map((id) => Placed({ id, cents })))
    await until(
      async () =>
        ((
          await serving(runtime)
            .rows(of)
            .get(ids.at(-1) ?? '')
        )?.cents ?? -1) === cents,
    )
    await runtime.stop()
  }
  const found = async (cents: number): Promise<readonly string[]> => {
    const { runtime } = await started([Placed, better], store)
    const { rows } = await serving(runtime).rows(better).find({ where: { cents }, size: 1_000 })
    await runtime.stop()
    return rows.map(({ id }) => id)
  }
  const many = Array.from({ length: 600 }, (_, i) => `o${String(i).padStart(3, '0')}`)
  await write(plain, many, 5)
  await write(plain, ['o000'], -1)
  assert.deepEqual(await found(5), many.slice(1))
  await write(better, ['o001'], 6)
  await write(plain, ['o002', 'o003'], 7)
  await write(better, ['o002'], 8)
  assert.deepEqual([await found(6), await found(7), await found(8)], [['o001'], ['o003'], ['o002']])
  assert.equal((await found(5)).length, 596)
})
