/** The event that all are measured with, ours and the rivals': an order of 311 bytes as JSON text. */
import { z } from 'zod'

export const orderSchema = z.object({
  orderId: z.string(),
  customerId: z.string(),
  seq: z.int(),
  currency: z.enum(['EUR', 'USD']),
  total: z.number(),
  placedAt: z.string(),
  items: z.array(z.object({ sku: z.string(), title: z.string(), quantity: z.int(), price: z.number() })),
})

export type Order = z.infer<typeof orderSchema>

/** `keys`: so many customers, by whom order is kept. */
export function orderOf(seq: number, keys = 1_000): Order {
  return {
    orderId: `order-${String(seq).padStart(9, '0')}`,
    customerId: `customer-${String(seq % keys).padStart(6, '0')}`,
    seq,
    currency: 'EUR',
    total: 129.95,
    placedAt: '2026-01-02T03:04:05.678Z',
    items: [
      { sku: 'SKU-100234', title: 'Kettle, 1.7 litres', quantity: 2, price: 39.95 },
      { sku: 'SKU-200981', title: 'Tea, a tin, from Ceylon', quantity: 1, price: 50.05 },
    ],
  }
}
