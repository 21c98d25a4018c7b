/**
 * The door for operators: requests in, JSON out. The same door answers on the socket of a running app, and inside the
 * command line where nobody runs.
 * Its paths are versioned; a newer command line may meet an older app.
 */
import { asError, fault, isFault } from '../kit/fault.ts'
import { codes } from '../kit/fault-codes.ts'
import type { Door, Posted } from '../runtime/http-door.ts'
import { readJson } from '../runtime/http-body.ts'
import { deadLettersOf, deadLettersWithId, inFull, type DeadLetterFilter } from './dead-letters.ts'
import { eventTrail } from './event-trail.ts'
import { logPage, untilMore, type LogAsk, type LogPage } from './log-page.ts'
import { operationLog } from './operation-log.ts'
import { discard, edit, forgetRemoved, pause, redrive, resume, type Chosen, type Edit, type Operator } from './operator.ts'
import { laneViews, subscriptionViews } from './subscription-views.ts'

export interface OperatorDoor extends Operator {
  /** What `GET /v1` tells: who runs, and since when. */
  readonly about: Readonly<Record<string, unknown>>
  /** Of the running app: without it nothing can be published. */
  readonly door?: Pick<Door, 'publish'>
}

type Answer = (asked: Asked) => Promise<unknown>

interface Asked {
  readonly operator: OperatorDoor
  readonly request: Request
  readonly query: URLSearchParams
  /** What stands in the path, decoded. */
  readonly name: string
}

const bodyMost = 8 * 1_048_576

export function operatorDoor(operator: OperatorDoor): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      const url = new URL(request.url)
      const [answer, name] = found(request.method, url.pathname)
      return json(await answer({ operator, request, query: url.searchParams, name }), 200)
    } catch (thrown) {
      return failure(thrown)
    }
  }
}

const answers: Readonly<Record<string, Answer>> = {
  'GET /v1': async ({ operator }) => operator.about,
  'GET /v1/subscriptions': async ({ operator }) => ({ subscriptions: await subscriptionViews(operator) }),
  'POST /v1/subscriptions/:/pause': async (asked) => {
    const { by, why } = await body<{ why?: string }>(asked)
    return pause(asked.operator, asked.name, by, why)
  },
  'POST /v1/subscriptions/:/resume': async (asked) => resume(asked.operator, asked.name, (await body(asked)).by),
  'POST /v1/subscriptions/:/forget': async (asked) => forgetRemoved(asked.operator, asked.name, (await body(asked)).by),
  'GET /v1/lanes': async ({ operator }) => ({ lanes: await laneViews(operator) }),
  'GET /v1/events/:': ({ operator, name, query }) => eventTrail(operator, name, query.get('source') ?? undefined),
  'POST /v1/events': publish,
  'GET /v1/log': log,
  'GET /v1/dead-letters': async ({ operator, query }) => ({
    deadLetters: (await deadLettersOf(operator, filterOf(query))).map(({ letter }) => letter),
  }),
  'GET /v1/dead-letters/:': async ({ operator, name, query }) => {
    const found = await deadLettersWithId(operator, name, filterOf(query))
    return { deadLetters: await Promise.all(found.map((one) => inFull(operator, one))) }
  },
  'POST /v1/dead-letters/redrive': async (asked) => {
    const { by, ...chosen } = await body<Chosen>(asked)
    return { settled: await redrive(asked.operator, chosen, by) }
  },
  'POST /v1/dead-letters/discard': async (asked) => {
    const { by, wholeKey, ...chosen } = await body<Chosen & { wholeKey?: boolean }>(asked)
    return { settled: await discard(asked.operator, chosen, by, wholeKey) }
  },
  'POST /v1/dead-letters/edit': async (asked) => {
    const { by, ...given } = await body<Edit>(asked)
    if (typeof given.id !== 'string' || typeof given.data !== 'string')
      throw fault('OPERATION_INVALID', 'an edit names the id of its event, and gives its data as JSON text')
    return { settled: await edit(asked.operator, given, by) }
  },
  'GET /v1/operations': async ({ operator, query }) => ({ operations: await operationLog(operator, numberIn(query, 'limit', 100)) }),
}

