import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { validate } from '../contracts/schema.ts'
import type { Published, Serving } from '../define/context.ts'
import { event, type EventType } from '../define/event.ts'
import { query } from '../define/query.ts'
import { resource } from '../define/resource.ts'
import { route } from '../define/route.ts'
import { github, standardWebhooks, webhook } from '../define/webhook.ts'
import { sign } from '../event/signature.ts'
import { canonicalJson } from '../kit/canonical-json.ts'
import { fault, isFault } from '../kit/fault.ts'
import type { Fields } from '../ports/telemetry.ts'
import { openDoor } from './http.ts'
import type { Door, Fetch, HttpOptions, Posted } from './http-door.ts'

const Placed = event('Placed', z.object({ orderId: z.string(), cents: z.int() }), { version: 2, key: (order) => order.orderId })
const Cancelled = event('Cancelled', z.object({ orderId: z.string(), because: z.string().optional() }))
const Delivered = event('Delivered', z.object({ kind: z.string(), repo: z.string() }))
const known: ReadonlyMap<string, EventType<string, never>> = new Map(Object.entries({ Placed, Cancelled, Delivered })) as never

const secret = resource('secret', { open: () => '' })
const githubSecret = resource('github-secret', { open: () => '' })
const secrets = new Map<unknown, string>([[secret, `whsec_${Buffer.alloc(24, 7).toString('base64')}`], [githubSecret, 'it is no secret']])

const ordersOf = query('orders-of', z.object({ customer: z.string(), size: z.coerce.number().int().optional(), tag: z.array(z.string()).optional() }), (input) => input)
const oneOrder = query('one-order', z.object({ orderId: z.string() }), ({ orderId }) => (orderId === 'none' ? undefined : orderId === 'null' ? null : { orderId }))
const broken = query('broken', z.object({}), () => {
  throw new Error('the password is hunter2')
})

const routes = [
  route('POST /orders', Placed),
  route('POST /orders/:orderId/cancel', Cancelled),
  route('GET /customers/:customer/orders', ordersOf),
  route('GET /orders/:orderId', oneOrder),
  route('GET /orders/open', query('open', z.object({}), () => 'open')),
  route('GET /broken', broken),
  route('PUT /echo/:name', async (request) => ({ name: request.params.name, body: await request.text() })),
  route('GET /nothing', () => {}),
  route('GET /page', () => new Response('<p>', { status: 203, headers: { 'content-type': 'text/html', 'content-security-policy': "default-src 'self'" } })),
  route('GET /varied', () => new Response('v', { headers: { vary: 'accept' } })),
  route('GET /away', () => Response.redirect('http://localhost/page')),
  route('DELETE /disk', () => {
    throw fault('STORE_FULL', '/home/me/shop.db is full')
  }),
]
const webhooks = [
  webhook('/hooks/placed', Placed, { verify: standardWebhooks(secret) }),
  webhook('/hooks/github', Delivered, {
    verify: github(githubSecret),
    body: z.object({ repository: z.object({ full_name: z.string() }) }),
    data: (body, headers) => ({ kind: headers.get('x-github-event') ?? 'unknown', repo: body.repository.full_name }),
  }),
  webhook('/hooks/named', Placed, { verify: github(githubSecret), id: (body) => body.orderId }),
]

const nowMs = 1_700_000_000_000

/** A log that knows ids, as a runtime has one. */
class Log implements Door {
  readonly stored = new Map<string, Posted>()
  readonly counts: string[] = []
  readonly logged: { message: string; fields: Fields | undefined }[] = []
  readonly telemetry = {
    count: (name: string, _by: number, labels: Readonly<Record<string, string>> = {}): void => void this.counts.push([name, ...Object.values(labels)].join(' ')),
    record: (): void => {},
    span: <T>(_name: string, _fields: Fields, run: () => T): T => run(),
    log: (_level: string, message: string, fields?: Fields): void => void this.logged.push({ message, fields }),
  }
  waits: string[] = []

