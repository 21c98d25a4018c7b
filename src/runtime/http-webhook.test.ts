import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sign } from '../event/signature.ts'
import { githubSecret, type Headers_, isProblem, nowMs, opened, order, pointers, request, secret, secrets, see } from './http-shop.test.ts'

describe('webhooks', () => {
  /** As from anywhere: webhooks come to any name, from any origin. */
  const outside = { host: 'hooks.shop.example', origin: 'https://sender.example' }

  interface Signing {
    readonly id?: string
    readonly sentMs?: number
    readonly key?: string
    readonly headers?: Headers_
  }

  function signed(body: unknown, { id = 'm1', sentMs = nowMs, key = secrets.get(secret) ?? '', headers = {} }: Signing = {}): Request {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return request('POST /hooks/placed', text, {
      ...outside,
      ...sign('standard-webhooks', key, { id, body: text, nowMs: sentMs }),
      ...headers,
    })
  }

  function fromGithub(path: string, body: unknown, headers: Headers_ = { 'x-github-delivery': 'g1' }): Request {
    const text = JSON.stringify(body)
    const { 'x-hub-signature-256': signature = '' } = sign('github', 'it is no secret', { id: '', body: text, nowMs })
    return request(`POST ${path}`, text, { ...outside, 'x-hub-signature-256': signature, 'x-github-event': 'push', ...headers })
  }

  test('given a signed delivery, when it comes, then it is an event under its id, from its path; again, it is only counted', async () => {
    const { log, fetch } = await opened()
    assert.deepEqual((await see(fetch, signed(order))).body, { ids: ['m1'], repeated: false })
    const again = await see(fetch, signed(order, { sentMs: nowMs - 60_000 }))
    assert.deepEqual([again.status, again.body], [200, { ids: ['m1'], repeated: true }])
    assert.deepEqual([...log.stored.values()], [{ type: 'Placed', version: 2, id: 'm1', source: '/hooks/placed', data: order }])
    assert.deepEqual(
      log.counts.filter((count) => count.startsWith('millrace_webhook')),
      ['millrace_webhook_deliveries_total /hooks/placed stored', 'millrace_webhook_deliveries_total /hooks/placed repeated'],
    )
  })

  test('given the same id with another body, when it comes, then 409', async () => {
    const { log, fetch } = await opened()
    await fetch(signed(order))
    isProblem(await see(fetch, signed({ ...order, cents: 6 })), 409, 'ID_TAKEN')
    assert.equal(log.stored.size, 1)
  })

  test('given a delivery of GitHub, when it comes, then `data` makes the event of body and headers', async () => {
    const { log, fetch } = await opened()
    assert.equal((await fetch(fromGithub('/hooks/github', { repository: { full_name: 'a/b' }, more: 1 }))).status, 202)
    assert.deepEqual(
      [...log.stored.values()],
      [{ type: 'Delivered', version: 1, id: 'g1', source: '/hooks/github', data: { kind: 'push', repo: 'a/b' } }],
    )
    const wrong = await see(fetch, fromGithub('/hooks/github', { repository: {} }, { 'x-github-delivery': 'g2' }))
    isProblem(wrong, 422, 'VALIDATION_FAILED')
    assert.deepEqual(pointers(wrong), ['/repository/full_name'])
    isProblem(await see(fetch, fromGithub('/hooks/github', { repository: { full_name: 'a/b' } }, {})), 400, 'DELIVERY_UNNAMED')
    assert.equal((await see(fetch, fromGithub('/hooks/named', order, {}))).status, 202)
    assert.ok(log.stored.has('/hooks/named a'))
    isProblem(await see(fetch, fromGithub('/hooks/named', { ...order, orderId: '' }, {})), 400, 'DELIVERY_UNNAMED')
    assert.equal(log.stored.size, 2)
  })

  test('given a signature that is not right, when it comes, then it has a code of its own, and nothing is stored', async () => {
    const { log, fetch } = await opened()
    const bad: readonly (readonly [Request, number, string])[] = [
      [request('POST /hooks/placed', order, outside), 401, 'SIGNATURE_MISSING'],
      [signed(order, { headers: { 'webhook-signature': 'v1,short' } }), 401, 'SIGNATURE_MALFORMED'],
      [signed(order, { key: `whsec_${Buffer.alloc(24, 8).toString('base64')}` }), 401, 'SIGNATURE_WRONG'],
      [signed(order, { headers: { 'webhook-id': 'm2' } }), 401, 'SIGNATURE_WRONG'],
      [signed(order, { sentMs: nowMs - 301_000 }), 400, 'DELIVERY_STALE'],
      [signed(order, { sentMs: nowMs + 301_000 }), 400, 'DELIVERY_STALE'],
      [signed({ orderId: 1 }), 422, 'VALIDATION_FAILED'],
      [signed('{'), 400, 'JSON_BROKEN'],
      [signed('payload=%7B%7D', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }), 415, 'CONTENT_TYPE_UNKNOWN'],
    ]
    for (const [one, status, code] of bad) {
      const seen = await see(fetch, one)
      isProblem(seen, status, code)
      assert.equal(seen.headers.has('www-authenticate'), status === 401)
      assert.ok(log.counts.includes(`millrace_webhook_deliveries_total /hooks/placed ${code}`))
    }
    assert.equal(log.stored.size, 0)
  })

  test('given another secret, when a delivery comes, then it is held against that one', async () => {
    const { fetch } = await opened()
    const [older, newer] = [secrets.get(secret) ?? '', `whsec_${Buffer.alloc(24, 9).toString('base64')}`]
    assert.equal((await fetch(signed(order, { key: older }))).status, 202)
    secrets.set(secret, newer)
    const [by, before] = [
      await see(fetch, signed(order, { id: 'm2', key: newer })),
      await see(fetch, signed(order, { id: 'm3', key: older })),
    ]
    secrets.set(secret, older)
    assert.equal(by.status, 202)
    isProblem(before, 401, 'SIGNATURE_WRONG')
  })

  test('given a webhook whose secret is empty, when anything comes, then it is refused as our own mistake', async () => {
    const { log, fetch } = await opened()
    const right = secrets.get(githubSecret) ?? ''
    secrets.set(githubSecret, '')
    const seen = await see(fetch, fromGithub('/hooks/named', order))
    secrets.set(githubSecret, right)
    isProblem(seen, 500, 'SECRET_INVALID')
    assert.equal(log.stored.size, 0)
  })
})
