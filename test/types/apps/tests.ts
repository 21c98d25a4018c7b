/** A test of an app: what it may ask, typed by the words it asks of. */
import { replace, testApp, type TestApp } from '../../../src/entry/testing.ts'
import { start } from '../../../src/entry/index.ts'
import { everything } from './app.ts'
import { payments } from './settings.ts'
import { getOrders, open, orders, ordersOf, OrderPlaced, PaymentTaken } from './shop.ts'

const placed = OrderPlaced({ orderId: 'o-1', customerId: 'c-1', cents: 1200, currency: 'EUR' })
const fakes = [replace(payments, { charge: async () => ({ id: 'p-1', fee: 0 }), refund: async () => {} })]

export async function asked(): Promise<readonly unknown[]> {
  await using app = await testApp(everything, {
    replace: fakes,
    at: '2026-01-01T00:00:00Z',
    env: { PAGE_SIZE: '10' },
    settings: { holesMax: 4 },
    patience: '1s',
  })
  await app.publish([placed, PaymentTaken({ orderId: 'o-1', payment: 'p-1', cents: 1200 })], { id: 'first' })
  await app.advance('10d')
  const cents: number | undefined = app.emitted(PaymentTaken)[0]?.cents
  const status: 'open' | 'shipped' | 'cancelled' | undefined = (await app.rows(orders).get('o-1'))?.status
  const { rows } = await app.ask(ordersOf, { customerId: 'c-1' })
  const answer: Response = await app.fetch('/customers/c-1/orders')
  const [letter] = app.deadLetters()
  const again: number = letter === undefined ? 0 : await app.redrive(letter)
  await app.redrive({ consumer: 'charge-card' })
  app.expectHealthy()
  return [cents, status, rows.length, (await app.ask(open, {})).orders, answer.status, again, app.logged[0]?.message, letter?.fact.type]
}

export const refused = [
  // @ts-expect-error: half a payment service
  () => replace(payments, {}),
  // @ts-expect-error: no such option
  () => testApp(everything, { replaces: fakes }),
  // @ts-expect-error: not an instant
  () => testApp(everything, { at: 'yesterday' }),
  // @ts-expect-error: not a duration
  (app: TestApp) => app.advance('ten days'),
  // @ts-expect-error: an event is no fact
  (app: TestApp) => app.publish(OrderPlaced),
  // @ts-expect-error: the options come second
  (app: TestApp) => app.publish(placed, placed),
  // @ts-expect-error: not a field of the event
  (app: TestApp) => app.emitted(PaymentTaken)[0]?.amount,
  // @ts-expect-error: a fact is no event
  (app: TestApp) => app.emitted(placed),
  // @ts-expect-error: not a column
  async (app: TestApp) => (await app.rows(orders).get('o-1'))?.state,
  // @ts-expect-error: not along an index
  (app: TestApp) => app.rows(orders).find({ where: { cents: 1 } }),
  // @ts-expect-error: the customer is missing
  (app: TestApp) => app.ask(ordersOf, {}),
  // @ts-expect-error: a route cannot be asked
  (app: TestApp) => app.ask(getOrders, {}),
  // @ts-expect-error: nothing that a dead letter has
  (app: TestApp) => app.redrive({ colour: 'red' }),
  // @ts-expect-error: a test has no port
  () => testApp(everything, { port: 0 }),
  // @ts-expect-error: a started app has no clock to move
  async () => (await start(everything)).advance('1s'),
]
