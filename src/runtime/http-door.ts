/** What the HTTP door needs of whoever runs the app, and no more; and what it is opened with. */
import type { Published, Serving } from '../define/context.ts'
import type { AnyQuery } from '../define/query.ts'
import type { Resource } from '../define/resource.ts'
import type { Route } from '../define/route.ts'
import type { Webhook } from '../define/webhook.ts'
import type { Telemetry } from '../ports/telemetry.ts'

/** An event as it came in. What is absent is the app's to fill in: today's version, the declared key, its own name as the source, now. */
export interface Posted {
  readonly type: string
  /** Parsed, not yet validated. */
  readonly data: unknown
  readonly version?: number
  readonly id?: string
  readonly source?: string
  readonly key?: string
  readonly subject?: string
  readonly time?: string
  readonly cause?: string
  readonly correlation?: string
  /** Other CloudEvents attributes, as JSON text. */
  readonly extra?: string
}

export interface Door {
  /**
   * All or nothing; resolves once flushed. `id` makes the ids of those that bring none, by their place.
   * MUST throw EVENT_UNKNOWN for a type or version that the app does not publish, VALIDATION_FAILED for data that is wrong (in
   * `data.issues`
   * with pointers into the data), and ID_TAKEN where a known id comes with other content; in each `data.at` is the place of the event in
   * the call (0 where it is absent).
   */
  publish(posted: readonly Posted[], options: { readonly id?: string }): Promise<Published>
  /** Validates the input. */
  ask(query: AnyQuery, input: unknown, signal: AbortSignal): Promise<unknown>
  /** What a route's handler is given. */
  serving(signal: AbortSignal): Serving
  use<T>(resource: Resource<T>): T
  /** What it still waits for; nothing: it is ready. */
  unready(): readonly string[]
  nowMs(): number
  readonly telemetry: Telemetry
}

/** What of the app stands behind a path. */
export interface Doors {
  readonly routes: readonly Route[]
  readonly webhooks: readonly Webhook[]
}

export interface HttpOptions {
  /** The address it listens at. @default '127.0.0.1' */
  readonly host?: string
  /** The names it answers to, against DNS rebinding, without ports. @default `host`, 'localhost', '127.0.0.1' and '[::1]' */
  readonly hosts?: readonly string[]
  /** The pages of other origins that may call it: 'https://shop.example'. @default none */
  readonly origins?: readonly string[]
  /** The largest body that is read. @default 1 MiB */
  readonly bodyBytes?: number
}

export type Fetch = (request: Request) => Promise<Response>