  async publish(posted: readonly Posted[], { id }: { readonly id?: string }): Promise<Published> {
    const all = posted.map((one, at) => {
      const known_ = known.get(one.type)
      if (known_ === undefined) throw fault('EVENT_UNKNOWN', one.type, { at })
      try {
        validate(known_.schema, one.data, one.type)
      } catch (thrown) {
        if (!isFault(thrown)) throw thrown
        throw fault(thrown.code, 'wrong', { ...thrown.data, at })
      }
      return { source: 'shop', ...one, id: one.id ?? (id === undefined ? `minted-${this.stored.size + at}` : `${id}-${at}`) }
    })
    const before = all.map((one) => this.stored.get(`${one.source} ${one.id}`))
    for (const [at, one] of before.entries()) if (one !== undefined && canonicalJson(one) !== canonicalJson(all[at])) throw fault('ID_TAKEN', one.id, { at })
    for (const one of all) this.stored.set(`${one.source} ${one.id}`, one)
    return { ids: all.map((one) => one.id), repeated: before.every((one) => one !== undefined) }
  }

  async ask(of: Parameters<Door['ask']>[0], input: unknown): Promise<unknown> {
    return await of.answer(validate(of.input, input, of.name), {} as Serving)
  }

  serving(): Serving {
    return {} as Serving
  }

  use<T>(it: unknown): T {
    return secrets.get(it) as T
  }

  unready(): readonly string[] {
    return this.waits
  }

  nowMs(): number {
    return nowMs
  }
}

async function opened(options: HttpOptions = {}): Promise<{ log: Log; fetch: Fetch }> {
  const log = new Log()
  return { log, fetch: await openDoor(log, { routes, webhooks }, options) }
}

type Headers_ = Readonly<Record<string, string>>

function request(at: string, body?: unknown, headers: Headers_ = {}): Request {
  const [method = 'GET', path = '/'] = at.split(' ')
  const json: Headers_ = body === undefined ? {} : { 'content-type': 'application/json' }
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  return new Request(`http://localhost:3000${path}`, { method, headers: { ...json, ...headers }, ...(text === undefined ? {} : { body: text }) })
}

interface Seen {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Headers
}

async function see(fetch: Fetch, asked: Request): Promise<Seen> {
  const answer = await fetch(asked)
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text), headers: answer.headers }
}

