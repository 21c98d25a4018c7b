/** `POST /events`: as JSON, or as CloudEvents in their three ways. And a route that publishes an event of its own. */
import { problemOf as attributeProblem, pointed, refuse, type Envelope, type Problem } from '../event/envelope.ts'
import { fromBinary, utf8Text } from '../event/envelope-http.ts'
import { fromBatch, fromStructured } from '../event/envelope-json.ts'
import { fault } from '../kit/fault.ts'
import { parsedJson } from '../kit/json-text.ts'
import { readBody } from './http-body.ts'
import type { Posted } from './http-door.ts'
import type { Pointing } from './problem.ts'

export interface Post {
  readonly posted: readonly Posted[]
  readonly pointing: Pointing
}

export async function readPost(request: Request, bytesMax: number): Promise<Post> {
  const contentType = request.headers.get('content-type') ?? ''
  const media = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const body = await readBody(request, bytesMax)
  if (media === 'application/cloudevents-batch+json')
    return { posted: fromBatch(utf8Text(body)).map(postedOf), pointing: (at) => `/${at}/data` }
  if (media === 'application/cloudevents+json') return { posted: [postedOf(fromStructured(utf8Text(body)))], pointing: () => '/data' }
  if (media.startsWith('application/cloudevents'))
    throw fault('CONTENT_TYPE_UNKNOWN', `'${media}' is no format of CloudEvents that is read`, { contentType })
  if (request.headers.has('ce-specversion')) return { posted: [postedOf(fromBinary(request.headers, body))], pointing: () => '' }
  if (media !== 'application/json') throw fault('CONTENT_TYPE_UNKNOWN', media === '' ? 'no Content-Type' : `'${media}'`, { contentType })
  return fromJson(parsedJson(utf8Text(body)))
}

/** What is unique to the caller's attempt: the draft writes it in quotes, most callers don't. */
export function idempotencyKey(request: Request): string | undefined {
  const header = request.headers.get('idempotency-key')
  if (header === null) return undefined
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header
  const message = attributeProblem('id', key)
  if (message !== undefined || key.length > 255)
    refuse([{ pointer: '', message: `Idempotency-Key ${message ?? 'is longer than 255 characters'}` }])
  return key
}

/** An event that has an id is known by it: a key beside it that says otherwise would count for nothing. */
export function mustBeOneId(key: string | undefined, posted: readonly { readonly id?: string | undefined }[]): void {
  if (key !== undefined && posted.some(({ id }) => id !== undefined && id !== key))
    refuse([{ pointer: '', message: 'Idempotency-Key is another than the id of an event: leave one of them out' }])
}

/** The body and the path's parameters are the data. What stands in the path cannot be said otherwise in the body. */
export function routedData(body: unknown, params: Readonly<Record<string, string>>): unknown {
  if (Object.keys(params).length === 0) return body
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw validationFault([{ path: '', message: 'is no object' }])
  const issues = Object.entries(body).flatMap(([name, value]) =>
    Object.hasOwn(params, name) && params[name] !== value ? [{ path: `/${pointed(name)}`, message: 'is not what stands in the path' }] : [],
  )
  if (issues.length > 0) throw validationFault(issues)
  return { ...body, ...params }
}

/** One value is a text, several of a name are a list. A schema that wants a number coerces the text: `z.coerce.number()`. */
export function routedInput(url: string, params: Readonly<Record<string, string>>): unknown {
  const input = new Map<string, string | readonly string[]>()
  const search = new URL(url).searchParams
  for (const name of new Set(search.keys())) {
    const values = search.getAll(name)
    input.set(name, values.length === 1 ? (values[0] ?? '') : values)
  }
  for (const [name, value] of Object.entries(params)) input.set(name, value)
  return Object.fromEntries(input)
}

function fromJson(value: unknown): Post {
  const many = Array.isArray(value)
  const list: readonly unknown[] = many ? value : [value]
  const problems: Problem[] = []
  const posted = list.map((one, at) => jsonEvent(one, many ? `/${at}` : '', problems))
  if (problems.length > 0) refuse(problems)
  return { posted, pointing: many ? (at) => `/${at}/data` : () => '/data' }
}

/** Ours by its name in JSON, and the attribute of CloudEvents whose rules it is held to. */
const members: ReadonlyMap<string, string> = new Map([
  ['type', 'type'],
  ['version', 'eventversion'],
  ['id', 'id'],
  ['key', 'partitionkey'],
  ['subject', 'subject'],
  ['time', 'time'],
])

function jsonEvent(value: unknown, at: string, problems: Problem[]): Posted {
  const none = { type: '', data: null }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push({ pointer: at, message: 'is no object' })
    return none
  }
  const before = problems.length
  for (const [name, member] of Object.entries(value)) {
    if (name === 'data') continue
    const attribute = members.get(name)
    const message =
      attribute === undefined
        ? `is not known: an event has ${[...members.keys()].join(', ')} and data`
        : attributeProblem(attribute, member)
    if (message !== undefined) problems.push({ pointer: `${at}/${pointed(name)}`, message })
  }
  for (const name of ['type', 'data']) if (!Object.hasOwn(value, name)) problems.push({ pointer: `${at}/${name}`, message: 'is required' })
  if (problems.length > before) return none
  const { version, ...rest } = value as Posted
  return version === undefined ? rest : { ...rest, version: Number(version) }
}

function postedOf({ parsed, data: _, ...envelope }: Envelope): Posted {
  return { ...envelope, data: parsed }
}

function validationFault(issues: readonly { readonly path: string; readonly message: string }[]): Error {
  return fault('VALIDATION_FAILED', issues.map(({ path, message }) => `${path} ${message}`.trim()).join('; '), { issues })
}
