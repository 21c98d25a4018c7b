/** An app for tests: its handlers stage when their turn is over, in every way that nobody awaits. */
import { z } from 'zod'
import { app, event, fn, projection, route } from '../../src/entry/index.ts'

const Asked = event('Asked', z.object({ id: z.string(), how: z.string() }), { key: ({ id }) => id })
const Told = event('Told', z.object({ id: z.string() }), { key: ({ id }) => id })
const how = (one: string) => ({ where: { data: { how: [one] } }, emits: [Told] }) as const

const timer = fn('in-a-timer', Asked, { ...how('timer'), run: ({ id }, ctx) => void setTimeout(() => ctx.emit(Told({ id })), 5) })

const unawaited = fn('unawaited', Asked, {
  ...how('unawaited'),
  run({ id }, ctx) {
    void (async () => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      ctx.emit(Told({ id }))
    })()
  },
})

const slow = fn('too-slow', Asked, {
  ...how('slow'),
  timeout: '20ms',
  retry: false,
  run: ({ id }) => new Promise((resolve) => setTimeout(() => resolve(Told({ id })), 60)),
})

const rows = projection('late-rows', z.object({ id: z.string() }), {
  key: 'id',
  apply: (on) => [on(Asked, { where: { data: { how: ['rows'] } } }, (write, { id }) => void setTimeout(() => write.put({ id }), 5))],
})

const stray = fn('stray', Asked, { ...how('stray'), run: () => void setTimeout(() => assertNothing(), 5) })

function assertNothing(): never {
  throw new Error('nobody caught this')
}

export const late = app('late', [Asked, Told, timer, unawaited, slow, rows, stray, route('POST /asked', Asked)])
