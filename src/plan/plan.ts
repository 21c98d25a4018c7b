/** An app as plain data: what the runtime runs, documents describe, and checks criticise. */
import type { Converters } from '../contracts/json-schema.ts'
import type { AnyConfig, Setting } from '../define/config.ts'
import type { AnyEvent } from '../define/event.ts'
import type { Fn } from '../define/fn.ts'
import type { AnyProjection } from '../define/projection.ts'
import type { AnyQuery } from '../define/query.ts'
import type { AnyResource } from '../define/resource.ts'
import type { Route } from '../define/route.ts'
import type { Webhook } from '../define/webhook.ts'

export interface Plan {
  readonly name: string
  /** All versions that the app lists, and those that they come from. */
  readonly events: readonly AnyEvent[]
  /** By type, what is published today. */
  readonly today: ReadonlyMap<string, AnyEvent>
  readonly functions: readonly Fn[]
  readonly projections: readonly AnyProjection[]
  readonly queries: readonly AnyQuery[]
  readonly routes: readonly Route[]
  readonly webhooks: readonly Webhook[]
  readonly resources: readonly AnyResource[]
  readonly configs: readonly AnyConfig[]
  readonly settings: readonly Setting[]
  readonly jsonSchema: Converters
}
