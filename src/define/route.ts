/** HTTP: a method and a path, and what stands behind it. */
import type { Problem } from '../contracts/schema.ts'
import type { Serving } from './context.ts'
import { made, optionFault, type DataOf, type Definition } from './definition.ts'
import type { AnyEvent } from './event.ts'
import type { AnyQuery, Query } from './query.ts'
import { refuse } from './refusal.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type Endpoint = `${Method} /${string}`

type ParamNames<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParamNames<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never

export interface HttpRequest<At extends string> extends Request {
  readonly params: { readonly [Name in ParamNames<At>]: string }
}

/** What it returns is the answer: a Response as it is, anything else as JSON. */
export type Handler<At extends string> = (request: HttpRequest<At>, ctx: Serving) => unknown

/** A query takes the search parameters and the path's, an event the body and the path's. */
export type Target = AnyQuery | AnyEvent

type InputOfTarget<T> = T extends Query<infer Input, infer _> ? Input : T extends AnyEvent ? DataOf<T> : never

/** A query is asked by GET, an event is published by any other; every name in the path must be an input of what stands behind it. */
type Fits<At extends string, T> = T extends Target
  ? At extends `GET ${string}`
    ? T extends AnyEvent
      ? Problem<'GET publishes nothing: POST does'>
      : Named<At, T>
    : T extends AnyQuery
      ? Problem<'a query is asked by GET'>
      : Named<At, T>
  : unknown

type Named<At extends string, T> = [Exclude<ParamNames<At>, keyof InputOfTarget<T>>] extends [never]
  ? unknown
  : Problem<`the path names :${Exclude<ParamNames<At>, keyof InputOfTarget<T>>}, which is no input of this`>

export interface Route extends Definition {
  readonly kind: 'route'
  readonly method: Method
  /** With `:name` where a parameter stands. */
  readonly path: string
  readonly params: readonly string[]
  readonly to:
    | { readonly is: 'event'; readonly event: AnyEvent }
    | { readonly is: 'query'; readonly query: AnyQuery }
    | { readonly is: 'handler'; handle(request: HttpRequest<string>, ctx: Serving): unknown }
}

export function route<const At extends Endpoint, T extends Target | Handler<At>>(at: At, to: T & Fits<At, T>): Route {
  const what = `route ${at}`
  const read = /^(GET|POST|PUT|PATCH|DELETE) (\/|(?:\/(?::[A-Za-z_]\w*|[A-Za-z0-9._~-]+))+)$/.exec(at)
  if (read === null) refuse(optionFault(what, 'endpoint', 'must be like GET /orders/:orderId'))
  const [, method = '', path = at] = read ?? []
  const params = path
    .split('/')
    .filter((part) => part.startsWith(':'))
    .map((part) => part.slice(1))
  if (new Set(params).size < params.length) refuse(optionFault(what, 'endpoint', 'names a parameter twice'))
  return made('route', at, { method, path, params, to: behind(what, method, to) })
}

function behind(what: string, method: string, to: object): Route['to'] {
  const kind = 'kind' in to ? to.kind : undefined
  if (kind === 'query' && method !== 'GET') refuse(optionFault(what, 'endpoint', 'a query is asked by GET'))
  if (kind === 'query') return { is: 'query', query: to as AnyQuery }
  if (kind === 'event' && method === 'GET') refuse(optionFault(what, 'endpoint', 'GET publishes nothing: POST does'))
  if (kind === 'event') return { is: 'event', event: to as AnyEvent }
  if (kind !== undefined || typeof to !== 'function') refuse(optionFault(what, 'to', 'must be an event, a query or a function'))
  return { is: 'handler', handle: to as Handler<string> }
}
