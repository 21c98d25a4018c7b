/** A shop: every word once, and what must not compile. */
import { z } from 'zod'
import { event, fn, projection, query, route, standardWebhooks, webhook } from '../../../src/entry/index.ts'
import { payments, settings } from './settings.ts'

// ── events ──────────────────────────────────────────────────────────────────
export const OrderPlacedV1 = event('OrderPlaced', z.object({ orderId: z.string(), customerId: z.string(), cents: z.int() }))

export const OrderPlaced = event(
  'OrderPlaced',
  z.object({ orderId: z.string(), customerId: z.string(), cents: z.int(), currency: z.enum(['EUR', 'USD']), note: z.string().optional() }),
  { version: 2, key: (order) => order.orderId, upcast: (from) => from(OrderPlacedV1, (old) => ({ ...old, currency: 'EUR' })) },
)
export const PaymentTaken = event('PaymentTaken', z.object({ orderId: z.string(), payment: z.string(), cents: z.int() }), {
  key: (p) => p.orderId,
})
export const PaymentFailed = event('PaymentFailed', z.object({ orderId: z.string(), because: z.string() }), { key: (p) => p.orderId })
export const OrderShipped = event('OrderShipped', z.object({ orderId: z.string(), carrier: z.string() }), { key: (o) => o.orderId })
export const OrderCancelled = event('OrderCancelled', z.object({ orderId: z.string(), because: z.string() }), { key: (o) => o.orderId })
export const CancelAsked = event('CancelAsked', z.object({ orderId: z.string() }), { key: (o) => o.orderId })

// ── functions ───────────────────────────────────────────────────────────────
export const charge = fn('charge-card', OrderPlaced, {
  where: { data: { cents: [{ numeric: ['>', 0] }], currency: ['EUR', 'USD'], note: [{ exists: false }, { suffix: '!' }] } },
  emits: [PaymentTaken, PaymentFailed],
  retry: { attempts: 6, from: '200ms', to: '1m' },
  timeout: '10s',
  concurrency: 20,
  breaker: true,
  async run(order, ctx) {
    const payment = await ctx.use(payments).charge(order.cents, ctx.idempotencyKey)
    return PaymentTaken({ orderId: order.orderId, payment: payment.id, cents: order.cents - payment.fee })
  },
})

export const audit = fn('audit', [OrderPlaced, OrderShipped], {
  where: { $or: [{ type: ['OrderShipped'] }, { subject: [{ prefix: 'vip/' }] }] },
  run(data, ctx) {
    ctx.log.info(`${ctx.event.type} of ${data.orderId}`)
    if (ctx.event.type === 'OrderShipped') ctx.log.info(`by ${ctx.event.data.carrier}`)
  },
})

// ── projection and queries ──────────────────────────────────────────────────
export const orders = projection(
  'orders',
  z.object({
    orderId: z.string(),
    customerId: z.string(),
    status: z.enum(['open', 'shipped', 'cancelled']),
    cents: z.int(),
    placedAt: z.iso.datetime(),
  }),
  {
    key: 'orderId',
    index: ['status', ['customerId', 'placedAt']],
    apply: (on) => [
      on(OrderPlaced, (rows, { orderId, customerId, cents }, fact) =>
        rows.put({ orderId, customerId, cents, status: 'open', placedAt: fact.time }),
      ),
      on(OrderShipped, (rows, { orderId }) => rows.patch(orderId, { status: 'shipped' })),
      on(OrderCancelled, (rows, { orderId }) => rows.patch(orderId, { status: 'cancelled' })),
    ],
  },
)

export const ordersOf = orders.query(
  'orders-of-customer',
  z.object({ customerId: z.string(), page: z.string().optional() }),
  (rows, { customerId, page }, ctx) =>
    rows.find({ where: { customerId }, order: 'placedAt desc', size: ctx.use(settings).PAGE_SIZE, page }),
)

/** One row for many orders: without `by` their turns would meet in it, and the second key to write it would be ROW_SHARED. */
export const revenue = projection('revenue', z.object({ id: z.string(), currency: z.string(), day: z.string(), cents: z.int() }), {
  key: 'id',
  index: ['day'],
  retry: { attempts: 10 },
  was: 'takings',
  apply: (on) => [
    on(
      OrderPlaced,
      { by: (order) => order.currency, where: { data: { cents: [{ numeric: ['>', 0] }] } } },
      (rows, { currency, cents }, fact) => {
        const day = fact.time.slice(0, 10)
        rows.change(`${currency} ${day}`, (row) => ({ id: `${currency} ${day}`, currency, day, cents: (row?.cents ?? 0) + cents }))
      },
    ),
  ],
})
export const revenueToday = revenue.query('revenue-today', z.object({}), (rows, _, ctx) =>
  rows.find({ where: { day: new Date(ctx.now()).toISOString().slice(0, 10) } }),
)