/** Every problem has the five members, its media type, and no word of the inside. */
function isProblem({ status, body, headers }: Seen, expectedStatus: number, code: string): void {
  assert.deepEqual([status, body['code']], [expectedStatus, code], JSON.stringify(body))
  assert.equal(headers.get('content-type'), 'application/problem+json')
  assert.equal(body['status'], status)
  assert.equal(body['type'], `/problems/${code}`)
  assert.equal(typeof body['title'], 'string')
  assert.ok(!/\.ts|at .*:\d+:\d+|node_modules|hunter2|\/home\//.test(JSON.stringify(body)), JSON.stringify(body))
}

function pointers({ body }: Seen): unknown {
  const { errors } = body
  return Array.isArray(errors) ? errors.map(({ pointer }) => pointer) : errors
}

const order = { orderId: 'a', cents: 5 }

describe('POST /events', () => {
  test('given an event as JSON, when posted, then it is published as it is and answered with its id', async () => {
    const { log, fetch } = await opened()
    const seen = await see(fetch, request('POST /events', { type: 'Placed', data: order, id: 'e1', key: 'k', version: 2, subject: 's', time: '2024-01-01T00:00:00Z' }))
    assert.deepEqual([seen.status, seen.body], [202, { ids: ['e1'], repeated: false }])
    assert.deepEqual([...log.stored.values()], [{ source: 'shop', type: 'Placed', data: order, id: 'e1', key: 'k', version: 2, subject: 's', time: '2024-01-01T00:00:00Z' }])
  })

  test('given several, when posted under an Idempotency-Key, then a repeat answers 200 and other content 409', async () => {
    const { log, fetch } = await opened()
    const two = [{ type: 'Placed', data: order }, { type: 'Cancelled', data: { orderId: 'a' } }]
    for (const [key, status] of [['"call-7"', 202], ['call-7', 200]] as const) {
      const seen = await see(fetch, request('POST /events', two, { 'idempotency-key': key }))
      assert.deepEqual([seen.status, seen.body], [status, { ids: ['call-7-0', 'call-7-1'], repeated: status === 200 }])
    }
    isProblem(await see(fetch, request('POST /events', [two[1]], { 'idempotency-key': 'call-7' })), 409, 'ID_TAKEN')
    assert.equal(log.stored.size, 2)
    for (const key of ['', 'x'.repeat(256)]) isProblem(await see(fetch, request('POST /events', two, { 'idempotency-key': key })), 400, 'ENVELOPE_INVALID')
    assert.deepEqual((await see(fetch, request('POST /events', []))).body, { ids: [], repeated: false })
  })

  test('given a CloudEvent in each of the three ways, when posted, then its attributes arrive', async () => {
    const { log, fetch } = await opened()
    const attributes = { specversion: '1.0', id: 'c1', source: '/billing', type: 'Placed', partitionkey: 'k', eventversion: 2, causationid: 'b', xtrace: 'x' }
    const expected = { source: '/billing', type: 'Placed', id: 'c1', key: 'k', version: 2, cause: 'b', extra: '{"xtrace":"x"}', data: order }
    const structured = request('POST /events', { ...attributes, data: order }, { 'content-type': 'application/cloudevents+json; charset=utf-8' })
    const batch = request('POST /events', [{ ...attributes, data: order }], { 'content-type': 'application/cloudevents-batch+json' })
    const binary = request('POST /events', order, Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, String(value)])))
    for (const one of [structured, batch, binary]) {
      log.stored.clear()
      const seen = await see(fetch, one)
      assert.deepEqual([seen.status, seen.body], [202, { ids: ['c1'], repeated: false }])
      assert.deepEqual([...log.stored.values()], [expected])
    }
  })

  test('given wrong data, when posted in any way, then every fault is pointed at where it was sent, and nothing is stored', async () => {
    const { log, fetch } = await opened()
    const wrong = { orderId: 1, cents: 'x' }
    const ce = { specversion: '1.0', id: 'c1', source: '/s', type: 'Placed' }
    const ways: readonly (readonly [Request, string])[] = [
      [request('POST /events', { type: 'Placed', data: wrong }), '/data'],
      [request('POST /events', [{ type: 'Placed', data: order }, { type: 'Placed', data: wrong }]), '/1/data'],
      [request('POST /events', { ...ce, data: wrong }, { 'content-type': 'application/cloudevents+json' }), '/data'],
      [request('POST /events', [{ ...ce, data: wrong }], { 'content-type': 'application/cloudevents-batch+json' }), '/0/data'],
      [request('POST /events', wrong, { 'ce-specversion': '1.0', 'ce-id': 'c', 'ce-source': '/s', 'ce-type': 'Placed' }), ''],
      [request('POST /orders', wrong), ''],
    ]
    for (const [one, before] of ways) {
      const seen = await see(fetch, one)
      isProblem(seen, 422, 'VALIDATION_FAILED')
      assert.deepEqual(pointers(seen), [`${before}/orderId`, `${before}/cents`])
    }
    assert.equal(log.stored.size, 0)
  })

  test('given an envelope that is wrong, when posted, then each place is named', async () => {
    const { log, fetch } = await opened()
    const at = async (body: unknown, headers: Headers_ = {}) => {
      const seen = await see(fetch, request('POST /events', body, headers))
      isProblem(seen, 400, 'ENVELOPE_INVALID')
      return pointers(seen)
    }
    assert.deepEqual(await at({}), ['/type', '/data'])
    assert.deepEqual(await at([{ type: 'Placed', data: order }, 7, { type: '', data: 1, foo: 1, 'a/b': 2, id: '' }]), ['/1', '/2/type', '/2/foo', '/2/a~1b', '/2/id'])
    assert.deepEqual(await at({ type: 'Placed', data: order, version: 0, time: 'now', key: 7 }), ['/version', '/time', '/key'])
    assert.deepEqual(await at({ specversion: '1.0', source: '/s' }, { 'content-type': 'application/cloudevents+json' }), ['/id', '/type'])
    assert.equal(log.stored.size, 0)
  })

  test('given an event that the app does not know, when posted, then it has a code of its own', async () => {
    const { fetch } = await opened()
    isProblem(await see(fetch, request('POST /events', { type: 'Vanished', data: {} })), 422, 'EVENT_UNKNOWN')
    const second = await see(fetch, request('POST /events', [{ type: 'Placed', data: order }, { type: 'Vanished', data: {} }]))
    isProblem(second, 422, 'EVENT_UNKNOWN')
    assert.equal(second.body['at'], 1)
  })

  test('given broken JSON, when posted, then the place is named', async () => {
    const { fetch } = await opened()
    for (const [text, place] of [['{"type": }', 'line 1, column 10'], ['{\n"a"', 'line 2, column 4'], ['', 'line 1, column 1']] as const) {
      const seen = await see(fetch, request('POST /events', text))
      isProblem(seen, 400, 'JSON_BROKEN')
      assert.equal(seen.body['detail'], place)
    }
    const bytes = new Request('http://localhost/events', { method: 'POST', body: new Uint8Array([0x22, 0xff, 0x22]), headers: { 'content-type': 'application/json' } })
    isProblem(await see(fetch, bytes), 400, 'JSON_BROKEN')
    isProblem(await see(fetch, request('POST /events', `{"type":"Placed","data":${'['.repeat(5_000)}${']'.repeat(5_000)}}`)), 400, 'JSON_BROKEN')
  })

  test('given a type of content that is not taken, when posted, then 415', async () => {
    const { fetch } = await opened()
    const types = ['', 'text/plain', 'application/x-www-form-urlencoded', 'application/cloudevents+xml', 'application/cloudevents', 'multipart/form-data; boundary=x']
    for (const type of types) isProblem(await see(fetch, request('POST /events', '{}', { 'content-type': type })), 415, 'CONTENT_TYPE_UNKNOWN')
    isProblem(await see(fetch, request('POST /events', '{}', { 'content-encoding': 'gzip' })), 415, 'CONTENT_TYPE_UNKNOWN')
    const png = { 'content-type': 'image/png', 'ce-specversion': '1.0', 'ce-id': 'c', 'ce-source': '/s', 'ce-type': 'Placed' }
    isProblem(await see(fetch, request('POST /events', 'x', png)), 415, 'CONTENT_TYPE_UNKNOWN')
  })

  test('given a body over the limit, when posted, then 413, and of a stream no more is read', async () => {
    const { fetch } = await opened({ bodyBytes: 1_000 })
    const large = { type: 'Placed', data: { orderId: 'x'.repeat(1_000), cents: 1 } }
    const length = String(JSON.stringify(large).length)
    for (const headers of [{}, { 'content-length': length }, { 'content-length': '10' }]) {
      isProblem(await see(fetch, request('POST /events', large, headers)), 413, 'BODY_TOO_LARGE')
    }
    for (const [headers, most] of [[{}, 5], [{ 'content-length': '1001' }, 1]] as const) {
      let pulled = 0
      const pull = (controller: ReadableStreamDefaultController): void => {
        pulled += 1
        controller.enqueue(new Uint8Array(400))
      }
      const init = { method: 'POST', body: new ReadableStream({ pull }), headers: { 'content-type': 'application/json', ...headers }, duplex: 'half' } as RequestInit
      isProblem(await see(fetch, new Request('http://localhost/events', init)), 413, 'BODY_TOO_LARGE')
      assert.ok(pulled <= most, `${pulled} chunks were read`)
    }
    isProblem(await see(fetch, request('PUT /echo/a', 'x'.repeat(1_001))), 413, 'BODY_TOO_LARGE')
    isProblem(await see(fetch, request('POST /hooks/placed', 'x'.repeat(1_001))), 413, 'BODY_TOO_LARGE')
  })
})

