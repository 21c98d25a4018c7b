/** What the guide on deploying says of events that have changed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testApp } from 'millrace/testing'
import { Moved, Paid, PaidV1, ProfileChanged, Renamed, today } from '../../docs/snippets/versions.ts'

test('given an event of an older version, when it is consumed, then it comes in today’s shape', async () => {
  await using app = await testApp(today)
  await app.publish(PaidV1({ orderId: 'o-1', cents: 100 }))
  assert.deepEqual(app.emitted(Paid), [{ orderId: 'o-1', cents: 100, currency: 'EUR' }])
  assert.ok(app.logged.some(({ message }) => message === 'receipt for o-1: 100 EUR'))
  app.expectHealthy()
})

test('given an event that has become two, when it is consumed, then both come, in one turn', async () => {
  await using app = await testApp(today)
  await app.publish(ProfileChanged({ userId: 'u-1', name: 'Ada', town: 'London' }))
  assert.deepEqual(app.emitted(Renamed), [{ userId: 'u-1', name: 'Ada' }])
  assert.deepEqual(app.emitted(Moved), [{ userId: 'u-1', town: 'London' }])
  const said = app.logged.map(({ message }) => message).filter((message) => /hello|welcome/.test(message))
  assert.deepEqual(said, ['hello, Ada', 'welcome to London'])
})
