/** The shop with its HTTP door, its providers elsewhere. Says when the first function has handled the first order. */
import { start } from 'millrace'
import { shop } from '../../examples/shop/src/app.ts'
import { OrderPlaced } from '../../examples/shop/src/events.ts'

const first = Promise.withResolvers<void>()
const said = (message: string): void => (message.includes('OrderPlaced') ? first.resolve() : undefined)
const log = { debug: said, info: said, warn: said, error: said }
const env = { ...process.env, PAYMENTS_URL: 'http://127.0.0.1:9', WAREHOUSE_URL: 'http://127.0.0.1:9' }
const running = await start(shop, { store: process.argv[2] ?? ':memory:', port: 0, env, log })
const order = OrderPlaced({ orderId: 'order-1', customerId: 'ada', sku: 'kettle', cents: 4_200, currency: 'EUR', card: 'tok-1' })
await Promise.all([running.publish(order), first.promise])
const { user, system } = process.cpuUsage()
process.stdout.write(`handled ${(user + system) / 1_000}\n`)
process.exit()
