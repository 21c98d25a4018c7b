/**
 * A signed webhook in: a door, like a route. What arrives is checked, and published as an ordinary event,
 * with that event's version, key and upcasting.
 */
import type { Schema } from '../contracts/schema.ts'
import { made, onlyKnown, optionFault, type DataOf, type Definition } from './definition.ts'
import type { AnyEvent } from './event.ts'
import { refuse } from './refusal.ts'
import type { Resource } from './resource.ts'

/** Who signs, and in which header a delivery's id stands. */
export interface Verifier {
  readonly scheme: 'standard-webhooks' | 'github'
  readonly secret: Resource<string>
  readonly idHeader: string
}

/** https://www.standardwebhooks.com: a shared secret (`whsec_…`), or the public key of the sender (`whpk_…`). */
export function standardWebhooks(secret: Resource<string>): Verifier {
  return { scheme: 'standard-webhooks', secret, idHeader: 'webhook-id' }
}

/** `X-Hub-Signature-256`. It signs no time, so an old delivery is known by its id alone. */
export function github(secret: Resource<string>): Verifier {
  return { scheme: 'github', secret, idHeader: 'x-github-delivery' }
}

export interface WebhookOptions<E extends AnyEvent, Body> {
  readonly verify: Verifier
  /**
   * The shape of what arrives, where it is not the event's own. Then `data` makes one of the other (`check` finds where it is missing).
   * `as` gives back what it is given, and keeps literals literal, which a plain object in return would not.
   */
  readonly body?: Schema<Body>
  data?(body: Body, headers: Headers, as: (data: DataOf<E>) => DataOf<E>): DataOf<E>
  /** The event's id: what a repeat is known by. @default the verifier's header */
  id?(body: Body, headers: Headers): string
}

export interface Webhook extends Definition {
  readonly kind: 'webhook'
  readonly path: string
  readonly publishes: AnyEvent
  readonly verify: Verifier
  readonly body: Schema
  /** What was validated by `body`, as the event's data. Still to be validated as such. */
  readonly data: ((body: unknown, headers: Headers) => unknown) | undefined
  readonly id: ((body: unknown, headers: Headers) => string) | undefined
}

/** The event's source is the path. (Two overloads would leave the callbacks' parameters untyped.) */
export function webhook<E extends AnyEvent, Body = DataOf<E>>(path: `/${string}`, publishes: E, options: WebhookOptions<E, Body>): Webhook {
  const what = `webhook ${path}`
  onlyKnown(what, options, ['verify', 'body', 'data', 'id'])
  if (!/^(\/[A-Za-z0-9._~-]+)+$/.test(path)) refuse(optionFault(what, 'path', 'must be like /hooks/github'))
  return made('webhook', path, {
    path,
    publishes,
    verify: options.verify,
    body: options.body ?? publishes.schema,
    data: options.data && ((body: Body, headers: Headers) => options.data?.(body, headers, (data) => data)),
    id: options.id?.bind(options),
  })
}
