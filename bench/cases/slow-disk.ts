/** A disk whose flush takes long: what the event loop feels of it, and what a reader over HTTP does. */
import { fdatasync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { app, fn, projection, route } from 'millrace'
import { z } from 'zod'
import { listen } from '../../src/hosts/node-http.ts'
import { openDoor } from '../../src/runtime/http.ts'
import { BareLoop } from '../bare-loop.ts'
import { oneFunction, OrderPlaced } from '../harness/apps.ts'
import { atMost, type Bench, type Figures, type Size } from '../harness/bench.ts'
import { Count, mustEqual } from '../harness/count.ts'
import { inFlight, percentile, perSecond } from '../harness/load.ts'
import { orderOf, type Order } from '../harness/order.ts'
import { openOurs } from '../harness/ours.ts'

export const slowDisk: Bench = {
  name: 'slow-disk',
  title: 'flushes of 10 and 5 ms: event loop delay, and a query over HTTP beside 5,000 events/s',
  cases: [
    { name: 'millrace, 10 ms', run: (size) => loopDelay(size, 'ours') },
    { name: 'bare inline, 10 ms', run: (size) => loopDelay(size, 'bare') },
    { name: 'query, 5 ms', run: query },
  ],
  goals: (median) => [
    ...atMost('event loop delay at 10 ms a flush, p99', median('millrace, 10 ms', 'p99 ms'), 5, 'ms'),
    ...atMost('a query over HTTP beside 5,000 events/s at 5 ms a flush, p50', median('query, 5 ms', 'p50 ms'), 1, 'ms'),
  ],
}

/** The disk's own flush, and so much more. */
function slowed(ms: number): (file: number, done: (error: Error | null) => void) => void {
  return (file, done) => fdatasync(file, (error) => setTimeout(() => done(error), ms))
}

/** The bare loop flushes inside its commit: there the delay blocks, as a disk does. */
async function loopDelay(size: Size, whose: 'ours' | 'bare'): Promise<Figures> {
  const count = size.quick ? 640 : 20_000
  const handled = new Count(count)
  const take = (order: Order): void => handled.hit(order.seq)
  const running = whose === 'ours' ? await startOurs(size, take) : startBare(size, take)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await inFlight(64, 0, count, running.publish)
  await handled.done
  delay.disable()
  handled.mustBeExact()
  await running.stop()
  const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - 1)
  return { 'p50 ms': ms(delay.percentile(50)), 'p99 ms': ms(delay.percentile(99)) }
}

interface Started {
  publish(seq: number): Promise<unknown>
  stop(): unknown
}

async function startOurs(size: Size, take: (order: Order) => void): Promise<Started> {
  const ours = await openOurs(oneFunction(take), { path: join(size.folder, 'ours.db'), flush: 'pool', sync: slowed(10) })
  return { publish: (seq) => ours.publish(OrderPlaced(orderOf(seq))), stop: ours.stop }
}

function startBare(size: Size, take: (order: Order) => void): Started {
  const still = new Int32Array(new SharedArrayBuffer(4))
  const sync = (_: number, done: (error: null) => void): void => {
    Atomics.wait(still, 0, 0, 10)
    done(null)
  }
  const handlers = [async (order: Order): Promise<void> => take(order)]
  const loop = new BareLoop<Order>({
    path: join(size.folder, 'bare.db'),
    flush: 'pool',
    type: 'OrderPlaced',
    keyOf: (order) => order.customerId,
    handlers,
    sync,
  })
  return { publish: (seq) => loop.publish(orderOf(seq)), stop: () => loop.close() }
}

const customers = projection('customers', z.object({ customerId: z.string(), orders: z.int() }), {
  key: 'customerId',
  apply: (on) => [
    on(OrderPlaced, (rows, { customerId }) => rows.change(customerId, (row) => ({ customerId, orders: (row?.orders ?? 0) + 1 }))),
  ],
})
const ordersOf = customers.query('orders-of', z.object({ customerId: z.string() }), (rows, { customerId }) => rows.get(customerId))

async function query(size: Size): Promise<Figures> {
  const count = size.quick ? 1_000 : 25_000
  const handled = new Count(count)
  const shop = app('bench', [
    ...[OrderPlaced, customers, ordersOf, route('GET /customers/:customerId', ordersOf)],
    fn('take-order', OrderPlaced, { run: async (order) => handled.hit(order.seq) }),
  ])
  const ours = await openOurs(shop, { path: join(size.folder, 'ours.db'), flush: 'pool', sync: slowed(5) })
  const { door, doors } = ours.runtime
  const listening = await listen({ fetch: await openDoor(door, doors), port: 0 })
  const { customerId } = orderOf(0)
  const tookMs: number[] = []
  let publishing = true
  const asking = (async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (publishing) {
      const startMs = performance.now()
      await answerOf(`${listening.url}/customers/${customerId}`, agent)
      tookMs.push(performance.now() - startMs)
    }
    agent.destroy()
  })()
  await perSecond(5_000, count, (seq) => ours.publish(OrderPlaced(orderOf(seq))))
  publishing = false
  await Promise.all([asking, handled.done])
  handled.mustBeExact()
  await ours.settled()
  mustEqual('orders of one customer', (await ours.rows(customers).get(customerId))?.orders, Math.ceil(count / 1_000))
  await listening.close(1_000)
  await ours.stop()
  return { 'p50 ms': percentile(tookMs, 0.5), 'p99 ms': percentile(tookMs, 0.99), queries: tookMs.length }
}

function answerOf(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () =>
        response.statusCode === 200 || response.statusCode === 404 ? resolve(text) : reject(new Error(`${response.statusCode}: ${text}`)),
      )
    }).on('error', reject)
  })
}
