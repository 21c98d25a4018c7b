/** An app for the guides: parcels are booked with a carrier, and rows say where each one is. */
import { app, event, fn, projection, resource } from 'millrace'
import { z } from 'zod'

const ofParcel = { key: (fact: { readonly parcelId: string }) => fact.parcelId }
export const ParcelPacked = event('ParcelPacked', z.object({ parcelId: z.string(), grams: z.int() }), ofParcel)
export const ParcelBooked = event('ParcelBooked', z.object({ parcelId: z.string(), label: z.string() }), ofParcel)

// #region book
export interface Carrier {
  /** Gives the same label for the same key, however often it is asked. */
  book(grams: number, idempotencyKey: string): Promise<string>
}

export const carrier = resource('carrier', { open: (): Carrier => ({ book: bookByHttp }) })

export const book = fn('book', ParcelPacked, {
  emits: [ParcelBooked],
  retry: { attempts: 3, from: '1s', to: '10s' },
  timeout: '5s',
  async run({ parcelId, grams }, ctx) {
    const label = await ctx.use(carrier).book(grams, ctx.idempotencyKey)
    return ParcelBooked({ parcelId, label })
  },
})
// #endregion

export const parcels = projection('parcels', z.object({ parcelId: z.string(), status: z.enum(['packed', 'booked']) }), {
  key: 'parcelId',
  apply: (on) => [
    on(ParcelPacked, (rows, { parcelId }) => rows.put({ parcelId, status: 'packed' })),
    on(ParcelBooked, (rows, { parcelId }) => rows.patch(parcelId, { status: 'booked' })),
  ],
})
export const parcel = parcels.query('parcel', z.object({ parcelId: z.string() }), (rows, { parcelId }) => rows.get(parcelId))

export const post = app('post', [ParcelPacked, ParcelBooked, carrier, book, parcels, parcel])

async function bookByHttp(grams: number, idempotencyKey: string): Promise<string> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': idempotencyKey }
  const answer = await fetch('https://carrier.example/labels', { method: 'POST', headers, body: JSON.stringify({ grams }) })
  if (!answer.ok) throw new Error(`the carrier answered ${answer.status}`)
  return answer.text()
}
