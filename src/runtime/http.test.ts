import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { route } from '../define/route.ts'
import { isFault } from '../kit/fault.ts'
import { openDoor } from './http.ts'
import { isProblem, Log, opened, order, Placed, pointers, request, see } from './http-shop.test.ts'

describe('routes', () => {
  test('given a route to an event, when posted, then body and path are its data, and the path cannot be contradicted', async () => {
    const { log, fetch } = await opened()
    assert.equal((await see(fetch, request('POST /orders', order, { 'idempotency-key': 'i' }))).status, 202)
    assert.equal((await see(fetch, request('POST /orders', order, { 'idempotency-key': 'i' }))).status, 200)
    assert.equal((await see(fetch, request('POST /orders/a%20b/cancel'))).status, 202)
    assert.equal((await see(fetch, request('POST /orders/c/cancel', { because: 'late', orderId: 'c' }))).status, 202)
    assert.deepEqual(
      [...log.stored.values()].map(({ type, version, data }) => [type, version, data]),
      [
        ['Placed', 2, order],
        ['Cancelled', 1, { orderId: 'a b' }],
        ['Cancelled', 1, { because: 'late', orderId: 'c' }],
      ],
    )
    const contradicted = await see(fetch, request('POST /orders/c/cancel', { orderId: 'd' }))
    isProblem(contradicted, 422, 'VALIDATION_FAILED')
    assert.deepEqual(pointers(contradicted), ['/orderId'])
    isProblem(await see(fetch, request('POST /orders/c/cancel', [])), 422, 'VALIDATION_FAILED')
    isProblem(await see(fetch, request('POST /orders', 'a=1', { 'content-type': 'text/plain' })), 415, 'CONTENT_TYPE_UNKNOWN')
    assert.equal(log.stored.size, 3)
  })

  test('given a route to a query, when asked, then search and path are its input: texts, lists where a name is repeated', async () => {
    const { fetch } = await opened()
    assert.deepEqual((await see(fetch, request('GET /customers/c%2F1/orders?size=7&tag=a&tag=b'))).body, {
      customer: 'c/1',
      size: 7,
      tag: ['a', 'b'],
    })
    assert.deepEqual((await see(fetch, request('GET /customers/c/orders?customer=d'))).body, { customer: 'c' })
    const wrong = await see(fetch, request('GET /customers/c/orders?size=many&tag=a'))
    isProblem(wrong, 422, 'VALIDATION_FAILED')
    assert.deepEqual(pointers(wrong), ['/size', '/tag'])
    assert.deepEqual((await see(fetch, request('GET /orders/open'))).body, 'open')
    assert.deepEqual((await see(fetch, request('GET /orders/a'))).body, { orderId: 'a' })
    assert.deepEqual((await see(fetch, request('GET /orders/null'))).body, null)
    isProblem(await see(fetch, request('GET /orders/none')), 404, 'NOTHING_FOUND')
  })

  test('given a route to a handler, when asked, then what it returns is the answer', async () => {
    const { fetch } = await opened()
    assert.deepEqual((await see(fetch, request('PUT /echo/me', 'hello'))).body, { name: 'me', body: 'hello' })
    assert.equal((await fetch(request('GET /nothing'))).status, 204)
    const page = await fetch(request('GET /page'))
    assert.deepEqual([page.status, await page.text(), page.headers.get('content-type')], [203, '<p>', 'text/html'])
    assert.equal(page.headers.get('content-security-policy'), "default-src 'self'")
    const away = await fetch(request('GET /away'))
    assert.deepEqual(
      [away.status, away.headers.get('location'), away.headers.get('x-content-type-options')],
      [302, 'http://localhost/page', 'nosniff'],
    )
  })

  test('given our own mistake, when asked, then the caller learns a code, and the log the rest', async () => {
    const { log, fetch } = await opened()
    const seen = await see(fetch, request('GET /broken'))
    isProblem(seen, 500, 'UNEXPECTED')
    assert.equal(seen.body['detail'], undefined)
    assert.match(String(log.logged[0]?.fields?.['error']), /hunter2/)
    const full = await see(fetch, request('DELETE /disk'))
    isProblem(full, 507, 'STORE_FULL')
    assert.equal(full.body['detail'], undefined)
    assert.equal(full.headers.get('retry-after'), '1')
    assert.deepEqual(log.counts.slice(0, 2), [
      'millrace_http_requests_total GET /broken 500',
      'millrace_http_requests_total DELETE /disk 507',
    ])
  })

  test('given a path or a method that is not there, when asked, then 404, or 405 with what is allowed', async () => {
    const { fetch } = await opened()
    isProblem(await see(fetch, request('GET /vanished')), 404, 'ROUTE_UNKNOWN')
    isProblem(await see(fetch, request('GET /events/')), 404, 'ROUTE_UNKNOWN')
    for (const [at, allow] of [
      ['DELETE /events', 'OPTIONS, POST'],
      ['POST /health', 'GET, HEAD, OPTIONS'],
      ['PATCH /orders/a', 'GET, HEAD, OPTIONS'],
      ['GET /hooks/github', 'OPTIONS, POST'],
    ] as const) {
      const seen = await see(fetch, request(at))
      isProblem(seen, 405, 'METHOD_REFUSED')
      assert.equal(seen.headers.get('allow'), allow)
    }
    const options = await fetch(request('OPTIONS /orders'))
    assert.deepEqual([options.status, options.headers.get('allow')], [204, 'OPTIONS, POST'])
    const head = await fetch(request('HEAD /health'))
    assert.deepEqual([head.status, await head.text()], [200, ''])
  })

  test('given two doors at one place, when opened, then it is a fault', async () => {
    const twice = (...at: ReturnType<typeof route>[]) => openDoor(new Log(), { routes: at, webhooks: [] })
    await assert.rejects(twice(route('POST /events', Placed)), (error) => isFault(error, 'ROUTE_TAKEN'))
    await assert.rejects(
      twice(
        route('GET /a/:b', () => 1),
        route('GET /a/:c', () => 1),
      ),
      (error) => isFault(error, 'ROUTE_TAKEN'),
    )
  })
})

describe('health', () => {
  test('given it is up and not ready, when asked, then it says so, whoever asks', async () => {
    const { log, fetch } = await opened()
    const elsewhere = { host: '10.0.0.7:3000', origin: 'https://evil.example' }
    assert.deepEqual((await see(fetch, request('GET /health', undefined, elsewhere))).body, { status: 'up' })
    assert.deepEqual((await see(fetch, request('GET /ready', undefined, elsewhere))).body, { status: 'ready' })
    log.waits = ['lane all of charge-card']
    const seen = await see(fetch, request('GET /ready'))
    assert.deepEqual([seen.status, seen.body], [503, { status: 'not ready', waits: ['lane all of charge-card'] }])
  })

  test('given the address of a problem, when asked, then it is explained', async () => {
    const { fetch } = await opened()
    assert.match(String((await see(fetch, request('GET /problems/ID_TAKEN'))).body['todo']), /new id/)
    isProblem(await see(fetch, request('GET /problems/constructor')), 404, 'NOTHING_FOUND')
  })
})
