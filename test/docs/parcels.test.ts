/** The tests that the guides show: an app on virtual time, its carrier replaced, dead letters redriven. */
// #region first
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replace, testApp } from 'millrace/testing'
import { carrier, parcel, ParcelBooked, ParcelPacked, post, type Carrier } from '../../docs/snippets/parcels.ts'

test('given a packed parcel, when the carrier answers, then it is booked', async () => {
  const calm: Carrier = { book: async () => 'label-1' }
  await using app = await testApp(post, { replace: [replace(carrier, calm)] })

  await app.publish(ParcelPacked({ parcelId: 'p-1', grams: 500 }))

  assert.deepEqual(app.emitted(ParcelBooked), [{ parcelId: 'p-1', label: 'label-1' }])
  assert.equal((await app.ask(parcel, { parcelId: 'p-1' }))?.status, 'booked')
  app.expectHealthy()
})
// #endregion

// #region retried
test('given a carrier that is down for a moment, when it is back, then the same parcel is asked for under the same key', async () => {
  const keys: string[] = []
  const flaky: Carrier = {
    async book(_, idempotencyKey) {
      keys.push(idempotencyKey)
      if (keys.length < 3) throw new Error('down')
      return 'label-1'
    },
  }
  await using app = await testApp(post, { replace: [replace(carrier, flaky)] })

  await app.publish(ParcelPacked({ parcelId: 'p-1', grams: 500 }))
  assert.equal(keys.length, 1)
  await app.advance('10s')

  assert.equal(keys.length, 3)
  assert.equal(new Set(keys).size, 1)
  assert.equal(app.emitted(ParcelBooked).length, 1)
})
// #endregion

// #region redriven
test('given a parcel that no carrier takes, when it is redriven, then it and what waited behind it are booked in order', async () => {
  let mended = false
  const picky: Carrier = {
    async book(grams) {
      if (grams > 30_000 && !mended) throw new Error('too heavy')
      return `label-${grams}`
    },
  }
  await using app = await testApp(post, { replace: [replace(carrier, picky)] })

  await app.publish([ParcelPacked({ parcelId: 'p-1', grams: 40_000 }), ParcelPacked({ parcelId: 'p-1', grams: 300 })])
  await app.publish(ParcelPacked({ parcelId: 'p-2', grams: 500 }))
  await app.advance('1m')

  const [letter] = app.deadLetters()
  assert.equal(letter?.consumer, 'book')
  assert.equal(letter?.key, 'p-1')
  assert.equal(letter?.attempts, 3)
  assert.equal(letter?.behind, 1)
  assert.deepEqual(app.emitted(ParcelBooked), [{ parcelId: 'p-2', label: 'label-500' }])

  mended = true
  assert.equal(await app.redrive({ consumer: 'book' }), 1)
  const labels = app.emitted(ParcelBooked).filter(({ parcelId }) => parcelId === 'p-1')
  assert.deepEqual(
    labels.map(({ label }) => label),
    ['label-40000', 'label-300'],
  )
  app.expectHealthy()
})
// #endregion
