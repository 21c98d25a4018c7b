/** What customers and the owner ask: rows made out of the events, and nothing else. */
import { projection } from 'millrace'
import { z } from 'zod'
import { OrderPlaced, OrderShipped, PaymentDeclined, PaymentReturned, PaymentTaken, StockMissing, StockReserved } from './events.ts'

const orderRow = z.object({
  orderId: z.string(),
  customerId: z.string(),
  sku: z.string(),
  cents: z.int(),
  currency: z.string(),
  status: z.enum(['placed', 'paid', 'declined', 'reserved', 'missing', 'refunded', 'shipped']),
  /** Why it was declined, or which parcel it is in. */
  note: z.string(),
  placedAt: z.string(),
})

export const orders = projection('orders', orderRow, {
  key: 'orderId',
  index: [['customerId', 'placedAt']],
  apply: (on) => [
    on(OrderPlaced, (rows, { card: _, ...order }, { time }) =>
      rows.change(order.orderId, (row) => row ?? { ...order, status: 'placed', note: '', placedAt: time }),
    ),
    on(PaymentTaken, (rows, { orderId }) => rows.patch(orderId, { status: 'paid' })),
    on(PaymentDeclined, (rows, { orderId, because }) => rows.patch(orderId, { status: 'declined', note: because })),
    on(StockReserved, (rows, { orderId }) => rows.patch(orderId, { status: 'reserved' })),
    on(StockMissing, (rows, { orderId }) => rows.patch(orderId, { status: 'missing' })),
    on(PaymentReturned, (rows, { orderId }) => rows.patch(orderId, { status: 'refunded' })),
    on(OrderShipped, (rows, { orderId, parcel }) => rows.patch(orderId, { status: 'shipped', note: parcel })),
  ],
})

export const ordersOf = orders.query(
  'orders-of',
  z.object({ customerId: z.string(), page: z.string().optional() }),
  (rows, { customerId, page }) => rows.find({ where: { customerId }, order: 'placedAt desc', size: 20, page }),
)

export const orderOf = orders.query('order-of', z.object({ orderId: z.string() }), (rows, { orderId }) => rows.get(orderId))

const revenueRow = z.object({ id: z.string(), day: z.string(), currency: z.string(), orders: z.int(), cents: z.int() })
type Revenue = z.infer<typeof revenueRow>

/** One row for many orders: `by` says that its events are taken in one order by currency, else two orders could meet in it. */
export const revenue = projection('revenue', revenueRow, {
  key: 'id',
  index: ['day'],
  apply: (on) => [
    on(PaymentTaken, { by: (payment) => payment.currency }, (rows, { currency, cents }, { time }) => {
      const none = emptyDay(time, currency)
      rows.change(none.id, (row = none) => ({ ...row, orders: row.orders + 1, cents: row.cents + cents }))
    }),
    on(PaymentReturned, { by: (payment) => payment.currency }, (rows, { currency, cents }, { time }) => {
      const none = emptyDay(time, currency)
      rows.change(none.id, (row = none) => ({ ...row, orders: row.orders - 1, cents: row.cents - cents }))
    }),
  ],
})

export const revenueToday = revenue.query('revenue-today', z.object({}), async (rows, _, ctx) => {
  const { rows: today } = await rows.find({ where: { day: dayOf(new Date(ctx.now()).toISOString()) } })
  return today
})

function emptyDay(time: string, currency: string): Revenue {
  const day = dayOf(time)
  return { id: `${day} ${currency}`, day, currency, orders: 0, cents: 0 }
}

function dayOf(time: string): string {
  return time.slice(0, 10)
}
