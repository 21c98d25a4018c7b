/** The smallest useful app. */
import { z } from 'zod'
import { app, event, fn, route, start } from '../../../src/entry/index.ts'

const Greeted = event('Greeted', z.object({ name: z.string() }))

const welcome = fn('welcome', Greeted, {
  run: ({ name }, ctx) => ctx.log.info(`hello, ${name}`),
})

export const hello = app('hello', [Greeted, welcome, route('POST /greetings', Greeted)])

if (import.meta.main) await start(hello, { port: 3000 })

export const refused = [
  // @ts-expect-error: a port is a number
  () => start(hello, { port: '3000' }),
  // @ts-expect-error: what is started is an app
  () => start([Greeted, welcome]),
  // @ts-expect-error: no such option
  () => start(hello, { ports: [3000] }),
  // @ts-expect-error: an event is no fact
  async () => (await start(hello)).publish(Greeted),
  // @ts-expect-error: nothing is emitted from outside
  async () => (await start(hello)).emit(Greeted({ name: 'Ada' })),
]
