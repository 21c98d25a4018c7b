/** What can happen in the shop. Whatever concerns one order is kept in order, by its id. */
import { event } from 'millrace'
import { z } from 'zod'

const currency = z.enum(['EUR', 'USD'])
const ofOrder = { key: (fact: { readonly orderId: string }) => fact.orderId }

export const OrderPlaced = event(
  'OrderPlaced',
  z.object({
    orderId: z.string().min(1).max(50),
    customerId: z.string().min(1).max(50),
    sku: z.string().min(1),
    cents: z.int().positive(),
    currency,
    /** The payment provider's token for a card. A card's number has no place in a log. */
    card: z.string().min(1),
  }),
  ofOrder,
)

export const PaymentTaken = event(
  'PaymentTaken',
  z.object({ orderId: z.string(), sku: z.string(), cents: z.int(), currency, payment: z.string() }),
  ofOrder,
)
export const PaymentDeclined = event('PaymentDeclined', z.object({ orderId: z.string(), because: z.string() }), ofOrder)
export const PaymentReturned = event('PaymentReturned', z.object({ orderId: z.string(), cents: z.int(), currency }), ofOrder)

export const StockReserved = event('StockReserved', z.object({ orderId: z.string(), reservation: z.string() }), ofOrder)
export const StockMissing = event('StockMissing', z.object({ orderId: z.string(), cents: z.int(), currency, payment: z.string() }), ofOrder)

export const OrderShipped = event('OrderShipped', z.object({ orderId: z.string(), parcel: z.string() }), ofOrder)
