/** The payment provider, behind an interface that a test can replace. */
import { resource, type Resource } from 'millrace'
import { z } from 'zod'
import { callProvider, type Calling } from './provider-call.ts'
import { settings } from './settings.ts'

export interface Payments {
  charge(
    charge: { readonly orderId: string; readonly cents: number; readonly currency: string; readonly card: string },
    calling: Calling,
  ): Promise<Charged>
  refund(refund: { readonly orderId: string; readonly payment: string }, calling: Calling): Promise<void>
}

export type Charged = z.infer<typeof charged>

/** A declined card is an answer, not an error: to ask again would not help. */
const charged = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('taken'), payment: z.string() }),
  z.object({ outcome: z.literal('declined'), because: z.string() }),
])
const refunded = z.object({ outcome: z.literal('returned') })

export const payments: Resource<Payments> = resource('payments', {
  needs: { settings },
  open: ({ settings: { PAYMENTS_URL: url } }): Payments => ({
    charge: (charge, calling) => callProvider(new URL('/charges', url), charge, charged, calling),
    refund: async (refund, calling) => void (await callProvider(new URL('/refunds', url), refund, refunded, calling)),
  }),
})
