/** Analytics, with Valibot: page views counted by a projection, sales by page. */
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { event, fn, projection, query, route } from '../../../src/entry/index.ts'

const visit = v.object({ visitor: v.string(), at: v.pipe(v.string(), v.isoTimestamp()) })
export const PageViewed = event('PageViewed', toStandardJsonSchema(v.object({ ...visit.entries, page: v.string(), millis: v.number() })))
export const Purchased = event('Purchased', v.object({ ...visit.entries, product: v.string(), cents: v.number() }), {
  key: (p) => p.visitor,
})
export const SlowPageSeen = event('SlowPageSeen', v.object({ page: v.string(), millis: v.number() }))

export const slow = fn('slow', PageViewed, {
  where: {
    data: { millis: [{ numeric: ['>', 1_000] }], page: [{ 'anything-but': { prefix: '/admin' } }] },
    source: [{ 'anything-but': ['probe', 'test'] }],
  },
  emits: [SlowPageSeen],
  run: ({ page, millis }) => SlowPageSeen({ page, millis }),
})

export const pages = projection('pages', v.object({ page: v.string(), views: v.number(), day: v.string() }), {
  key: 'page',
  index: ['views', ['day', 'views']],
  apply: (on) => [
    on(PageViewed, { by: (view) => view.page }, (rows, { page }, fact) =>
      rows.change(page, (row) => ({ page, views: (row?.views ?? 0) + 1, day: fact.time.slice(0, 10) })),
    ),
  ],
})
export const bestPages = pages.query('best-pages', v.object({ size: v.optional(v.number(), 10) }), (rows, { size }) =>
  rows.find({ order: 'views desc', size }),
)
export const getBest = route('GET /pages/best', bestPages)

export const summary = query('summary', v.object({ day: v.string() }), async ({ day }, ctx) => ({
  pages: await ctx.rows(pages).count({ day }),
  best: (await ctx.ask(bestPages, { size: 3 })).rows.map((row) => row.page),
}))
export const getSummary = route('GET /summaries/:day', summary)

export const refused = [
  // @ts-expect-error: a Date is no JSON in Valibot either
  () => event('X', v.object({ at: v.date() })),
  // @ts-expect-error: a number has no prefix
  () => fn('x', PageViewed, { where: { data: { millis: [{ prefix: '1' }] } }, run: () => {} }),
  // @ts-expect-error: nothing of the kind arrives with an event
  () => fn('x', PageViewed, { where: { sender: ['probe'] }, run: () => {} }),
  // @ts-expect-error: a source is a text
  () => fn('x', PageViewed, { where: { source: [1] }, run: () => {} }),
  // @ts-expect-error: of another name
  () => fn('x', PageViewed, { where: { type: ['Purchased'] }, run: () => {} }),
  // @ts-expect-error: a range begins with its lower end
  () => fn('x', PageViewed, { where: { data: { millis: [{ numeric: ['<', 5, '>', 1] }] } }, run: () => {} }),
  // @ts-expect-error: not an operator
  () => fn('x', PageViewed, { where: { data: { page: [{ wildcard: '/a/*' }] } }, run: () => {} }),
  // @ts-expect-error: the size is a number
  () => query('x', v.object({}), (_, ctx) => ctx.ask(bestPages, { size: 'ten' })),
  // @ts-expect-error: not a column
  () => query('x', v.object({}), async (_, ctx) => (await ctx.rows(pages).get('/'))?.clicks),
  // @ts-expect-error: the query knows no :week
  () => route('GET /summaries/:week', summary),
  // @ts-expect-error: a projection takes events one by one
  () => projection('x', v.object({ id: v.string() }), { key: 'id', apply: (on) => [on(bestPages, (rows) => rows.delete('x'))] }),
]
