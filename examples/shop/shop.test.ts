import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { replace } from 'millrace'
import { testApp, type TestApp } from 'millrace/testing'
import { shop } from './src/app.ts'
import { OrderPlaced, OrderShipped, PaymentDeclined, PaymentReturned, PaymentTaken, StockReserved } from './src/events.ts'
import { payments, type Charged, type Payments } from './src/payments.ts'
import { orderOf, orders, ordersOf, revenueToday } from './src/projections.ts'
import { warehouse, type Reserved, type Warehouse } from './src/warehouse.ts'

const env = { PAYMENTS_URL: 'http://payments.invalid', WAREHOUSE_URL: 'http://warehouse.invalid' }

interface Fakes {
  readonly charge?: (orderId: string, card: string) => Charged
  readonly reserve?: (orderId: string, sku: string) => Reserved
}

/** Providers that answer at once, and note each call: what for, and under which idempotency key. */
async function open(t: TestContext, fakes: Fakes = {}): Promise<TestApp & { readonly calls: readonly string[] }> {
  const calls: string[] = []
  const fakePayments: Payments = {
    charge: async ({ orderId, card }, { idempotencyKey }) => {
      calls.push(`charge ${orderId} ${idempotencyKey}`)
      return fakes.charge?.(orderId, card) ?? { outcome: 'taken', payment: `pay-${orderId}` }
    },
    refund: async ({ orderId }) => void calls.push(`refund ${orderId}`),
  }
  const fakeWarehouse: Warehouse = {
    reserve: async ({ orderId, sku }, { idempotencyKey }) => {
      calls.push(`reserve ${orderId} ${idempotencyKey}`)
      return fakes.reserve?.(orderId, sku) ?? { outcome: 'reserved', reservation: `shelf-${orderId}` }
    },
    ship: async ({ orderId }) => {
      calls.push(`ship ${orderId}`)
      return { outcome: 'shipped', parcel: `parcel-${orderId}` }
    },
  }
  const app = await testApp(shop, { env, replace: [replace(payments, fakePayments), replace(warehouse, fakeWarehouse)] })
  t.after(() => app.stop())
  return Object.assign(app, { calls })
}

function order(orderId: string, sku = 'lamp', card = 'tok_visa') {
  return OrderPlaced({ orderId, customerId: 'ada', sku, cents: 4_900, currency: 'EUR', card })
}

function keysOf(calls: readonly string[], what: string): string[] {
  return calls.filter((call) => call.startsWith(`${what} `)).map((call) => call.slice(what.length + 1))
}

test('given an order over HTTP, when it is paid, then it ships, and both questions know it', async (t) => {
  const app = await open(t)
  const body = JSON.stringify(order('o-1').data)
  const post = { method: 'POST', headers: { 'content-type': 'application/json', 'idempotency-key': 'o-1' }, body }
  assert.equal((await app.fetch('/orders', post)).status, 202)
  const expected = {
    orderId: 'o-1',
    customerId: 'ada',
    sku: 'lamp',
    cents: 4_900,
    currency: 'EUR',
    status: 'shipped',
    note: 'parcel-o-1',
    placedAt: '2026-01-01T00:00:00.000Z',
  }
  assert.deepEqual(await (await app.fetch('/orders/o-1')).json(), expected)
  assert.deepEqual(await (await app.fetch('/customers/ada/orders')).json(), { rows: [expected] })
  const today = [{ id: '2026-01-01 EUR', day: '2026-01-01', currency: 'EUR', orders: 1, cents: 4_900 }]
  assert.deepEqual(await (await app.fetch('/revenue/today')).json(), today)
  assert.equal((await app.fetch('/orders', post)).status, 200, 'the same once more is known')
  assert.equal((await app.fetch('/orders', { ...post, body: body.replace('4900', '1') })).status, 409)
  assert.equal((await app.fetch('/orders/o-2')).status, 404)
  assert.equal(app.emitted(OrderShipped).length, 1)
})

