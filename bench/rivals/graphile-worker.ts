/** graphile-worker on PostgreSQL, with its local queue and batched completion: in bulk, its strongest way, against our single calls. */
import { Logger, makeWorkerUtils, run, type Runner } from 'graphile-worker'
import pg from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Case, Figures, Size } from '../harness/bench.ts'
import { Count } from '../harness/count.ts'
import { inFlight, percentile, perSecond, rateOf, timed } from '../harness/load.ts'
import { orderOf, type Order } from '../harness/order.ts'
import { postgresVariable } from './servers.ts'

const chunk = 1_000

export const graphileThroughput: Case = { name: 'graphile-worker, bulk', missing, run: throughput }
export const graphileLatency: Case = { name: 'graphile-worker', missing, run: latency }

function missing(): string | undefined {
  return process.env[postgresVariable] === undefined ? `no PostgreSQL: install it, or name one by ${postgresVariable}` : undefined
}

async function throughput({ quick }: Size): Promise<Figures> {
  const count = quick ? 2_000 : 40_000
  const handled = new Count(count)
  const rig = await open(async (order) => handled.hit(order.seq))
  const took = await timed(async () => {
    await inFlight(2, 0, count / chunk, (at) =>
      rig.utils.addJobs(Array.from({ length: chunk }, (_, i) => ({ identifier: rig.task, payload: orderOf(at * chunk + i) }))),
    )
    await handled.done
    while ((await rig.left()) > 0) await sleep(5)
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
    return rig.utils.addJob(rig.task, orderOf(seq))
  })
  await handled.done
  handled.mustBeExact()
  await rig.close()
  return { 'p50 ms': percentile(tookMs.slice(count / 5), 0.5), 'p99 ms': percentile(tookMs.slice(count / 5), 0.99) }
}

interface Rig {
  readonly utils: Awaited<ReturnType<typeof makeWorkerUtils>>
  readonly task: string
  left(): Promise<number>
  close(): Promise<void>
}

async function open(handle: (order: Order) => Promise<void>): Promise<Rig> {
  const pool = new pg.Pool({ connectionString: process.env[postgresVariable], max: 30 })
  pool.on('error', () => {})
  const logger = new Logger(() => () => {})
  const task = `bench-${process.pid}`
  const utils = await makeWorkerUtils({ pgPool: pool, logger })
  await utils.migrate()
  const tuned = { concurrentJobs: 24, pollInterval: 1_000, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
  const taskList = { [task]: (payload: unknown) => handle(payload as Order) }
  const runner: Runner = await run({ pgPool: pool, logger, taskList, preset: { worker: tuned }, noHandleSignals: true })
  return {
    utils,
    task,
    left: async () => {
      const text = `select count(*)::int as left from graphile_worker._private_jobs j
         join graphile_worker._private_tasks t on t.id = j.task_id where t.identifier = $1`
      const { rows } = await pool.query<{ left: number }>(text, [task])
      return rows[0]?.left ?? 0
    },
    close: async () => {
      await runner.stop().catch(() => {})
      await utils.release()
      await pool.end().catch(() => {})
    },
  }
}
