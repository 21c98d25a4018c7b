/** BullMQ on Redis that flushes before it answers: published in bulk, its strongest way, against our single calls. */
import { Queue, Worker } from 'bullmq'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Case, Figures, Size } from '../harness/bench.ts'
import { Count } from '../harness/count.ts'
import { inFlight, percentile, perSecond, rateOf, timed } from '../harness/load.ts'
import { orderOf, type Order } from '../harness/order.ts'
import { redisVariable } from './servers.ts'

const chunk = 1_000
const kept = { removeOnComplete: true, removeOnFail: true }

export const bullmqThroughput: Case = { name: 'BullMQ, bulk', missing, run: throughput }
export const bullmqLatency: Case = { name: 'BullMQ', missing, run: latency }

function missing(): string | undefined {
  return process.env[redisVariable] === undefined ? `no Redis: install redis-server, or name one by ${redisVariable}` : undefined
}

async function throughput({ quick }: Size): Promise<Figures> {
  const count = quick ? 2_000 : 40_000
  const handled = new Count(count)
  const rig = await open(async (order) => handled.hit(order.seq))
  const took = await timed(async () => {
    await inFlight(2, 0, count / chunk, (at) =>
      rig.queue.addBulk(Array.from({ length: chunk }, (_, i) => ({ name: 'OrderPlaced', data: orderOf(at * chunk + i), opts: kept }))),
    )
    await handled.done
    while (rig.completed() < count) await sleep(1)
  })
  handled.mustBeExact()
  await rig.close()
  return rateOf(count, took)
}

async function latency({ quick }: Size): Promise<Figures> {
  const count = quick ? 200 : 5_000
  const calledMs = new Float64Array(count)
  const tookMs: number[] = []
  const handled = new Count(count)
  const rig = await open(async ({ seq }) => {
    tookMs.push(performance.now() - (calledMs[seq] ?? 0))
    handled.hit(seq)
  })
  await perSecond(500, count, (seq) => {
    calledMs[seq] = performance.now()
    return rig.queue.add('OrderPlaced', orderOf(seq), kept)
  })
  await handled.done
  handled.mustBeExact()
  await rig.close()
  return { 'p50 ms': percentile(tookMs.slice(count / 5), 0.5), 'p99 ms': percentile(tookMs.slice(count / 5), 0.99) }
}

interface Rig {
  readonly queue: Queue
  completed(): number
  close(): Promise<void>
}

async function open(handle: (order: Order) => Promise<void>): Promise<Rig> {
  const url = new URL(process.env[redisVariable] ?? '')
  const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null }
  const name = `bench-${process.pid}`
  const queue = new Queue(name, { connection })
  let completed = 0
  const worker = new Worker(name, (job) => handle(job.data as Order), { connection, concurrency: 64 })
  worker.on('completed', () => (completed += 1))
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()])
  const close = async (): Promise<void> => {
    await worker.close(true)
    await queue.close()
  }
  return { queue, completed: () => completed, close }
}
