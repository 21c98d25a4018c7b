import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { isFault } from '../kit/fault.ts'
import { event } from './event.ts'
import { query } from './query.ts'
import { resource } from './resource.ts'
import { route, type Endpoint } from './route.ts'
import { github, standardWebhooks, webhook } from './webhook.ts'

const Shipped = event('Shipped', z.object({ orderId: z.string() }))
const one = query('one', z.object({ id: z.string() }), () => 1)
const secret = resource('secret', { open: () => 'whsec_x' })

test('given an event, a query or a function, when a route leads to it, then it says which', () => {
  const handler = () => 'ok'
  const { method, path, params, to } = route('POST /orders/:orderId/shipment', Shipped)
  assert.deepEqual(
    { method, path, params, to },
    { method: 'POST', path: '/orders/:orderId/shipment', params: ['orderId'], to: { is: 'event', event: Shipped } },
  )
  assert.deepEqual(route('GET /things/:id', one).to, { is: 'query', query: one })
  assert.deepEqual(route('GET /', handler).to, { is: 'handler', handle: handler })
})

test('given an endpoint that can’t be, when a route is defined, then it is refused', () => {
  for (const at of ['GET orders', 'GET /a b', 'GET /a?b=c', 'GET /:a/:a', 'GET /:1', 'GET //', 'GET /a/', 'get /a', 'HEAD /a']) {
    assert.throws(
      () => route(at as Endpoint, () => 1),
      (error) => isFault(error, 'OPTION_INVALID'),
      at,
    )
  }
  assert.throws(
    () => route('GET /orders' as 'POST /orders', Shipped),
    (error) => isFault(error, 'OPTION_INVALID'),
  )
  for (const at of ['POST /things/:id', 'PUT /things/:id', 'PATCH /things/:id', 'DELETE /things/:id'] as const) {
    assert.throws(
      () => route(at as 'GET /things/:id', one),
      (error) => isFault(error, 'OPTION_INVALID'),
      at,
    )
  }
  assert.throws(
    () => route('GET /orders', JSON.parse('{"kind":"resource","name":"x"}')),
    (error) => isFault(error, 'OPTION_INVALID'),
  )
})

test('given a webhook of the event’s own shape, when defined, then its body is the event’s', () => {
  const { kind, name, path, publishes, verify, body, data, id } = webhook('/hooks/ship', Shipped, { verify: standardWebhooks(secret) })
  assert.deepEqual(
    { kind, name, path, data, id },
    { kind: 'webhook', name: '/hooks/ship', path: '/hooks/ship', data: undefined, id: undefined },
  )
  assert.deepEqual([publishes, body, verify], [Shipped, Shipped.schema, { scheme: 'standard-webhooks', secret, idHeader: 'webhook-id' }])
})

test('given a webhook of another shape, when it arrives, then data and id are made of body and headers', () => {
  const body = z.object({ order: z.string() })
  const hook = webhook('/hooks/ship', Shipped, {
    verify: github(secret),
    body,
    data: ({ order }, headers, as) => as({ orderId: order + headers.get('x-kind') }),
    id: ({ order }) => `id-${order}`,
  })
  assert.equal(hook.body, body)
  assert.deepEqual(hook.data?.({ order: 'o-1' }, new Headers({ 'x-kind': '!' })), { orderId: 'o-1!' })
  assert.equal(hook.id?.({ order: 'o-1' }, new Headers()), 'id-o-1')
})

test('given a path that can’t be, when a webhook is defined, then it is refused', () => {
  for (const path of ['/', '/a b', '/:a', '/a/', '//a', '/a?b'])
    assert.throws(
      () => webhook(path as '/a', Shipped, { verify: github(secret) }),
      (error) => isFault(error, 'OPTION_INVALID'),
      path,
    )
})
