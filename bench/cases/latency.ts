/** From the publish call to the handler's start, in an open loop; and what one publisher in sequence waits for. */
import { join } from 'node:path'
import { BareLoop, type BareFlush } from '../bare-loop.ts'
import { oneFunction, OrderPlaced } from '../harness/apps.ts'
import { atMost, type Bench, type Case, type Figures, type Size } from '../harness/bench.ts'
import { Count } from '../harness/count.ts'
import { percentile, perSecond } from '../harness/load.ts'
import { flushesMs } from '../harness/machine.ts'
import { orderOf, type Order } from '../harness/order.ts'
import { openOurs } from '../harness/ours.ts'
import { bullmqLatency } from '../rivals/bullmq.ts'
import { graphileLatency } from '../rivals/graphile-worker.ts'

const rate = 500

export const latency: Bench = {
  name: 'latency',
  title: `publish call -> handler start at ${rate} events/s, and one publisher in sequence`,
  cases: [
    { name: 'millrace', run: runOurs },
    bare('inline'),
    bare('pool'),
    bullmqLatency,
    graphileLatency,
    { name: 'millrace in sequence', run: inSequence },
  ],
  goals: (median) => {
    const bestOf = (figure: string): number => Math.min(median('bare inline', figure), median('bare pool', figure))
    return [
      ...atMost("p50 against the better bare loop's", median('millrace', 'p50 ms') / bestOf('p50 ms'), 1.3, 'x'),
      ...atMost('p99', median('millrace', 'p99 ms'), 2, 'ms'),
      ...atMost('one publisher in sequence, p50 against one flush', median('millrace in sequence', 'of one flush'), 1.5, 'x'),
    ]
  },
}

/** Of each order when it was published, and how long it took until its handler began. The first fifth warms up. */
class Latencies {
  readonly count: number
  readonly #calledMs: Float64Array
  readonly #tookMs: number[] = []
  readonly handled: Count

  constructor({ quick }: Size) {
    this.count = quick ? 200 : 10 * rate
    this.#calledMs = new Float64Array(this.count)
    this.handled = new Count(this.count)
  }

  called(seq: number): void {
    this.#calledMs[seq] = performance.now()
  }

  begun({ seq }: Order): void {
    if (seq >= this.count / 5) this.#tookMs.push(performance.now() - (this.#calledMs[seq] ?? 0))
    this.handled.hit(seq)
  }

  figures(): Figures {
    this.handled.mustBeExact()
    return { 'p50 ms': percentile(this.#tookMs, 0.5), 'p99 ms': percentile(this.#tookMs, 0.99) }
  }
}

async function runOurs(size: Size): Promise<Figures> {
  const latencies = new Latencies(size)
  const ours = await openOurs(
    oneFunction((order) => latencies.begun(order)),
    { path: join(size.folder, 'ours.db') },
  )
  await perSecond(rate, latencies.count, (seq) => {
    latencies.called(seq)
    return ours.publish(OrderPlaced(orderOf(seq)))
  })
  await latencies.handled.done
  await ours.stop()
  return latencies.figures()
}

function bare(flush: BareFlush): Case {
  return {
    name: `bare ${flush}`,
    run: async (size) => {
      const latencies = new Latencies(size)
      const handlers = [async (order: Order): Promise<void> => latencies.begun(order)]
      const loop = new BareLoop<Order>({
        path: join(size.folder, 'bare.db'),
        flush,
        type: 'OrderPlaced',
        keyOf: (order) => order.customerId,
        handlers,
      })
      await perSecond(rate, latencies.count, (seq) => {
        latencies.called(seq)
        return loop.publish(orderOf(seq))
      })
      await latencies.handled.done
      await loop.settled()
      loop.close()
      return latencies.figures()
    },
  }
}

/** Flushes are measured before and after, so that a disk that changes its mind shows. */
async function inSequence(size: Size): Promise<Figures> {
  const count = size.quick ? 100 : 5_000
  const handled = new Count(count)
  const before = percentile(flushesMs(size.folder, count / 2), 0.5)
  const ours = await openOurs(
    oneFunction((order) => handled.hit(order.seq)),
    { path: join(size.folder, 'ours.db') },
  )
  const tookMs: number[] = []
  for (let seq = 0; seq < count; seq++) {
    const startMs = performance.now()
    await ours.publish(OrderPlaced(orderOf(seq)))
    tookMs.push(performance.now() - startMs)
  }
  await handled.done
  handled.mustBeExact()
  await ours.stop()
  const flush = (before + percentile(flushesMs(size.folder, count / 2), 0.5)) / 2
  const p50 = percentile(tookMs.slice(count / 5), 0.5)
  return { 'p50 ms': p50, 'flush p50 ms': flush, 'of one flush': p50 / flush }
}