describe('routes', () => {
  test('given a route to an event, when posted, then body and path are its data, and the path cannot be contradicted', async () => {
    const { log, fetch } = await opened()
    assert.equal((await see(fetch, request('POST /orders', order, { 'idempotency-key': 'i' }))).status, 202)
    assert.equal((await see(fetch, request('POST /orders', order, { 'idempotency-key': 'i' }))).status, 200)
    assert.equal((await see(fetch, request('POST /orders/a%20b/cancel'))).status, 202)
    assert.equal((await see(fetch, request('POST /orders/c/cancel', { because: 'late', orderId: 'c' }))).status, 202)
    assert.deepEqual([...log.stored.values()].map(({ type, version, data }) => [type, version, data]), [
      ['Placed', 2, order],
      ['Cancelled', 1, { orderId: 'a b' }],
      ['Cancelled', 1, { because: 'late', orderId: 'c' }],
    ])
    const contradicted = await see(fetch, request('POST /orders/c/cancel', { orderId: 'd' }))
    isProblem(contradicted, 422, 'VALIDATION_FAILED')
    assert.deepEqual(pointers(contradicted), ['/orderId'])
    isProblem(await see(fetch, request('POST /orders/c/cancel', [])), 422, 'VALIDATION_FAILED')
    isProblem(await see(fetch, request('POST /orders', 'a=1', { 'content-type': 'text/plain' })), 415, 'CONTENT_TYPE_UNKNOWN')
    assert.equal(log.stored.size, 3)
  })

  test('given a route to a query, when asked, then search and path are its input: texts, lists where a name is repeated', async () => {
    const { fetch } = await opened()
    assert.deepEqual((await see(fetch, request('GET /customers/c%2F1/orders?size=7&tag=a&tag=b'))).body, { customer: 'c/1', size: 7, tag: ['a', 'b'] })
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
    assert.deepEqual([away.status, away.headers.get('location'), away.headers.get('x-content-type-options')], [302, 'http://localhost/page', 'nosniff'])
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
    assert.deepEqual(log.counts.slice(0, 2), ['millrace_http_requests_total GET /broken 500', 'millrace_http_requests_total DELETE /disk 507'])
  })

  test('given a path or a method that is not there, when asked, then 404, or 405 with what is allowed', async () => {
    const { fetch } = await opened()
    isProblem(await see(fetch, request('GET /vanished')), 404, 'ROUTE_UNKNOWN')
    isProblem(await see(fetch, request('GET /events/')), 404, 'ROUTE_UNKNOWN')
    for (const [at, allow] of [['DELETE /events', 'OPTIONS, POST'], ['POST /health', 'GET, HEAD, OPTIONS'], ['PATCH /orders/a', 'GET, HEAD, OPTIONS'], ['GET /hooks/github', 'OPTIONS, POST']] as const) {
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
    await assert.rejects(twice(route('GET /a/:b', () => 1), route('GET /a/:c', () => 1)), (error) => isFault(error, 'ROUTE_TAKEN'))
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
    for (const host of ['localhost:3000', 'LOCALHOST', '127.0.0.1:80', '[::1]:3000']) assert.equal((await fetch(post({ host }))).status, 202)
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
    for (const origin of ['https://evil.example', 'null', '', 'http://localhost:4000', 'http://localhost', 'https://shop.example:444', 'https://shop.example.evil.example']) {
      for (const one of [post({ origin, host }), request('POST /orders', order, { origin, host }), request('PUT /echo/a', '', { origin, host }), request('DELETE /disk', undefined, { origin, host })]) {
        const seen = await see(fetch, one)
        isProblem(seen, 403, 'ORIGIN_REFUSED')
        assert.equal(seen.headers.get('access-control-allow-origin'), null)
      }
    }
    for (const site of ['cross-site', 'same-site']) isProblem(await see(fetch, post({ 'sec-fetch-site': site, host })), 403, 'ORIGIN_REFUSED')
    assert.equal(log.stored.size, 0)
    assert.equal((await fetch(post({ origin: 'http://localhost:3000', host }))).status, 202)
    const allowed = await fetch(post({ origin: 'https://shop.example', host }))
    assert.equal(allowed.headers.get('cross-origin-resource-policy'), 'cross-origin')
    assert.deepEqual([allowed.status, allowed.headers.get('access-control-allow-origin'), allowed.headers.get('vary')], [202, 'https://shop.example', 'origin'])
  })

  test('given a page of another origin, when it only asks, then it is answered, and may not read unless it is listed', async () => {
    const { fetch } = await opened({ origins: ['https://shop.example'] })
    const asks = async (origin: string) => (await fetch(request('GET /orders/a', undefined, { origin }))).headers.get('access-control-allow-origin')
    assert.equal(await asks('https://evil.example'), null)
    assert.equal(await asks('https://shop.example'), 'https://shop.example')
    assert.equal((await fetch(request('GET /varied', undefined, { origin: 'https://shop.example' }))).headers.get('vary'), 'accept, origin')
  })

  test('given a preflight, when its origin is listed, then what the path allows is allowed, and nothing else', async () => {
    const { fetch } = await opened({ origins: ['https://shop.example'] })
    const ask = (path: string, origin: string) =>
      fetch(request(`OPTIONS ${path}`, undefined, { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,idempotency-key' }))
    const good = await ask('/events', 'https://shop.example')
    assert.equal(good.status, 204)
    assert.equal(good.headers.get('access-control-allow-origin'), 'https://shop.example')
    assert.equal(good.headers.get('access-control-allow-methods'), 'OPTIONS, POST')
    assert.equal(good.headers.get('access-control-allow-headers'), 'content-type,idempotency-key')
    const bad = await ask('/events', 'https://evil.example')
    assert.deepEqual([bad.status, bad.headers.get('access-control-allow-origin'), bad.headers.get('access-control-allow-methods')], [403, null, null])
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

describe('webhooks', () => {
  /** As from anywhere: webhooks come to any name, from any origin. */
  const outside = { host: 'hooks.shop.example', origin: 'https://sender.example' }

  function signed(body: unknown, { id = 'm1', sentMs = nowMs, key = secrets.get(secret) ?? '', headers = {} as Headers_ } = {}): Request {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return request('POST /hooks/placed', text, { ...outside, ...sign('standard-webhooks', key, { id, body: text, nowMs: sentMs }), ...headers })
  }

  function fromGithub(path: string, body: unknown, headers: Headers_ = { 'x-github-delivery': 'g1' }): Request {
    const text = JSON.stringify(body)
    const { 'x-hub-signature-256': signature = '' } = sign('github', 'it is no secret', { id: '', body: text, nowMs })
    return request(`POST ${path}`, text, { ...outside, 'x-hub-signature-256': signature, 'x-github-event': 'push', ...headers })
  }

  test('given a signed delivery, when it comes, then it is an ordinary event under its id, from its path; again, it is counted and nothing else', async () => {
    const { log, fetch } = await opened()
    assert.deepEqual((await see(fetch, signed(order))).body, { ids: ['m1'], repeated: false })
    const again = await see(fetch, signed(order, { sentMs: nowMs - 60_000 }))
    assert.deepEqual([again.status, again.body], [200, { ids: ['m1'], repeated: true }])
    assert.deepEqual([...log.stored.values()], [{ type: 'Placed', version: 2, id: 'm1', source: '/hooks/placed', data: order }])
    assert.deepEqual(log.counts.filter((count) => count.startsWith('millrace_webhook')), [
      'millrace_webhook_deliveries_total /hooks/placed stored',
      'millrace_webhook_deliveries_total /hooks/placed repeated',
    ])
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
    assert.deepEqual([...log.stored.values()], [{ type: 'Delivered', version: 1, id: 'g1', source: '/hooks/github', data: { kind: 'push', repo: 'a/b' } }])
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
    const [by, before] = [await see(fetch, signed(order, { id: 'm2', key: newer })), await see(fetch, signed(order, { id: 'm3', key: older }))]
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
