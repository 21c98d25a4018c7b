/** Publish, handle, mark: one event a call, so many calls in flight, until all is durable and marked. */
import { join } from 'node:path'
import { BareLoop, type BareFlush } from '../bare-loop.ts'
import { oneFunction, OrderPlaced } from '../harness/apps.ts'
import { atLeast, type Bench, type Case, type Figures, type Goal, type Medians, type Size } from '../harness/bench.ts'
import { Count, mustEqual } from '../harness/count.ts'
import { inFlight, rateOf, timed } from '../harness/load.ts'
import { orderOf, type Order } from '../harness/order.ts'
import { openOurs } from '../harness/ours.ts'
import { bullmqThroughput } from '../rivals/bullmq.ts'
import { graphileThroughput } from '../rivals/graphile-worker.ts'

const widths = [64, 256, 1_024] as const
const share: Readonly<Record<number, number>> = { 64: 0.7, 256: 0.75, 1_024: 0.6 }

export const throughput: Bench = {
  name: 'throughput',
  title: 'publish -> handle -> mark, one event a call',
  cases: [
    ...widths.flatMap((width) => [
      ours(width),
      bare(width, 'inline'),
      bare(width, 'pool'),
      bare(width, 'inline', true),
      bare(width, 'pool', true),
    ]),
    bullmqThroughput,
    graphileThroughput,
  ],
  goals,
}

function ours(width: number): Case {
  return { name: `millrace ${width}`, run: (size) => runOurs(width, size) }
}

function bare(width: number, flush: BareFlush, uniqueIds = false): Case {
  return { name: bareName(width, flush, uniqueIds), run: (size) => runBare(width, flush, uniqueIds, size) }
}

function bareName(width: number, flush: BareFlush, uniqueIds: boolean): string {
  return `bare ${flush} ${width}${uniqueIds ? ', unique ids' : ''}`
}

function countOf({ quick }: Size, width: number): number {
  return quick ? width * 10 : 300_000
}

/** The first fifth warms up and does not count. */
async function runOurs(width: number, size: Size): Promise<Figures> {
  const count = countOf(size, width)
  const warm = count / 5
  const handled = new Count(warm + count)
  const ours = await openOurs(
    oneFunction((order) => handled.hit(order.seq)),
    { path: join(size.folder, 'ours.db') },
  )
  const publish = (seq: number): Promise<unknown> => ours.publish(OrderPlaced(orderOf(seq)))
  await inFlight(width, 0, warm, publish)
  await ours.settled()
  const took = await timed(async () => {
    await inFlight(width, warm, count, publish)
    await handled.done
    await ours.settled()
  })
  handled.mustBeExact()
  const [unit] = ours.runtime.flow.units()
  mustEqual('settled', unit?.runner.lane.counts.done, warm + count)
  await ours.stop()
  return rateOf(count, took)
}

async function runBare(width: number, flush: BareFlush, uniqueIds: boolean, size: Size): Promise<Figures> {
  const count = countOf(size, width)
  const warm = count / 5
  const handled = new Count(warm + count)
  const handlers = [async (order: Order): Promise<void> => handled.hit(order.seq)]
  const loop = new BareLoop<Order>({
    path: join(size.folder, 'bare.db'),
    flush,
    uniqueIds,
    type: 'OrderPlaced',
    keyOf: (order) => order.customerId,
    handlers,
  })
  const publish = (seq: number): Promise<unknown> => loop.publish(orderOf(seq))
  await inFlight(width, 0, warm, publish)
  await loop.settled()
  const took = await timed(async () => {
    await inFlight(width, warm, count, publish)
    await handled.done
    await loop.settled()
  })
  handled.mustBeExact()
  loop.close()
  return rateOf(count, took)
}

function goals(median: Medians): readonly Goal[] {
  const rate = (name: string): number => median(name, 'events/s')
  return [
    ...widths.flatMap((width) => {
      const least = share[width] ?? 0
      return [false, true].flatMap((uniqueIds) => {
        const best = Math.max(rate(bareName(width, 'inline', uniqueIds)), rate(bareName(width, 'pool', uniqueIds)))
        const what = `share of the better bare loop${uniqueIds ? ' with unique ids' : ''} at ${width} in flight`
        return atLeast(what, (100 * rate(`millrace ${width}`)) / best, 100 * least, '%')
      })
    }),
    ...atLeast('against graphile-worker, its calls in bulk', rate('millrace 64') / rate(graphileThroughput.name), 4, 'x'),
    ...atLeast('against BullMQ, its calls in bulk', rate('millrace 64') / rate(bullmqThroughput.name), 8, 'x'),
  ]
}
