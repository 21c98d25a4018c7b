import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Headers_, isProblem, opened, order, request, see } from './http-shop.test.ts'

describe('who may call', () => {
  const post = (headers: Headers_) => request('POST /events', { type: 'Placed', data: order }, headers)

  test('given a name that is not ours, when anything is asked, then it is refused: DNS rebinding', async () => {
    const { log, fetch } = await opened()
    for (const host of ['evil.example', 'evil.example:3000', 'localhost.evil.example', '127.0.0.1.evil.example', '', '[::2]:3000']) {
      isProblem(await see(fetch, post({ host })), 403, 'HOST_REFUSED')
      isProblem(await see(fetch, request('GET /orders/a', undefined, { host })), 403, 'HOST_REFUSED')
      isProblem(await see(fetch, request('POST /orders', order, { host })), 403, 'HOST_REFUSED')
    }
    assert.equal(log.stored.size, 0)
    for (const host of ['localhost:3000', 'LOCALHOST', '127.0.0.1:80', '[::1]:3000'])
      assert.equal((await fetch(post({ host }))).status, 202)
    const named = await opened({ hosts: ['shop.example'] })
    assert.equal((await named.fetch(post({ host: 'Shop.example:443' }))).status, 202)
    isProblem(await see(named.fetch, post({ host: 'localhost' })), 403, 'HOST_REFUSED')
    assert.equal((await (await opened({ hosts: ['fd00::7'] })).fetch(post({ host: '[fd00::7]:3000' }))).status, 202)
    // A request made in this process has an address only.
    assert.equal((await fetch(new Request('http://localhost/orders/a'))).status, 200)
    isProblem(await see(fetch, new Request('http://evil.example/orders/a')), 403, 'HOST_REFUSED')
  })

  test('given a page of another origin, when it changes something, then it is refused, unless it is listed', async () => {
    const { log, fetch } = await opened({ origins: ['https://shop.example'] })
    const host = 'localhost:3000'
    for (const origin of [
      'https://evil.example',
      'null',
      '',
      'http://localhost:4000',
      'http://localhost',
      'https://shop.example:444',
      'https://shop.example.evil.example',
    ]) {
      for (const one of [
        post({ origin, host }),
        request('POST /orders', order, { origin, host }),
        request('PUT /echo/a', '', { origin, host }),
        request('DELETE /disk', undefined, { origin, host }),
      ]) {
        const seen = await see(fetch, one)
        isProblem(seen, 403, 'ORIGIN_REFUSED')
        assert.equal(seen.headers.get('access-control-allow-origin'), null)
      }
    }
    for (const site of ['cross-site', 'same-site'])
      isProblem(await see(fetch, post({ 'sec-fetch-site': site, host })), 403, 'ORIGIN_REFUSED')
    assert.equal(log.stored.size, 0)
    assert.equal((await fetch(post({ origin: 'http://localhost:3000', host }))).status, 202)
    const allowed = await fetch(post({ origin: 'https://shop.example', host }))
    assert.equal(allowed.headers.get('cross-origin-resource-policy'), 'cross-origin')
    assert.deepEqual(
      [allowed.status, allowed.headers.get('access-control-allow-origin'), allowed.headers.get('vary')],
      [202, 'https://shop.example', 'origin'],
    )
  })

  test('given a page of another origin, when it only asks, then it is answered, and may not read unless it is listed', async () => {
    const { fetch } = await opened({ origins: ['https://shop.example'] })
    const asks = async (origin: string) =>
      (await fetch(request('GET /orders/a', undefined, { origin }))).headers.get('access-control-allow-origin')
    assert.equal(await asks('https://evil.example'), null)
    assert.equal(await asks('https://shop.example'), 'https://shop.example')
    assert.equal((await fetch(request('GET /varied', undefined, { origin: 'https://shop.example' }))).headers.get('vary'), 'accept, origin')
  })

  test('given a preflight, when its origin is listed, then what the path allows is allowed, and nothing else', async () => {
    const { fetch } = await opened({ origins: ['https://shop.example'] })
    const ask = (path: string, origin: string) =>
      fetch(
        request(`OPTIONS ${path}`, undefined, {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,idempotency-key',
        }),
      )
    const good = await ask('/events', 'https://shop.example')
    assert.equal(good.status, 204)
    assert.equal(good.headers.get('access-control-allow-origin'), 'https://shop.example')
    assert.equal(good.headers.get('access-control-allow-methods'), 'OPTIONS, POST')
    assert.equal(good.headers.get('access-control-allow-headers'), 'content-type,idempotency-key')
    const bad = await ask('/events', 'https://evil.example')
    assert.deepEqual(
      [bad.status, bad.headers.get('access-control-allow-origin'), bad.headers.get('access-control-allow-methods')],
      [403, null, null],
    )
    assert.equal((await ask('/vanished', 'https://shop.example')).status, 404)
  })

  test('given any answer, when it goes out, then browsers are told what not to do with it', async () => {
    const { fetch } = await opened()
    for (const at of ['GET /health', 'GET /vanished', 'GET /broken', 'GET /orders/a', 'GET /nothing']) {
      const { headers } = await fetch(request(at))
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
      assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
    }
  })
})
