/** Devices: readings in, alerts out, the latest of each kept. */
import { z } from 'zod'
import { event, fn, projection, type Context, type FactOf, type Received } from '../../../src/entry/index.ts'

export const ReadingTaken = event(
  'ReadingTaken',
  z.object({ device: z.string(), celsius: z.number(), at: z.iso.datetime(), tags: z.array(z.string()) }),
  { key: (r) => r.device },
)
export const Overheated = event('Overheated', z.object({ device: z.string(), celsius: z.number() }), { key: (o) => o.device })

export const watch = fn('watch', ReadingTaken, {
  where: { data: { celsius: [{ numeric: ['>=', 90] }], tags: ['outdoor', { prefix: 'roof-' }] } },
  emits: [Overheated],
  run: (reading, ctx) => overheated(reading.device, reading.celsius, ctx),
})

/** What a handler is given can be handed on, by its type. */
function overheated(device: string, celsius: number, ctx: Context<FactOf<typeof ReadingTaken>>) {
  ctx.log.warn('hot', { device, attempt: ctx.attempt, of: ctx.event.id })
  return Overheated({ device, celsius })
}

export const latest = projection('latest', z.object({ device: z.string(), celsius: z.number(), at: z.string() }), {
  key: 'device',
  apply: (on) => [on(ReadingTaken, (rows, { device, celsius, at }) => rows.put({ device, celsius, at }))],
})

export function isLate(fact: Received<FactOf<typeof ReadingTaken>>): boolean {
  return fact.data.at < fact.time
}

export const refused = [
  // @ts-expect-error: a number of degrees, not a text
  () => fn('x', ReadingTaken, { where: { data: { celsius: [{ prefix: '9' }] } }, run: () => {} }),
  // @ts-expect-error: arrays are transparent: a tag is a text
  () => fn('x', ReadingTaken, { where: { data: { tags: [1] } }, run: () => {} }),
  // @ts-expect-error: no such field
  (fact: Received<FactOf<typeof ReadingTaken>>) => fact.data.temperature,
  // @ts-expect-error: data is read, never written
  (fact: Received<FactOf<typeof ReadingTaken>>) => (fact.data = { device: '', celsius: 1, at: '', tags: [] }),
]
