/** An app: a list of definitions, or modules by name. It starts nothing. */
import type { Converters } from '../contracts/json-schema.ts'
import type { AnyConfig, Setting } from './config.ts'
import { define, onlyKnown, optionFault, type Definition } from './definition.ts'
import type { AnyEvent } from './event.ts'
import type { Fn } from './fn.ts'
import type { AnyProjection } from './projection.ts'
import type { AnyQuery } from './query.ts'
import { refuse } from './refusal.ts'
import type { AnyResource } from './resource.ts'
import type { Route } from './route.ts'
import type { Batched } from './batched.ts'
import type { Webhook } from './webhook.ts'

/** Whatever an app is made of, told apart by `kind`. */
export type Word = AnyEvent | Batched | Fn | AnyProjection | AnyQuery | Webhook | Route | AnyResource | AnyConfig | Setting

/** `import * as orders from './orders.ts'`: whatever of it is a definition belongs to the app. */
export type Module = Readonly<Record<string, unknown>>
export type Modules = { readonly [name: string]: Module } & { readonly length?: never }
export type Parts = readonly Definition[] | Modules

export interface AppOptions {
  /** For validators that don't offer Standard JSON Schema themselves, by the library's name. */
  readonly jsonSchema?: Converters
}

export interface App extends Definition {
  readonly kind: 'app'
  /** Each once, in the order given. An app in an app is its parts. */
  readonly words: readonly Word[]
  readonly jsonSchema: Converters
}

export function app(name: string, parts: Parts, options: AppOptions = {}): App {
  const what = `app ${name}`
  onlyKnown(what, options, ['jsonSchema'])
  const listed: readonly unknown[] = Array.isArray(parts)
    ? parts
    : Object.values(parts).flatMap((module) => Object.values(module).filter(isDefinition))
  const words = new Set<Word>()
  for (const [index, part] of listed.entries()) {
    if (!isDefinition(part)) refuse(optionFault(what, `parts[${index}]`, 'is no definition (an event itself, not a fact that it made)'))
    else for (const word of part.kind === 'app' ? (part as App).words : [part as Word]) words.add(word)
  }
  return define('app', name, { words: [...words], jsonSchema: options.jsonSchema ?? {} })
}

const kinds: ReadonlySet<unknown> = new Set<Definition['kind']>([
  'event',
  'batch',
  'fn',
  'projection',
  'query',
  'webhook',
  'route',
  'resource',
  'config',
  'setting',
  'app',
])

function isDefinition(value: unknown): value is Definition {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false
  return 'kind' in value && kinds.has(value.kind) && 'name' in value && typeof value.name === 'string'
}
