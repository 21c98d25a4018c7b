/** An app of three events behind a door, over a log that only knows ids: what the tests of the door share. It holds no test of its own. */
import assert from 'node:assert/strict'
import { z } from 'zod'
import { validate } from '../contracts/schema.ts'
import type { Published, Serving } from '../define/context.ts'
import { event, type EventType } from '../define/event.ts'
import { query } from '../define/query.ts'
import { resource } from '../define/resource.ts'
import { route } from '../define/route.ts'
import { github, standardWebhooks, webhook } from '../define/webhook.ts'
import { canonicalJson } from '../kit/canonical-json.ts'
import { fault, isFault } from '../kit/fault.ts'
import type { Fields } from '../ports/telemetry.ts'
import { openDoor } from './http.ts'
import type { Door, Fetch, HttpOptions, Posted } from './http-door.ts'

export const Placed = event('Placed', z.object({ orderId: z.string(), cents: z.int() }), { version: 2, key: (order) => order.orderId })
const Cancelled = event('Cancelled', z.object({ orderId: z.string(), because: z.string().optional() }))
const Delivered = event('Delivered', z.object({ kind: z.string(), repo: z.string() }))
const known: ReadonlyMap<string, EventType<string, never>> = new Map(Object.entries({ Placed, Cancelled, Delivered })) as never

export const secret = resource('secret', { open: () => '' })
export const githubSecret = resource('github-secret', { open: () => '' })
export const secrets = new Map<unknown, string>([
  [secret, `whsec_${Buffer.alloc(24, 7).toString('base64')}`],
  [githubSecret, 'it is no secret'],
])

const ordersOf = query(
  'orders-of',
  z.object({ customer: z.string(), size: z.coerce.number().int().optional(), tag: z.array(z.string()).optional() }),
  (input) => input,
)
const oneOrder = query('one-order', z.object({ orderId: z.string() }), ({ orderId }) =>
  orderId === 'none' ? undefined : orderId === 'null' ? null : { orderId },
)
const broken = query('broken', z.object({}), () => {
  throw new Error('the password is hunter2')
})

const routes = [
  route('POST /orders', Placed),
  route('POST /orders/:orderId/cancel', Cancelled),
  route('GET /customers/:customer/orders', ordersOf),
  route('GET /orders/:orderId', oneOrder),
  route(
    'GET /orders/open',
    query('open', z.object({}), () => 'open'),
  ),
  route('GET /broken', broken),
  route('PUT /echo/:name', async (request) => ({ name: request.params.name, body: await request.text() })),
  route('GET /nothing', () => {}),
  route(
    'GET /page',
    () => new Response('<p>', { status: 203, headers: { 'content-type': 'text/html', 'content-security-policy': "default-src 'self'" } }),
  ),
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

export const nowMs = 1_700_000_000_000

/** A log that knows ids, as a runtime has one. */
export class Log implements Door {
  readonly stored = new Map<string, Posted>()
  readonly counts: string[] = []
  readonly logged: { message: string; fields: Fields | undefined }[] = []
  readonly telemetry = {
    count: (name: string, _by: number, labels: Readonly<Record<string, string>> = {}): void =>
      void this.counts.push([name, ...Object.values(labels)].join(' ')),
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
    for (const [at, one] of before.entries())
      if (one !== undefined && canonicalJson(one) !== canonicalJson(all[at])) throw fault('ID_TAKEN', one.id, { at })
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

export async function opened(options: HttpOptions = {}): Promise<{ log: Log; fetch: Fetch }> {
  const log = new Log()
  return { log, fetch: await openDoor(log, { routes, webhooks }, options) }
}

export type Headers_ = Readonly<Record<string, string>>

export function request(at: string, body?: unknown, headers: Headers_ = {}): Request {
  const [method = 'GET', path = '/'] = at.split(' ')
  const json: Headers_ = body === undefined ? {} : { 'content-type': 'application/json' }
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  return new Request(`http://localhost:3000${path}`, {
    method,
    headers: { ...json, ...headers },
    ...(text === undefined ? {} : { body: text }),
  })
}

export interface Seen {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Headers
}

export async function see(fetch: Fetch, asked: Request): Promise<Seen> {
  const answer = await fetch(asked)
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text), headers: answer.headers }
}

/** Every problem has the five members, its media type, and no word of the inside. */
export function isProblem({ status, body, headers }: Seen, expectedStatus: number, code: string): void {
  assert.deepEqual([status, body['code']], [expectedStatus, code], JSON.stringify(body))
  assert.equal(headers.get('content-type'), 'application/problem+json')
  assert.equal(body['status'], status)
  assert.equal(body['type'], `/problems/${code}`)
  assert.equal(typeof body['title'], 'string')
  assert.ok(!/\.ts|at .*:\d+:\d+|node_modules|hunter2|\/home\//.test(JSON.stringify(body)), JSON.stringify(body))
}

export function pointers({ body }: Seen): unknown {
  const { errors } = body
  return Array.isArray(errors) ? errors.map(({ pointer }) => pointer) : errors
}

export const order = { orderId: 'a', cents: 5 }
