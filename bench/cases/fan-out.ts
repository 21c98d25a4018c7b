/** One event to ten functions; and what fifty subscriptions cost the publisher that want another type than what is published. */
import { join } from 'node:path'
import { app, event, fn } from 'millrace'
import { BareLoop, type BareFlush } from '../bare-loop.ts'
import { manyFunctions, OrderPlaced } from '../harness/apps.ts'
import { atLeast, atMost, type Bench, type Case, type Figures, type Size } from '../harness/bench.ts'
import { Count, mustEqual } from '../harness/count.ts'
import { inFlight, rateOf, timed } from '../harness/load.ts'
import { orderOf, orderSchema, type Order } from '../harness/order.ts'
import { openOurs } from '../harness/ours.ts'

const functions = 10
const width = 1_000
const types = Array.from({ length: 8 }, (_, at) => event(`Type${at}`, orderSchema, { key: (order: Order) => order.customerId }))

export const fanOut: Bench = {
  name: 'fan-out',
  title: `one event to ${functions} functions; 50 subscriptions that want one type of eight`,
  cases: [
    { name: `millrace to ${functions}`, run: toTen },
    bareToTen('inline'),
    bareToTen('pool'),
    publisher('nobody listens', 0, false),
    publisher('50 want another type', 50, false),
    publisher('50 want one of eight', 50, true),
  ],
  goals: (median) => {
    const cost = 100 * (1 - median('50 want another type', 'events/s') / median('nobody listens', 'events/s'))
    return [
      ...atLeast('deliveries of one event to 10 functions', median(`millrace to ${functions}`, 'deliveries/s'), 250_000, '/s'),
      ...atMost('cost to the publisher of 50 subscriptions that want another type', cost, 15, '%'),
    ]
  },
}

function countOf({ quick }: Size): number {
  return quick ? 1_000 : 30_000
}

async function toTen(size: Size): Promise<Figures> {
  const count = countOf(size)
  const warm = count / 5
  const handled = Array.from({ length: functions }, () => new Count(warm + count))
  const ours = await openOurs(
    manyFunctions(functions, (order, at) => handled[at]?.hit(order.seq)),
    { path: join(size.folder, 'ours.db') },
  )
  const publish = (seq: number): Promise<unknown> => ours.publish(OrderPlaced(orderOf(seq)))
  await inFlight(width, 0, warm, publish)
  await ours.settled()
  const took = await timed(async () => {
    await inFlight(width, warm, count, publish)
    await Promise.all(handled.map((one) => one.done))
    await ours.settled()
  })
  for (const one of handled) one.mustBeExact()
  await ours.stop()
  return rateOf(count * functions, took, 'deliveries/s')
}

function bareToTen(flush: BareFlush): Case {
  return {
    name: `bare ${flush} to ${functions}`,
    run: async (size) => {
      const count = countOf(size)
      const counts = Array.from({ length: functions }, () => new Count(count))
      const handlers = counts.map(
        (one) =>
          async (order: Order): Promise<void> =>
            one.hit(order.seq),
      )
      const loop = new BareLoop<Order>({
        path: join(size.folder, 'bare.db'),
        flush,
        type: 'OrderPlaced',
        keyOf: (order) => order.customerId,
        handlers,
      })
      const took = await timed(async () => {
        await inFlight(width, 0, count, (seq) => loop.publish(orderOf(seq)))
        await loop.settled()
      })
      for (const one of counts) one.mustBeExact()
      loop.close()
      return rateOf(count * functions, took, 'deliveries/s')
    },
  }
}

/** `mixed`: of all eight types by turns, so that each subscription has an eighth to handle too. */
function publisher(name: string, subscriptions: number, mixed: boolean): Case {
  return {
    name,
    run: async (size) => {
      const count = size.quick ? 1_600 : 80_000
      let handled = 0
      const [wanted] = types
      const listeners =
        wanted === undefined
          ? []
          : Array.from({ length: subscriptions }, (_, at) => fn(`listener-${at}`, wanted, { run: () => void (handled += 1) }))
      const ours = await openOurs(app('bench', [...types, ...listeners]), { path: join(size.folder, 'ours.db') })
      const published = mixed ? types : types.slice(1)
      const publish = async (seq: number): Promise<unknown> => {
        const type = published[seq % published.length]
        return type === undefined ? undefined : ours.publish(type(orderOf(seq)))
      }
      await inFlight(256, 0, count / 4, publish)
      await ours.settled()
      const took = await timed(() => inFlight(256, count / 4, count, publish))
      await ours.settled()
      const wantedCount = mixed ? (count + count / 4) / types.length : 0
      mustEqual('handled', handled, wantedCount * subscriptions)
      await ours.stop()
      return rateOf(count, took)
    },
  }
}
