/**
 * The HTTP door: publish, routes, signed webhooks, health. Loads the router when it is opened, so that an app without HTTP never does.
 *
 *   first time   202 { ids, repeated: false }     it is in the log, what follows of it comes later
 *   known id     200 { ids, repeated: true }      nothing was stored, nothing happens
 */
import type { HttpRequest, Method, Route } from '../define/route.ts'
import { asError, fault } from '../kit/fault.ts'
import { readBody, readJson } from './http-body.ts'
import type { Door, Doors, Fetch, HttpOptions } from './http-door.ts'
import { guardOf, type Guard } from './http-guard.ts'
import { idempotencyKey, mustBeOneId, readPost, routedData, routedInput } from './http-publish.ts'
import { webhookDoor } from './http-webhook.ts'
import { explained, problemOf, problemResponse, type Pointing } from './problem.ts'
import { securityHeaders, withHeaders } from './http-headers.ts'

type Params = Readonly<Record<string, string>>

/** One method of one path. */
interface Entry {
  readonly method: Method
  readonly path: string
  /** Signed webhooks are checked by their signature, and health is nobody's secret. */
  readonly open?: true
  answer(request: Request, params: Params): Promise<Response> | Response
}

export async function openDoor(door: Door, doors: Doors, options: HttpOptions = {}): Promise<Fetch> {
  const { Hono } = await import('hono')
  const bytesMax = options.bodyBytes ?? 1_048_576
  const guard = guardOf(options)
  const entries = allEntries(door, doors, bytesMax)
  const router = new Hono()
  for (const entry of entries) {
    const where = `${entry.method} ${entry.path}`
    router.on(entry.method, entry.path, async (context) => {
      const answer = await answered(door, entry, guard, context.req.raw, context.req.param())
      door.telemetry.count('millrace_http_requests_total', 1, { route: where, status: String(answer.status) })
      return answer
    })
  }
  router.notFound((context) => elsewhere(context.req.raw, allowedAt(entries, context.req.path)))
  router.onError((thrown) => failed(door, 'the router', thrown))
  return async (request) => {
    const cors = guard.cors(request)
    const preflight = request.method === 'OPTIONS' && request.headers.has('access-control-request-method')
    const answer = preflight ? preflighted(request, cors, allowedAt(entries, new URL(request.url).pathname)) : await router.fetch(request)
    return cors === undefined ? answer : withHeaders(answer, cors, true)
  }
}

async function answered(door: Door, entry: Entry, guard: Guard, request: Request, params: Params): Promise<Response> {
  try {
    if (entry.open !== true) guard.check(request, entry.method !== 'GET')
    return await entry.answer(request, params)
  } catch (thrown) {
    return failed(door, `${entry.method} ${entry.path}`, thrown)
  }
}

/** The door's own first; then the app's, those without parameters first, so that `/orders/open` is never an `:orderId`. */
function allEntries(door: Door, doors: Doors, bytesMax: number): readonly Entry[] {
  const own: readonly Entry[] = [
    { method: 'POST', path: '/events', answer: (request) => publish(door, request, bytesMax) },
    { method: 'GET', path: '/health', open: true, answer: () => json({ status: 'up' }) },
    { method: 'GET', path: '/ready', open: true, answer: () => ready(door) },
    { method: 'GET', path: '/problems/:code', open: true, answer: (request, { code = '' }) => json(explained(code)) },
  ]
  const webhooks = doors.webhooks.map((webhook): Entry => {
    const deliver = webhookDoor(webhook, door, bytesMax)
    return { method: 'POST', path: webhook.path, open: true, answer: async (request) => accepted(await deliver(request)) }
  })
  const routes = doors.routes.map((route): Entry => ({
    method: route.method,
    path: route.path,
    answer: (request, params) => routed(door, route, request, params, bytesMax),
  }))
  const entries = [...own, ...[...webhooks, ...routes].sort((one, other) => rank(one.path).localeCompare(rank(other.path), 'en'))]
  const taken = new Set<string>()
  for (const { method, path } of entries) {
    const place = `${method} ${path.replaceAll(/:[^/]+/g, ':')}`
    if (taken.has(place)) throw fault('ROUTE_TAKEN', `${method} ${path}`, { method, path })
    taken.add(place)
  }
  return entries
}

/** Part by part: '0' a name, '1' a parameter. */
function rank(path: string): string {
  return path
    .split('/')
    .map((part) => (part.startsWith(':') ? '1' : '0'))
    .join('')
}

