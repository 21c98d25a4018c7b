/** The warehouse, behind an interface that a test can replace. */
import { resource, type Resource } from 'millrace'
import { z } from 'zod'
import { callProvider, type Calling } from './provider-call.ts'
import { settings } from './settings.ts'

export interface Warehouse {
  reserve(wanted: { readonly orderId: string; readonly sku: string }, calling: Calling): Promise<Reserved>
  ship(parcel: { readonly orderId: string; readonly reservation: string }, calling: Calling): Promise<Shipped>
}

export type Reserved = z.infer<typeof reserved>
export type Shipped = z.infer<typeof shipped>

const reserved = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('reserved'), reservation: z.string() }),
  z.object({ outcome: z.literal('missing') }),
])
const shipped = z.object({ outcome: z.literal('shipped'), parcel: z.string() })

export const warehouse: Resource<Warehouse> = resource('warehouse', {
  needs: { settings },
  open: ({ settings: { WAREHOUSE_URL: url } }): Warehouse => ({
    reserve: (wanted, calling) => callProvider(new URL('/reservations', url), wanted, reserved, calling),
    ship: (parcel, calling) => callProvider(new URL('/parcels', url), parcel, shipped, calling),
  }),
})
