/** An event: its name, its shape, and how it is kept. Call it, and you have a fact. */
import type { Contract, Split, Upcast } from '../contracts/contract.ts'
import type { Fact } from '../contracts/fact.ts'
import { makeFact } from '../contracts/made-fact.ts'
import { validate, type Exactly, type Keepable, type Schema } from '../contracts/schema.ts'
import { fault } from '../kit/fault.ts'
import { atLeast, define, onlyKnown, optionFault, type FactOf, type Source } from './definition.ts'
import { refuse } from './refusal.ts'

/** An event of whatever data: what lists of events are made of. */
export interface AnyEvent<F extends Fact = Fact> extends Source<F>, Contract {
  readonly kind: 'event'
  readonly type: F['type']
  /** Today's schema, to be used again: `route` and `query` may take it. */
  readonly schema: Exactly<F['data']>
  readonly description: string
  /** The declared key of such data; `undefined` where none is declared: then it is the event's id. */
  keyOf(data: unknown): string | undefined
}

export interface EventType<Name extends string, Data> extends AnyEvent<Fact<Name, Data>> {
  (data: Data): Fact<Name, Data>
  is(fact: Fact): fact is Fact<Name, Data>
}

/** The way from the version before into this one. Handed to `upcast`, so that today's shape is known inside. */
export type Upcasting<Data> = <Old>(before: EventType<string, Old>, up: (old: Old) => Data) => Upcast

/** The way from this event into others. Handed to `becomes`, so that its own shape is known inside. */
export type Splitting<Data> = <E extends AnyEvent>(into: readonly E[], split: (old: Data) => readonly FactOf<E>[]) => Split

export interface EventOptions<Data> {
  /** @default 1 */
  readonly version?: number
  /** What ordering is kept by, from now on: kept events keep theirs. @default the event's id */
  readonly key?: (data: Data) => string
  /** Yesterday's event in today's shape. */
  upcast?(from: Upcasting<Data>): Upcast
  /**
   * What this one, no longer published, is read as: others, in one turn. It must be in the app, for none of them knows it.
   * Asked when the app is made, so they may stand below.
   */
  becomes?(into: Splitting<Data>): Split
  readonly description?: string
}

/** Infers the data, not the schema: hovers stay short, and literals in `upcast` keep their types. */
export function event<const Name extends string, Data>(
  name: Name,
  schema: Schema<Data> & Keepable<Data>,
  options: EventOptions<Data> = {},
): EventType<Name, Data> {
  const what = `event ${name}`
  onlyKnown(what, options, ['version', 'key', 'upcast', 'becomes', 'description'])
  const version = atLeast(what, 'version', options.version ?? 1, 1)
  const upcast = options.upcast?.((before, up) => ({ before, up }))
  if (upcast !== undefined && upcast.before.type === name && upcast.before.version >= version) {
    refuse(optionFault(what, 'upcast', `comes from version ${upcast.before.version}, which is not before ${version}`))
  }
  let split: Split | undefined
  const parts = define<AnyEvent>('event', name, {
    type: name,
    version,
    schema,
    description: options.description ?? '',
    upcast,
    becomes: () => (split ??= options.becomes?.((into, how) => ({ into, split: how }))),
    keyOf: (data: Data) => (options.key === undefined ? undefined : keyBy(what, options.key, data)),
    is: (fact: Fact) => fact.type === name,
  })
  const make = (data: Data): Fact<Name, Data> => makeFact(made, name, validate<Data>(schema, data, name))
  const { name: _, ...rest } = parts
  const made = Object.assign(Object.defineProperty(make, 'name', { value: name }), rest) as unknown as EventType<Name, Data>
  return made
}

function keyBy<Data>(what: string, by: (data: Data) => string, data: Data): string {
  const key: unknown = attempt(what, by, data)
  if (typeof key !== 'string') throw fault('KEY_INVALID', `${what}: its key is no text`, { what })
  return key
}

function attempt<Data>(what: string, by: (data: Data) => string, data: Data): string {
  try {
    return by(data)
  } catch (error) {
    throw fault('KEY_INVALID', `${what}: its key could not be computed`, { what }, error)
  }
}
