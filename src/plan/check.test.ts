import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { app } from '../define/app.ts'
import { event } from '../define/event.ts'
import { projection } from '../define/projection.ts'
import { route } from '../define/route.ts'
import { github, webhook } from '../define/webhook.ts'
import { config } from '../define/config.ts'
import { checkPlan } from './check.ts'
import { planOf } from './compile.ts'

const Placed = event('Placed', z.object({ id: z.string() }), { key: ({ id }) => id })
const orders = projection('orders', z.object({ id: z.string() }), { key: 'id', apply: (on) => [on(Placed, (rows, row) => rows.put(row))] })
const order = orders.query('order', z.object({ id: z.string().optional(), number: z.string().optional() }), (rows, { id = '' }) =>
  rows.get(id),
)
const settings = config(z.object({ SECRET: z.string().default('x') }), { secret: ['SECRET'] })
const hook = webhook('/hooks/shop', Placed, { verify: github(settings.pick('SECRET')) })

const found = (...routes: ReturnType<typeof route>[]): readonly string[] =>
  checkPlan(planOf(app('shop', [settings, Placed, orders, order, hook, ...routes]))).map(({ where, message }) => `${where}: ${message}`)

test('given two doors at one place, when the app is checked, then the second is told, whatever its parameters are called', () => {
  assert.deepEqual(found(route('GET /orders/:id', order), route('GET /orders/:number', order), route('POST /orders', Placed)), [
    'route GET /orders/:number: route GET /orders/:id answers there',
  ])
  assert.deepEqual(found(route('POST /hooks/shop', Placed)), ['route POST /hooks/shop: webhook /hooks/shop answers there'])
})

test('given a route where every app has a door of its own, when it is checked, then that is told', () => {
  for (const at of ['POST /events', 'GET /health', 'GET /ready', 'GET /problems/:id'] as const)
    assert.deepEqual(found(route(at, () => 1)), [`route ${at}: the door itself answers there`])
})
