/** Rows made of events, and the questions that they answer. */
import { projection, query, type Rows } from 'millrace'
import { z } from 'zod'
import { AlarmRaised, GithubDelivered, WorkArrived } from './events.ts'

/** How many of each kind at each place. */
export const deliveries = projection('deliveries', z.object({ id: z.string(), place: z.string(), kind: z.string(), count: z.int() }), {
  key: 'id',
  index: [['place', 'kind']],
  apply: (on) => [
    on(GithubDelivered, (rows, { place, kind }) =>
      rows.change(`${place} ${kind}`, (row) => ({ id: `${place} ${kind}`, place, kind, count: (row?.count ?? 0) + 1 })),
    ),
  ],
})

/** One sender is at many places: `by` makes one owner read them all, in one order for each sender. */
export const senders = projection('senders', z.object({ sender: z.string(), senderKind: z.string(), deliveries: z.int() }), {
  key: 'sender',
  index: ['deliveries'],
  apply: (on) => [
    on(GithubDelivered, { by: ({ sender }) => sender }, (rows, { sender, senderKind }) =>
      rows.change(sender, (row) => ({ sender, senderKind, deliveries: (row?.deliveries ?? 0) + 1 })),
    ),
  ],
})

/**
 * Issues and pull requests as they are. GitHub does not send in order: what it says changed last stands,
 * and of two that changed at the same second the delivery with the greater id, so that rows never depend on who came first.
 */
export const work = projection(
  'work',
  z.object({
    id: z.string(),
    place: z.string(),
    what: z.string(),
    number: z.int(),
    title: z.string(),
    state: z.string(),
    changedAt: z.string(),
    delivery: z.string(),
    arrivals: z.int(),
  }),
  {
    key: 'id',
    index: [['state', 'id']],
    apply: (on) => [
      on(GithubDelivered, { where: { data: { item: { number: [{ exists: true }] } } } }, (rows, { place, item }, { id: delivery }) => {
        if (item === undefined) return
        const id = `${place}#${item.number}`
        rows.change(id, (row) =>
          row !== undefined && isLater(row, item.changedAt, delivery) ? row : { arrivals: 0, ...row, ...item, id, place, delivery },
        )
      }),
      on(WorkArrived, (rows, { place, number }) =>
        rows.change(`${place}#${number}`, (row) => row && { ...row, arrivals: row.arrivals + 1 }),
      ),
    ],
  },
)

export const alarms = projection(
  'alarms',
  z.object({ id: z.string(), place: z.string(), kind: z.string(), because: z.string(), at: z.string() }),
  {
    key: 'id',
    index: ['at'],
    apply: (on) => [on(AlarmRaised, (rows, alarm, { id, time }) => rows.put({ id, ...alarm, at: time }))],
  },
)

export const deliveriesAt = deliveries.query(
  'deliveries-at',
  z.object({ place: z.string().optional(), page: z.string().optional() }),
  (rows, { place, page }) => rows.find({ ...(place === undefined ? {} : { where: { place } }), size: 100, page }),
)
export const busiest = senders.query('busiest', z.object({ page: z.string().optional() }), (rows, { page }) =>
  rows.find({ order: 'deliveries desc', size: 100, page }),
)
export const workIn = work.query('work-in', z.object({ state: z.string(), page: z.string().optional() }), (rows, { state, page }) =>
  rows.find({ where: { state }, order: 'id asc', size: 100, page }),
)
export const latestAlarms = alarms.query('latest-alarms', z.object({}), (rows) => rows.find({ order: 'at desc', size: 20 }))

/** A question that no single projection answers. */
export const totals = query('totals', z.object({}), async (_, ctx) => ({
  deliveries: await sum(ctx.rows(deliveries), ({ count }) => count),
  bySenders: await sum(ctx.rows(senders), (row) => row.deliveries),
  arrivals: await sum(ctx.rows(work), (row) => row.arrivals),
  work: await ctx.rows(work).count(),
  alarms: await ctx.rows(alarms).count(),
}))

async function sum<Row, Indexed extends keyof Row>(rows: Rows<Row, Indexed>, of: (row: Row) => number): Promise<number> {
  let total = 0
  for (let page: string | undefined, more = true; more; more = page !== undefined) {
    const found = await rows.find({ size: 100, page })
    for (const row of found.rows) total += of(row)
    page = found.next
  }
  return total
}

function isLater(row: { readonly changedAt: string; readonly delivery: string }, changedAt: string, delivery: string): boolean {
  return row.changedAt > changedAt || (row.changedAt === changedAt && row.delivery > delivery)
}
