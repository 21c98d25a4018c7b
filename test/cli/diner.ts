/** A small app for trying the command line on: orders that are cooked, unless the dish is burnt, or never done; counted by table. */
import { z } from 'zod'
import { app, event, fn, projection, route } from '../../src/entry/index.ts'

export const Ordered = event('Ordered', z.object({ order: z.string(), table: z.string(), dish: z.string() }), { key: (data) => data.order })
export const Cooked = event('Cooked', z.object({ order: z.string() }), { key: (data) => data.order })

export const cook = fn('cook', Ordered, {
  where: { data: { dish: [{ 'anything-but': ['water'] }] } },
  emits: [Cooked],
  retry: { attempts: 2, from: '10ms', to: '10ms' },
  breaker: false,
  run({ order, dish }) {
    if (dish === 'burnt') throw new Error('the pan is on fire')
    if (dish === 'stew') return new Promise<never>(() => {})
    return Cooked({ order })
  },
})

export const serve = fn('serve', Cooked, { run() {} })

export const tables = projection('tables', z.object({ table: z.string(), orders: z.int() }), {
  key: 'table',
  index: ['orders'],
  apply: (on) => [
    on(Ordered, { by: ({ table }) => table }, (rows, { table }) =>
      rows.change(table, (row) => ({ table, orders: (row?.orders ?? 0) + 1 })),
    ),
  ],
})

export const busy = tables.query('busy', z.object({}), (rows) => rows.find({ order: 'orders desc' }))
export const getBusy = route('GET /tables', busy)

export const diner = app('diner', [Ordered, Cooked, cook, serve, tables, busy, getBusy])