/** At most one part of a path is a name. */
function found(method: string, path: string): readonly [Answer, string] {
  const parts = path.split('/')
  for (const at of [-1, 3]) {
    const shape = parts.map((part, i) => (i === at ? ':' : part)).join('/')
    const answer = Object.hasOwn(answers, `${method} ${shape}`) ? answers[`${method} ${shape}`] : undefined
    if (answer !== undefined) return [answer, decodeURIComponent(parts[3] ?? '')]
  }
  throw fault('ROUTE_UNKNOWN', `${method} ${path}: the app may run another version of Millrace`)
}

async function publish({ operator, request }: Asked): Promise<unknown> {
  if (operator.door === undefined) throw fault('APP_NOT_RUNNING', 'an event is published through its app')
  const { id, by: _, ...posted } = (await readJson(request, bodyMost)) as Posted & { readonly by?: string }
  if (typeof posted.type !== 'string') throw fault('OPERATION_INVALID', 'an event has a type')
  return operator.door.publish([posted], id === undefined ? {} : { id })
}

/** Waits for the first event where it is asked to. */
async function log({ operator, request, query }: Asked): Promise<unknown> {
  const ask = {
    limit: Math.min(1_000, numberIn(query, 'limit', 100)),
    types: query.getAll('type'),
    ...given(query, 'key'),
    ...given(query, 'source'),
    ...(query.has('sinceMs') ? { sinceMs: numberIn(query, 'sinceMs', 0) } : {}),
  }
  const waitMs = Math.min(30_000, numberIn(query, 'waitMs', 0))
  const over = new AbortController()
  const answered = new AbortController()
  const signal = AbortSignal.any([request.signal, over.signal])
  if (waitMs > 0) void operator.environment.wait(waitMs, AbortSignal.any([request.signal, answered.signal])).then(() => over.abort())
  try {
    return await firstPage(operator, ask, query.get('from') ?? 'now', waitMs > 0 ? signal : undefined)
  } finally {
    answered.abort()
  }
}

/** The first with an event in it, where one is waited for. */
async function firstPage(operator: Operator, ask: Omit<LogAsk, 'from'>, first: string, signal: AbortSignal | undefined): Promise<LogPage> {
  for (let from = first; ;) {
    const hint = signal === undefined ? undefined : untilMore(operator, signal)
    const page = await logPage(operator, { ...ask, from })
    if (page.events.length > 0 || hint === undefined || signal?.aborted === true) return page
    if (page.end || from === 'now') await hint
    from = page.next
  }
}

async function body<T extends object>({ request }: Asked): Promise<T & { readonly by: string }> {
  const value = await readJson(request, bodyMost)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fault('OPERATION_INVALID', 'the body is no object')
  const { by } = value as { readonly by?: unknown }
  return { ...(value as T), by: typeof by === 'string' && by !== '' ? by : 'somebody' }
}

function filterOf(query: URLSearchParams): DeadLetterFilter {
  const since = query.has('sinceMs') ? { sinceMs: numberIn(query, 'sinceMs', 0) } : {}
  return { ...given(query, 'subscription'), ...given(query, 'key'), ...given(query, 'type'), ...given(query, 'code'), ...since }
}

function given<N extends string>(query: URLSearchParams, name: N): { readonly [K in N]?: string } {
  const value = query.get(name)
  return value === null ? {} : ({ [name]: value } as { readonly [K in N]: string })
}

function numberIn(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name)
  if (text === null) return otherwise
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 0)
    throw fault('OPERATION_INVALID', `${name}: '${text}' is no whole number`, { [name]: text })
  return number
}

function json(value: unknown, status: number): Response {
  return new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } })
}

/** Whoever may open the socket may know all of it: the words of our own mistakes too. */
function failure(thrown: unknown): Response {
  const error = asError(thrown)
  if (!isFault(error)) return json({ code: 'UNEXPECTED', detail: error.message, todo: codes.UNEXPECTED.todo, stack: error.stack }, 500)
  const { code, data, status, message } = error
  const detail = message.slice(code.length + 2)
  return json({ code, detail, todo: codes[code].todo, data }, status)
}
