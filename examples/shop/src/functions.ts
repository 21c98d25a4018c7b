/**
 * The way of an order, one function a step. What a function returns is published in the commit that settles its event: exactly once.
 *
 *   OrderPlaced ─charge─▶ PaymentTaken ─reserve─▶ StockReserved ─ship─▶ OrderShipped
 *                    └──▶ PaymentDeclined    └──▶ StockMissing ─refund─▶ PaymentReturned
 */
import { fn } from 'millrace'
import { OrderPlaced, OrderShipped, PaymentDeclined, PaymentReturned, PaymentTaken, StockMissing, StockReserved } from './events.ts'
import { payments } from './payments.ts'
import { warehouse } from './warehouse.ts'

/** Short, so that one can watch it: five attempts are over after five seconds at most. In earnest the pauses are longer. */
const retry = { attempts: 5, from: '400ms', to: '3s' } as const
/** When half of the last calls fail, whoever the customer, the provider is left alone for a while, and no order loses an attempt by it. */
const breaker = { share: 0.5, of: 20, rest: '1s' } as const
const calling = { retry, breaker, timeout: '2s' } as const

export const charge = fn('charge', OrderPlaced, {
  emits: [PaymentTaken, PaymentDeclined],
  ...calling,
  concurrency: 8,
  /** Somebody who sends an order twice pays once. */
  once: { by: (order) => order.orderId, within: '7d' },
  async run({ orderId, sku, cents, currency, card }, ctx) {
    const answer = await ctx.use(payments).charge({ orderId, cents, currency, card }, ctx)
    if (answer.outcome === 'declined') return PaymentDeclined({ orderId, because: answer.because })
    return PaymentTaken({ orderId, sku, cents, currency, payment: answer.payment })
  },
})

export const reserve = fn('reserve', PaymentTaken, {
  emits: [StockReserved, StockMissing],
  ...calling,
  concurrency: 4,
  async run({ orderId, sku, cents, currency, payment }, ctx) {
    const answer = await ctx.use(warehouse).reserve({ orderId, sku }, ctx)
    if (answer.outcome === 'missing') return StockMissing({ orderId, cents, currency, payment })
    return StockReserved({ orderId, reservation: answer.reservation })
  },
})

export const refund = fn('refund', StockMissing, {
  emits: [PaymentReturned],
  ...calling,
  async run({ orderId, cents, currency, payment }, ctx) {
    await ctx.use(payments).refund({ orderId, payment }, ctx)
    return PaymentReturned({ orderId, cents, currency })
  },
})

export const ship = fn('ship', StockReserved, {
  emits: [OrderShipped],
  ...calling,
  concurrency: 4,
  async run({ orderId, reservation }, ctx) {
    const { parcel } = await ctx.use(warehouse).ship({ orderId, reservation }, ctx)
    return OrderShipped({ orderId, parcel })
  },
})

/** A line for whoever watches. */
export const tell = fn('tell', [OrderPlaced, PaymentTaken, PaymentDeclined, StockReserved, StockMissing, PaymentReturned, OrderShipped], {
  run: ({ orderId }, ctx) => ctx.log.info(`${orderId}: ${ctx.event.type}`),
})
