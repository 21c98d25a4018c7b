/** The smallest useful app. */
import { z } from 'zod'
import { app, event, fn, route } from '../../../src/entry/index.ts'

const Greeted = event('Greeted', z.object({ name: z.string() }))

const welcome = fn('welcome', Greeted, {
  run: ({ name }, ctx) => ctx.log.info(`hello, ${name}`),
})

export const hello = app('hello', [Greeted, welcome, route('POST /greetings', Greeted)])