test('given an order that is no order, when it is posted, then every fault of it is told, and nothing happens', async (t) => {
  const app = await open(t)
  const body = JSON.stringify({ ...order('o-1').data, cents: -1, currency: 'XYZ' })
  const answer = await app.fetch('/orders', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  assert.equal(answer.status, 422)
  const { errors } = (await answer.json()) as { readonly errors: readonly { readonly pointer: string }[] }
  assert.deepEqual(errors.map(({ pointer }) => pointer).toSorted(), ['/cents', '/currency'])
  assert.deepEqual(app.emitted(OrderPlaced), [])
  assert.deepEqual(app.calls, [])
})

test('given a declined card, when the order is placed, then it ends there, and nobody calls again', async (t) => {
  const app = await open(t, { charge: () => ({ outcome: 'declined', because: 'insufficient funds' }) })
  await app.publish(order('o-1'))
  await app.advance('1h')
  assert.deepEqual(app.emitted(PaymentDeclined), [{ orderId: 'o-1', because: 'insufficient funds' }])
  assert.equal(app.calls.length, 1)
  assert.equal((await app.ask(orderOf, { orderId: 'o-1' }))?.status, 'declined')
  assert.deepEqual(await app.ask(revenueToday, {}), [])
  app.expectHealthy()
})

test('given nothing on the shelf, when the order is paid, then the money goes back', async (t) => {
  const app = await open(t, { reserve: () => ({ outcome: 'missing' }) })
  await app.publish(order('o-1'))
  assert.deepEqual(app.emitted(PaymentReturned), [{ orderId: 'o-1', cents: 4_900, currency: 'EUR' }])
  assert.equal((await app.ask(orderOf, { orderId: 'o-1' }))?.status, 'refunded')
  assert.deepEqual(
    (await app.ask(revenueToday, {})).map(({ orders: count, cents }) => [count, cents]),
    [[0, 0]],
  )
})

test('given a provider that fails twice, when it works again, then the order ships, under one idempotency key', async (t) => {
  let failures = 2
  const app = await open(t, {
    charge: () => {
      if (failures === 0) return { outcome: 'taken', payment: 'pay-1' }
      failures -= 1
      throw new Error('/charges answered 503')
    },
  })
  await app.publish(order('o-1'))
  assert.equal(app.calls.length, 1, 'it waits before it calls again')
  await app.advance('10s')
  const keys = keysOf(app.calls, 'charge o-1')
  assert.equal(keys.length, 3)
  assert.equal(new Set(keys).size, 1)
  assert.deepEqual(
    app.emitted(PaymentTaken).map(({ payment }) => payment),
    ['pay-1'],
  )
  assert.equal(app.emitted(OrderShipped).length, 1)
  app.expectHealthy()
})

test('given a poison order, when it has failed to the end, then it is parked, others flow, and a redrive completes it once', async (t) => {
  let mended = false
  const app = await open(t, {
    reserve: (_, sku) => {
      if (sku === 'ghost' && !mended) throw new Error('/reservations answered what nobody can use')
      return { outcome: 'reserved', reservation: 'shelf-1' }
    },
  })
  await app.publish(order('o-1', 'ghost'))
  await app.publish([order('o-2'), order('o-3')])
  await app.advance('10s')
  const statuses = async () => (await app.ask(ordersOf, { customerId: 'ada' })).rows.map((row) => `${row.orderId} ${row.status}`).toSorted()
  assert.deepEqual(await statuses(), ['o-1 paid', 'o-2 shipped', 'o-3 shipped'])
  assert.deepEqual(
    app.deadLetters().map(({ consumer, key, attempts }) => ({ consumer, key, attempts })),
    [{ consumer: 'reserve', key: 'o-1', attempts: 5 }],
  )

  mended = true
  assert.equal(await app.redrive(), 1)
  assert.deepEqual(await statuses(), ['o-1 shipped', 'o-2 shipped', 'o-3 shipped'])
  assert.deepEqual(app.deadLetters(), [])
  const reserved = keysOf(app.calls, 'reserve o-1')
  assert.equal(reserved.length, 6)
  assert.equal(new Set(reserved).size, 1, 'a redrive keeps the key')
  assert.equal(keysOf(app.calls, 'charge o-1').length, 1, 'what was done before is not done again')
  assert.equal(app.emitted(StockReserved).filter(({ orderId }) => orderId === 'o-1').length, 1)
  assert.equal(app.emitted(OrderShipped).filter(({ orderId }) => orderId === 'o-1').length, 1)
})

test('given an order that is placed twice under two ids, when both arrive, then it is charged and shipped once', async (t) => {
  const app = await open(t)
  await app.publish(order('o-1'), { id: 'a' })
  await app.publish(order('o-1'), { id: 'b' })
  assert.equal(app.emitted(OrderPlaced).length, 2)
  assert.equal(keysOf(app.calls, 'charge o-1').length, 1)
  assert.equal(app.emitted(OrderShipped).length, 1)
  assert.equal((await app.rows(orders).get('o-1'))?.status, 'shipped')
})

test('given more orders than a page holds, when pages are followed, then each order is there once, the newest first', async (t) => {
  const app = await open(t)
  for (let n = 1; n <= 25; n += 1) {
    await app.publish(order(`o-${String(n).padStart(2, '0')}`))
    await app.advance('1s')
  }
  const first = await app.ask(ordersOf, { customerId: 'ada' })
  const second = await app.ask(ordersOf, { customerId: 'ada', page: first.next })
  assert.deepEqual([first.rows.length, second.rows.length, second.next], [20, 5, undefined])
  const ids = [...first.rows, ...second.rows].map(({ orderId }) => orderId)
  assert.deepEqual(ids, ids.toSorted().toReversed())
  assert.equal(new Set(ids).size, 25)
})
