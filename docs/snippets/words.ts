/** A bakery, for the guide on the words: each of them once, as small as it goes. */
import { app, batched, config, event, fn, projection, query, resource, route, start } from 'millrace'
import { z } from 'zod'

// #region event
export const Ordered = event(
  'Ordered',
  z.object({ orderId: z.string(), customer: z.string(), cents: z.int(), currency: z.enum(['EUR', 'USD']), note: z.string().optional() }),
  { key: ({ orderId }) => orderId },
)
export const Baked = event('Baked', z.object({ orderId: z.string(), oven: z.int() }), { key: ({ orderId }) => orderId })
// #endregion
export const Labelled = event('Labelled', z.object({ orderId: z.string(), label: z.string() }), { key: ({ orderId }) => orderId })

// #region resource
export const settings = config(z.object({ OVENS_URL: z.url(), OVENS_TOKEN: z.string() }), { secret: ['OVENS_TOKEN'] })

export const ovens = resource('ovens', {
  needs: { settings },
  open: ({ settings: { OVENS_URL, OVENS_TOKEN } }) => new Ovens(OVENS_URL, OVENS_TOKEN),
  close: (it) => it.hangUp(),
})
// #endregion

// #region fn
export const bake = fn('bake', Ordered, {
  where: { data: { cents: [{ numeric: ['>', 0] }], note: [{ exists: false }, { 'anything-but': { prefix: 'test' } }] } },
  emits: [Baked],
  retry: { attempts: 4, from: '1s', to: '5m' },
  timeout: '10s',
  concurrency: 8,
  async run({ orderId }, ctx) {
    const oven = await ctx.use(ovens).bake(orderId, ctx.idempotencyKey)
    return Baked({ orderId, oven })
  },
})
// #endregion

// #region once
export const welcome = fn('welcome', Ordered, {
  from: 'start',
  order: ({ customer }) => customer,
  once: { by: ({ customer }) => customer, within: '365d' },
  breaker: { share: 0.3, of: 50, rest: '5m' },
  retry: false,
  run: ({ customer }, ctx) => ctx.log.info(`welcome, ${customer}`),
})
// #endregion

// #region batched
export const label = fn('label', batched(Baked, { size: 100, wait: '5s' }), {
  emits: [Labelled],
  async run(all, ctx) {
    const labels = await printed(all.map(({ orderId }) => orderId))
    for (const [at, { event, emit }] of ctx.items.entries()) emit(Labelled({ orderId: event.data.orderId, label: labels[at] ?? '' }))
  },
})
// #endregion

// #region projection
const order = z.object({ orderId: z.string(), customer: z.string(), placedAt: z.string(), status: z.enum(['open', 'baked']) })

export const orders = projection('orders', order, {
  key: 'orderId',
  index: ['status', ['customer', 'placedAt']],
  apply: (on) => [
    on(Ordered, (rows, { orderId, customer }, fact) => rows.put({ orderId, customer, placedAt: fact.time, status: 'open' })),
    on(Baked, (rows, { orderId }) => rows.patch(orderId, { status: 'baked' })),
  ],
})
// #endregion

// #region by
export const takings = projection('takings', z.object({ currency: z.string(), cents: z.int() }), {
  key: 'currency',
  apply: (on) => [
    on(Ordered, { by: ({ currency }) => currency }, (rows, { currency, cents }) =>
      rows.change(currency, (row) => ({ currency, cents: (row?.cents ?? 0) + cents })),
    ),
  ],
})
// #endregion

// #region query
export const ordersOf = orders.query(
  'orders-of',
  z.object({ customer: z.string(), page: z.string().optional() }),
  (rows, { customer, page }) => rows.find({ where: { customer }, order: 'placedAt desc', size: 20, page }),
)

export const today = query('today', z.object({}), async (_, ctx) => ({
  open: await ctx.rows(orders).count({ status: 'open' }),
  euros: ((await ctx.rows(takings).get('EUR'))?.cents ?? 0) / 100,
}))
// #endregion

// #region route
export const routes = [
  route('POST /orders', Ordered),
  route('GET /customers/:customer/orders', ordersOf),
  route('GET /today', today),
  route('POST /orders/:orderId/again', async (request, ctx) => {
    const { customer } = z.object({ customer: z.string() }).parse(await request.json())
    return ctx.publish(Ordered({ orderId: `${request.params.orderId}-again`, customer, cents: 0, currency: 'EUR' }))
  }),
]
// #endregion

// #region app
export const bakery = app('bakery', [
  Ordered,
  Baked,
  Labelled,
  settings,
  ovens,
  bake,
  welcome,
  label,
  orders,
  takings,
  ordersOf,
  today,
  ...routes,
])
// #endregion

// #region start
/** May be broken off and run again: what is known already is not stored twice. */
export async function importOrders(lines: readonly string[], store: string): Promise<number> {
  await using running = await start(bakery, { store })
  let fresh = 0
  for (const line of lines) {
    const [orderId = '', customer = '', cents = ''] = line.split(',')
    const order = Ordered({ orderId, customer, cents: Number(cents), currency: 'EUR' })
    const { repeated } = await running.publish(order, { id: `import-${orderId}` })
    if (!repeated) fresh += 1
  }
  return fresh
}
// #endregion

/** A stand-in for a client of real ovens. */
export class Ovens {
  readonly #url: string
  readonly #token: string

  constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  async bake(orderId: string, idempotencyKey: string): Promise<number> {
    const headers = { authorization: `Bearer ${this.#token}`, 'idempotency-key': idempotencyKey }
    const answer = await fetch(`${this.#url}/bakings/${orderId}`, { method: 'PUT', headers })
    if (!answer.ok) throw new Error(`the ovens answered ${answer.status}`)
    return Number(await answer.text())
  }

  hangUp(): void {}
}

async function printed(orderIds: readonly string[]): Promise<readonly string[]> {
  return orderIds.map((orderId) => `label of ${orderId}`)
}
