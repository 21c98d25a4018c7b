/** What is not built is not there: each of these is another release's word, and none may compile by half. */
import { z } from 'zod'
import * as millrace from '../../../src/entry/index.ts'
import { batched, event, fn, projection, query, route } from '../../../src/entry/index.ts'

const Placed = event('Placed', z.object({ orderId: z.string(), cents: z.int() }))
const one = query('one', z.object({}), () => 1)
const row = z.object({ id: z.string() })

export const refused = [
  // @ts-expect-error: no steps
  () => fn('x', Placed, { run: async (_, ctx) => void (await ctx.step('charge', () => 1)) }),
  // @ts-expect-error: no sleep
  () => fn('x', Placed, { run: async (_, ctx) => void (await ctx.sleep('1d')) }),
  // @ts-expect-error: no waits
  () => fn('x', Placed, { run: async (_, ctx) => void (await ctx.waitFor(Placed, { within: '1d' })) }),
  // @ts-expect-error: nobody decides
  () => fn('x', Placed, { run: async (_, ctx) => void (await ctx.decision('approve', row, { within: '1d' })) }),
  // @ts-expect-error: no races
  () => fn('x', Placed, { run: async (_, ctx) => void (await ctx.race({})) }),
  // @ts-expect-error: no function calls another
  () => fn('x', Placed, { run: async (_, ctx) => void (await ctx.invoke(Placed, {})) }),
  // @ts-expect-error: no commands
  () => fn('x', Placed, { run: async (_, ctx) => void (await ctx.send(Placed, {})) }),
  // @ts-expect-error: a turn emits, it doesn't publish
  () => fn('x', Placed, { run: async (_, ctx) => void (await ctx.publish(Placed({ orderId: 'o-1', cents: 1 }))) }),
  // @ts-expect-error: no such list
  () => fn('x', Placed, { waits: [Placed], run: () => {} }),
  // @ts-expect-error: no rate limits
  () => fn('x', Placed, { limit: { to: 10, per: '1h' }, run: () => {} }),
  // @ts-expect-error: no debounce
  () => fn('x', Placed, { debounce: { quiet: '30s' }, run: () => {} }),
  // @ts-expect-error: no priority
  () => fn('x', Placed, { priority: () => 1, run: () => {} }),
  // @ts-expect-error: one run at a time is of runs
  () => fn('x', Placed, { single: 'skip', run: () => {} }),
  // @ts-expect-error: nothing to call off
  () => fn('x', Placed, { cancelOn: Placed, run: () => {} }),
  // @ts-expect-error: nor in batches
  () => fn('x', batched(Placed, { size: 1, wait: '1s' }), { limit: { to: 10, per: '1h' }, run: () => {} }),
  // @ts-expect-error: no steps in a batch
  () => fn('x', batched(Placed, { size: 1, wait: '1s' }), { run: async (_, ctx) => void (await ctx.step('x', () => 1)) }),
  // @ts-expect-error: a projection has one version
  () => projection('x', row, { key: 'id', version: 2, apply: (on) => [on(Placed, (rows) => rows.delete('x'))] }),
  // @ts-expect-error: and it follows
  () => projection('x', row, { key: 'id', when: 'inline', apply: (on) => [on(Placed, (rows) => rows.delete('x'))] }),
  // @ts-expect-error: no commands behind routes either
  () => route('POST /a', (_, ctx) => ctx.send(Placed, {})),
  // @ts-expect-error: not by tokens
  () => route('GET /a', (_, ctx) => ctx.ask(one, {}, { after: 'token' })),
  // @ts-expect-error: not yet a word
  () => millrace.aggregate,
  // @ts-expect-error: not yet a word
  () => millrace.command,
  // @ts-expect-error: not yet a word
  () => millrace.rejection,
  // @ts-expect-error: not yet a word
  () => millrace.saga,
  // @ts-expect-error: not yet a word
  () => millrace.cron,
  // @ts-expect-error: not yet a word
  () => millrace.windowed,
  // @ts-expect-error: not yet a word
  () => millrace.joined,
  // @ts-expect-error: not yet a word
  () => millrace.sink,
  // @ts-expect-error: not yet a word
  () => millrace.broker,
  // @ts-expect-error: not yet a word
  () => millrace.keyed,
]
