/** A signed webhook, for the guide: what a billing service sends becomes an event of our own. */
// #region hook
import { app, config, event, fn, standardWebhooks, webhook } from 'millrace'
import { z } from 'zod'

export const settings = config(z.object({ BILLING_SECRET: z.string().startsWith('whsec_') }), { secret: ['BILLING_SECRET'] })

export const InvoicePaid = event('InvoicePaid', z.object({ invoiceId: z.string(), cents: z.int() }), {
  key: ({ invoiceId }) => invoiceId,
})

export const hook = webhook('/hooks/billing', InvoicePaid, {
  verify: standardWebhooks(settings.pick('BILLING_SECRET')),
  body: z.object({ data: z.object({ id: z.string(), amount: z.int() }) }),
  data: ({ data }) => ({ invoiceId: data.id, cents: data.amount }),
})
// #endregion

export const thank = fn('thank', InvoicePaid, { run: ({ invoiceId }, ctx) => ctx.log.info(`thank you for ${invoiceId}`) })

export const billing = app('billing', [settings, InvoicePaid, hook, thank])
