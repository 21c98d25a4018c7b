/** What the apps need from outside: settings, and the services behind an interface that tests can replace. */
import { z } from 'zod'
import { config, replace, resource, type Resource } from '../../../src/entry/index.ts'

export const settings = config(
  z.object({
    PAYMENTS_URL: z.url(),
    PAYMENTS_KEY: z.string(),
    WAREHOUSE_URL: z.url().default('http://localhost:4002'),
    STRIPE_WEBHOOK_SECRET: z.string(),
    PAGE_SIZE: z.coerce.number().default(50),
  }),
  { secret: ['PAYMENTS_KEY', 'STRIPE_WEBHOOK_SECRET'] },
)

export interface Payments {
  charge(cents: number, key: string): Promise<{ id: string; fee: number }>
  refund(id: string, key: string): Promise<void>
}

export const payments: Resource<Payments> = resource('payments', {
  needs: { settings },
  open: ({ settings }) => httpPayments(settings.PAYMENTS_URL, settings.PAYMENTS_KEY),
})

export interface Warehouse {
  reserve(orderId: string): Promise<{ reservation: string; shelf: number }>
  release(reservation: string): Promise<void>
}

export const warehouse: Resource<Warehouse> = resource('warehouse', {
  needs: { settings },
  open: async ({ settings }) => {
    const call = async (path: string) => (await fetch(new URL(path, settings.WAREHOUSE_URL), { method: 'POST' })).json()
    return {
      reserve: async (orderId) => z.object({ reservation: z.string(), shelf: z.number() }).parse(await call(`/reserve/${orderId}`)),
      release: async (reservation) => void (await call(`/release/${reservation}`)),
    }
  },
  close: () => {},
})

function httpPayments(url: string, key: string): Payments {
  const headers = { authorization: `Bearer ${key}` }
  return {
    charge: async (cents, idempotencyKey) => {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'idempotency-key': idempotencyKey },
        body: JSON.stringify({ cents }),
      })
      return z.object({ id: z.string(), fee: z.number() }).parse(await answer.json())
    },
    refund: async (id) => void (await fetch(`${url}/${id}/refund`, { method: 'POST', headers })),
  }
}

export const refused = [
  // @ts-expect-error: a secret must be a setting
  () => config(z.object({ A: z.string() }), { secret: ['B'] }),
  // @ts-expect-error: no such setting
  () => settings.pick('PAYMENT_KEY'),
  () =>
    resource('needy', {
      needs: { settings },
      // @ts-expect-error: no such setting
      open: ({ settings }) => settings.PAYMENT_URL,
    }),
  // @ts-expect-error: to be opened is all a resource is for
  () => resource('x', { needs: { settings } }),
  // @ts-expect-error: half a payment service
  () => replace(payments, { charge: async () => ({ id: 'p', fee: 0 }) }),
]