async function publish(door: Door, request: Request, bytesMax: number): Promise<Response> {
  const id = idempotencyKey(request)
  const { posted, pointing } = await readPost(request, bytesMax)
  mustBeOneId(id, posted)
  if (posted.length === 0) return json({ ids: [], repeated: false })
  try {
    return accepted(await door.publish(posted, id === undefined ? {} : { id }))
  } catch (thrown) {
    return failed(door, 'POST /events', thrown, pointing)
  }
}

async function routed(door: Door, { to }: Route, request: Request, params: Params, bytesMax: number): Promise<Response> {
  if (to.is === 'query') return json(await door.ask(to.query, routedInput(request.url, params), request.signal))
  if (to.is === 'event') {
    const id = idempotencyKey(request)
    const data = routedData(await readJson(request, bytesMax), params)
    const { type, version } = to.event
    return accepted(await door.publish([{ type, version, data }], id === undefined ? {} : { id }))
  }
  const result = await to.handle(await handled(request, params, bytesMax), door.serving(request.signal))
  if (result instanceof Response) return withHeaders(result, securityHeaders)
  return result === undefined ? new Response(null, { status: 204, headers: securityHeaders }) : json(result)
}

/** For a handler: its body has been read within the limit. */
async function handled(request: Request, params: Params, bytesMax: number): Promise<HttpRequest<string>> {
  const { method, headers, signal, url } = request
  const bodied = request.method !== 'GET' && request.method !== 'HEAD'
  const own = bodied ? new Request(url, { method, headers, signal, body: Buffer.from(await readBody(request, bytesMax)) }) : request
  return Object.defineProperty(own, 'params', { value: params, enumerable: true }) as HttpRequest<string>
}

function ready(door: Door): Response {
  const waits = door.unready()
  return waits.length === 0 ? json({ status: 'ready' }) : json({ status: 'not ready', waits }, 503)
}

function accepted(published: { readonly ids: readonly string[]; readonly repeated: boolean }): Response {
  return json({ ids: published.ids, repeated: published.repeated }, published.repeated ? 200 : 202)
}

/** `undefined` is what a question has for an answer when there is nothing of the kind. */
function json(value: unknown, status = 200): Response {
  if (value === undefined) throw fault('NOTHING_FOUND')
  return new Response(JSON.stringify(value), { status, headers: { ...securityHeaders, 'content-type': 'application/json' } })
}

/** What the caller is told, and, where the mistake is ours, what the log is told. */
function failed(door: Door, where: string, thrown: unknown, pointing?: Pointing): Response {
  const problem = problemOf(thrown, pointing)
  if (problem.status >= 500) door.telemetry.log('error', `${where} failed`, { code: problem.code, error: asError(thrown) })
  return problemResponse(problem, problem.status === 401 ? { 'www-authenticate': 'Webhook-Signature' } : {})
}

function allowedAt(entries: readonly Entry[], path: string): readonly string[] {
  const methods = new Set<string>()
  for (const entry of entries) if (matches(entry.path, path)) methods.add(entry.method)
  if (methods.has('GET')) methods.add('HEAD')
  return methods.size === 0 ? [] : [...methods, 'OPTIONS'].sort()
}

function matches(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  return wanted.length === given.length && wanted.every((part, at) => (part.startsWith(':') ? given[at] !== '' : part === given[at]))
}

function elsewhere(request: Request, allowed: readonly string[]): Response {
  const path = new URL(request.url).pathname
  if (allowed.length === 0) return problemResponse(problemOf(fault('ROUTE_UNKNOWN', path)))
  const allow = { allow: allowed.join(', ') }
  if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: { ...securityHeaders, ...allow } })
  return problemResponse(problemOf(fault('METHOD_REFUSED', `${request.method} ${path}`)), allow)
}

function preflighted(request: Request, cors: Readonly<Record<string, string>> | undefined, allowed: readonly string[]): Response {
  if (allowed.length === 0) return elsewhere(request, allowed)
  if (cors === undefined) {
    return problemResponse(problemOf(fault('ORIGIN_REFUSED', `'${request.headers.get('origin') ?? ''}' is not among its origins`)))
  }
  const asked = request.headers.get('access-control-request-headers')
  const headers = {
    'access-control-allow-methods': allowed.join(', '),
    ...(asked === null ? {} : { 'access-control-allow-headers': asked }),
  }
  return new Response(null, { status: 204, headers: { ...securityHeaders, 'access-control-max-age': '600', ...headers } })
}