export const open = query('open', z.object({}), async (_, ctx) => ({ orders: await ctx.rows(orders).count({ status: 'open' }) }))

// ── doors ───────────────────────────────────────────────────────────────────
export const postOrder = route('POST /orders', OrderPlaced)
export const postShipment = route('POST /orders/:orderId/shipment', OrderShipped)
export const getOrders = route('GET /customers/:customerId/orders', ordersOf)
export const getRevenue = route('GET /revenue/today', revenueToday)
export const card = route('GET /customers/:customerId/card', (request) => ({ customer: request.params.customerId }))
export const cancel = route('POST /orders/:orderId/cancel', async (request, ctx) => {
  const { ids } = await ctx.publish(CancelAsked({ orderId: request.params.orderId }), {
    id: request.headers.get('idempotency-key') ?? request.params.orderId,
  })
  return { ids }
})

export const PaymentReported = event(
  'PaymentReported',
  z.object({ order: z.string(), payment: z.string(), cents: z.int(), ok: z.boolean() }),
  { key: (p) => p.order },
)
export const paymentHook = webhook('/hooks/payments', PaymentReported, { verify: standardWebhooks(settings.pick('STRIPE_WEBHOOK_SECRET')) })

export const settled = fn('payment-settled', PaymentReported, {
  emits: [PaymentTaken, PaymentFailed],
  once: { by: (body) => body.payment, within: '7d' },
  order: 'key',
  run: ({ order: orderId, payment, cents, ok }) =>
    ok ? PaymentTaken({ orderId, payment, cents }) : PaymentFailed({ orderId, because: 'refused' }),
})

