/** A projection that begins at the start of a full log, and the rows of a key that was held. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { app, fn, projection } from 'millrace'
import { z } from 'zod'
import { redrive } from '../../src/observe/operator.ts'
import { nodeEnvironment } from '../../src/hosts/node-environment.ts'
import { OrderPlaced } from '../harness/apps.ts'
import { atLeast, type Bench, type Case, type Figures, type Size } from '../harness/bench.ts'
import { mustEqual } from '../harness/count.ts'
import { rateOf, timed } from '../harness/load.ts'
import { orderOf, type Order } from '../harness/order.ts'
import { openOurs } from '../harness/ours.ts'

const few = 100
const many = 10_000

export const catchUp: Bench = {
  name: 'catch-up',
  title: 'a projection from cold over few rows and over many, and a held key drained',
  cases: [project(few), bareProject(few), project(many), bareProject(many), { name: 'held key', run: heldKey }],
  goals: (median) => [
    ...atLeast(`catch-up over ${few} rows`, median(`millrace, ${few} rows`, 'events/s'), 100_000, 'events/s'),
    ...atLeast(`catch-up over ${many} rows`, median(`millrace, ${many} rows`, 'events/s'), 40_000, 'events/s'),
    ...atLeast(
      'share of a bare loop over few rows',
      (100 * median(`millrace, ${few} rows`, 'events/s')) / median(`bare, ${few} rows`, 'events/s'),
      0,
      '%',
    ),
    ...atLeast('a held key drains', median('held key', 'rows/s'), 10_000, 'rows/s'),
  ],
}

const spent = projection('spent', z.object({ customerId: z.string(), orders: z.int(), total: z.number() }), {
  key: 'customerId',
  apply: (on) => [
    on(OrderPlaced, (rows, { customerId, total }) =>
      rows.change(customerId, (row) => ({ customerId, orders: (row?.orders ?? 0) + 1, total: (row?.total ?? 0) + total })),
    ),
  ],
})

function countOf({ quick }: Size): number {
  return quick ? 20_000 : 200_000
}

/** Published by an app that has no projection yet. */
async function seed(path: string, count: number, keys: number): Promise<void> {
  const ours = await openOurs(app('bench', [OrderPlaced]), { path })
  const chunk = 1_000
  for (let seq = 0; seq < count; seq += chunk) {
    await ours.publish(Array.from({ length: Math.min(chunk, count - seq) }, (_, at) => OrderPlaced(orderOf(seq + at, keys))))
  }
  await ours.stop()
}

function project(keys: number): Case {
  return {
    name: `millrace, ${keys} rows`,
    run: async (size) => {
      const path = join(size.folder, 'ours.db')
      const count = countOf(size)
      await seed(path, count, keys)
      const open = openOurs(app('bench', [OrderPlaced, spent]), { path })
      const took = await timed(async () => (await open).settled())
      const ours = await open
      let orders = 0
      for (let seq = 0; seq < keys; seq++) orders += (await ours.rows(spent).get(orderOf(seq, keys).customerId))?.orders ?? 0
      mustEqual('orders in rows', orders, count)
      await ours.stop()
      return rateOf(count, took)
    },
  }
}

/** Pages of a thousand, folded in memory, written with the mark in one flushed commit: over the same file. */
function bareProject(keys: number): Case {
  return {
    name: `bare, ${keys} rows`,
    run: async (size) => {
      const path = join(size.folder, 'bare.db')
      const count = countOf(size)
      await seed(path, count, keys)
      const db = new DatabaseSync(path)
      db.exec(
        'pragma synchronous = full; create table spent (customer text primary key, value text); create table spent_mark (position integer)',
      )
      const read = db.prepare('select position, data from events where position > ? order by position limit 1000')
      const get = db.prepare('select value from spent where customer = ?')
      const put = db.prepare('insert or replace into spent values (?, ?)')
      const mark = db.prepare('insert into spent_mark values (?)')
      type Row = { orders: number; total: number }
      const took = await timed(async () => {
        for (let after = 0; ;) {
          const page = read.all(after)
          if (page.length === 0) return
          const rows = new Map<string, Row>()
          for (const { data } of page) {
            const { customerId, total } = JSON.parse(String(data)) as Order
            const row = rows.get(customerId) ?? (JSON.parse(String(get.get(customerId)?.['value'] ?? '{"orders":0,"total":0}')) as Row)
            rows.set(customerId, { orders: row.orders + 1, total: row.total + total })
          }
          after = Number(page.at(-1)?.['position'])
          db.exec('begin immediate')
          for (const [customer, row] of rows) put.run(customer, JSON.stringify(row))
          mark.run(after)
          db.exec('commit')
        }
      })
      let orders = 0
      for (const { value } of db.prepare('select value from spent').all()) orders += (JSON.parse(String(value)) as Row).orders
      mustEqual('orders in rows', orders, count)
      db.close()
      return rateOf(count, took)
    },
  }
}

/** The first of one key fails and parks; all others get rows behind it; then it is redriven. */
async function heldKey(size: Size): Promise<Figures> {
  const count = size.quick ? 500 : 10_000
  let broken = true
  let handled = 0
  const take = fn('take-order', OrderPlaced, {
    retry: false,
    run: async () => {
      if (broken) throw new Error('broken')
      handled += 1
    },
  })
  const ours = await openOurs(app('bench', [OrderPlaced, take]), { path: join(size.folder, 'ours.db') })
  const [unit] = ours.runtime.flow.units()
  const held = (): number => [...(unit?.runner.lane.keys.values() ?? [])].reduce((sum, { hold }) => sum + (hold?.count ?? 0), 0)
  for (let seq = 0; seq < count; seq += 100) await ours.publish(Array.from({ length: 100 }, (_, at) => OrderPlaced(orderOf(seq + at, 1))))
  while (held() < count) await turn()
  broken = false
  const { flow } = ours.runtime
  const operator = {
    store: ours.store,
    flow,
    sources: ['bench'],
    nowMs: nodeEnvironment.nowMs,
    environment: nodeEnvironment,
    changeId: flow.context.changeId,
  }
  const took = await timed(async () => {
    await redrive(operator, { all: true }, 'bench')
    while (held() > 0) await turn()
  })
  mustEqual('handled', handled, count)
  await ours.stop()
  return rateOf(count, took, 'rows/s')
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1))
}