// ── what must not compile ───────────────────────────────────────────────────
export const refused = [
  () => {
    // @ts-expect-error: a field is missing
    OrderShipped({ orderId: 'o-1' })
    // @ts-expect-error: a field too many
    OrderShipped({ orderId: 'o-1', carrier: 'post', colour: 'red' })
    // @ts-expect-error: a Date is no JSON
    event('Dated', z.object({ at: z.date() }))
    // @ts-expect-error: nor is a bigint, however deep
    event('Big', z.object({ lines: z.array(z.object({ n: z.bigint() })) }))
    event('OrderPlaced', z.object({ orderId: z.string(), currency: z.string() }), {
      version: 2,
      // @ts-expect-error: the upcaster forgets the currency
      upcast: (from) => from(OrderPlacedV1, (old) => ({ orderId: old.orderId })),
    })
    event('OrderPlaced', z.object({ orderId: z.string(), currency: z.string() }), {
      version: 2,
      // @ts-expect-error: not a field of version 1
      upcast: (from) => from(OrderPlacedV1, (old) => ({ ...old, currency: old.currency })),
    })
    // @ts-expect-error: the key must be a string
    event('Keyed', z.object({ n: z.number() }), { key: (e) => e.n })
    // @ts-expect-error: no such option
    event('Keyed', z.object({ n: z.number() }), { keys: 'n' })
  },
  () =>
    fn('x', OrderPlaced, {
      // @ts-expect-error: cents is a number
      where: { data: { cents: ['12'] } },
      run: () => {},
    }),
  () =>
    fn('x', OrderPlaced, {
      // @ts-expect-error: not a field
      where: { data: { cent: [12] } },
      run: () => {},
    }),
  () =>
    fn('x', OrderPlaced, {
      // @ts-expect-error: not a currency that can occur
      where: { data: { currency: ['CHF'] } },
      run: () => {},
    }),
  () =>
    fn('x', OrderPlaced, {
      emits: [PaymentTaken],
      // @ts-expect-error: PaymentFailed is not declared in emits, so it may not be returned
      run(order, ctx) {
        // @ts-expect-error: nor emitted
        ctx.emit(PaymentFailed({ orderId: order.orderId, because: 'no' }))
        return PaymentFailed({ orderId: order.orderId, because: 'no' })
      },
    }),
  // @ts-expect-error: nothing declared, nothing emitted
  () => fn('x', OrderPlaced, { run: (order, ctx) => ctx.emit(PaymentFailed({ orderId: order.orderId, because: 'no' })) }),
  // @ts-expect-error: nothing declared, nothing returned
  () => fn('x', OrderPlaced, { run: (order) => PaymentFailed({ orderId: order.orderId, because: 'no' }) }),
  // @ts-expect-error: a handler that returns the result of its last call
  () => fn('x', OrderPlaced, { run: async () => ({ sent: true }) }),
  // @ts-expect-error: emits what is no event
  () => fn('x', OrderPlaced, { emits: ['PaymentTaken'], run: () => {} }),
  // @ts-expect-error: a name is no source
  () => fn('x', 'OrderPlaced', { run: () => {} }),
  // @ts-expect-error: not a duration
  () => fn('x', OrderPlaced, { timeout: '10 seconds', run: () => {} }),
  // @ts-expect-error: a duration has a unit
  () => fn('x', OrderPlaced, { retry: { attempts: 3, from: 200 }, run: () => {} }),
  // @ts-expect-error: no such option
  () => fn('x', OrderPlaced, { retries: 3, run: () => {} }),
  // @ts-expect-error: does nothing
  () => fn('x', OrderPlaced, { retry: false }),
  () =>
    orders.query('x', z.object({}), async (rows) => {
      // @ts-expect-error: cents has no index
      await rows.find({ where: { cents: 12 } })
      // @ts-expect-error: nor can it order
      await rows.find({ order: 'cents desc' })
      // @ts-expect-error: not a status
      await rows.find({ where: { status: 'lost' } })
      // @ts-expect-error: one way or the other
      await rows.find({ order: 'status down' })
      // @ts-expect-error: questions don't write
      rows.put({})
    }),
  () =>
    projection('x', z.object({ id: z.string() }), {
      key: 'id',
      // @ts-expect-error: rows are the log's fold: no counting in apply
      apply: (on) => [on(OrderPlaced, async (rows) => void (await rows.count()))],
    }),
  () =>
    projection('x', z.object({ id: z.string(), n: z.number() }), {
      // @ts-expect-error: no such column
      key: 'ident',
      apply: (on) => [
        // @ts-expect-error: n is missing
        on(OrderPlaced, (rows, order) => rows.put({ id: order.orderId })),
      ],
    }),
  () =>
    projection('x', z.object({ id: z.string(), n: z.number() }), {
      key: 'id',
      apply: (on) => [
        // @ts-expect-error: not a field to order by
        on(OrderPlaced, { by: (order) => order.customer }, (rows, order) => rows.patch(order.orderId, { n: 1 })),
        // @ts-expect-error: an order key is a string
        on(OrderPlaced, { by: (order) => order.cents }, (rows, order) => rows.patch(order.orderId, { n: 1 })),
        // @ts-expect-error: not a currency that can occur
        on(OrderPlaced, { where: { data: { currency: ['CHF'] } } }, (rows, order) => rows.patch(order.orderId, { n: 1 })),
        // @ts-expect-error: no such column
        on(OrderPlaced, { by: (order) => order.customerId }, (rows, order) => rows.patch(order.orderId, { m: 1 })),
        // @ts-expect-error: a changed row is a row
        on(OrderPlaced, (rows, order) => rows.change(order.orderId, (row) => ({ n: (row?.n ?? 0) + 1 }))),
        on(OrderCancelled, (rows, { orderId }) => rows.delete(orderId)),
      ],
    }),
  // @ts-expect-error: a projection begins somewhere
  () => projection('x', z.object({ id: z.string() }), { key: 'id', from: 'here', apply: () => [] }),
  // @ts-expect-error: rows are kept as JSON too
  () => projection('x', z.object({ id: z.string(), at: z.date() }), { key: 'id', apply: () => [] }),
  // @ts-expect-error: an index is of columns
  () => projection('x', z.object({ id: z.string() }), { key: 'id', index: ['at'], apply: () => [] }),
  // @ts-expect-error: a handler publishes facts, not events
  () => route('POST /a', (_, ctx) => ctx.publish(OrderShipped)),
  // @ts-expect-error: the options come second
  () => route('POST /a', (_, ctx) => ctx.publish(OrderShipped({ orderId: 'o-1', carrier: 'post' }), 'id')),
  // @ts-expect-error: nothing is emitted outside a turn
  () => route('POST /a', (_, ctx) => ctx.emit(CancelAsked({ orderId: 'o-1' }))),
  // @ts-expect-error: the query knows no :customer
  () => route('GET /customers/:customer/orders', ordersOf),
  // @ts-expect-error: nor does the event know :order
  () => route('POST /orders/:order/shipment', OrderShipped),
  // @ts-expect-error: no such method
  () => route('FETCH /orders', ordersOf),
  // @ts-expect-error: a query is asked by GET
  () => route('PUT /customers/:customerId/orders', ordersOf),
  // @ts-expect-error: whose input a body would not be
  () => route('POST /customers/:customerId/orders', ordersOf),
  // @ts-expect-error: GET publishes nothing
  () => route('GET /orders', OrderPlaced),
  // @ts-expect-error: not in the path
  () => route('GET /a/:b', (request) => request.params.c),
  // @ts-expect-error: a projection is asked by a query
  () => route('GET /orders', orders),
]
