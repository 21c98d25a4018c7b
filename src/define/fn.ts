/** A function: what it answers, what it may emit, how it is treated, what it does. */
import type { Problem } from '../contracts/schema.ts'
import type { BatchPolicy, Policy } from '../flow/subscription.ts'
import { compilePattern, type Matcher } from '../rules/match.ts'
import type { Pattern } from '../rules/pattern.ts'
import type { ContextOf, Emitted, Listed } from './context.ts'
import type { Batched } from './batched.ts'
import { define, functionIn, oneOrMore, onlyKnown, optionFault } from './definition.ts'
import type { Batch, DataOf, Definition, FactOf, ItemOf, Lists, OneOrMore, Received, Source } from './definition.ts'
import { beginning, deliveryOptions, policyOf, positive, type Delivery } from './delivery.ts'
import type { AnyEvent } from './event.ts'
import { orRefuse, refuse } from './refusal.ts'

/** What a handler returns is what it emits. */
export type Outcome<F> = void | F | readonly F[]

/** … but of a batch nobody could say which item caused it. */
export type Returned<S extends Source, Named> = [FactOf<S>] extends [Batch]
  ? void | Problem<'a batch emits by item: ctx.items[i].emit(…)'>
  : Outcome<Emitted<Named>>

/** Not `extends Listed`: to hold every event against the bound once more would cost 1,200 instantiations a function. */
export interface Handling<S extends Source, Named extends Listed> extends Delivery<ItemOf<FactOf<S>>['data']> {
  /** Only what matches. In a batch, each. */
  readonly where?: Pattern<Received<ItemOf<FactOf<S>>>>
  run(data: DataOf<S>, ctx: ContextOf<FactOf<S>, Named>): Returned<S, Named> | Promise<Returned<S, Named>>
}

export type FnOptions<S extends Source, Named extends Listed> = Lists<Named, Listed> & Handling<S, Named>

export interface Fn extends Definition {
  readonly kind: 'fn'
  readonly on: readonly AnyEvent[]
  readonly batch: (Pick<BatchPolicy, 'size' | 'waitMs'> & { readonly by: ((data: unknown) => string) | undefined }) | undefined
  readonly matches: Matcher | undefined
  readonly emits: readonly AnyEvent[]
  readonly policy: Policy
  readonly order: 'key' | 'none' | ((data: unknown) => string)
  readonly once: { readonly by: (data: unknown) => string; readonly withinMs: number } | undefined
  readonly from: 'now' | 'start' | number
  readonly was: string | undefined
  /** `data` is an array where `batch` is given, and `ctx` is a context for batches. */
  run(data: unknown, ctx: ContextOf<never, {}>): unknown
}

export function fn<S extends Source, Named extends Listed = {}>(name: string, on: OneOrMore<S>, options: FnOptions<S, Named>): Fn {
  const what = `fn ${name}`
  onlyKnown(what, options, ['where', 'emits', 'run', ...deliveryOptions])
  functionIn(what, options, 'run')
  const { where, order = 'key', once }: Handling<S, Named> = options
  if (once !== undefined) functionIn(what, once, 'by')
  return define('fn', name, {
    ...sourceOf(what, oneOrMore<Source>(on)),
    matches: where && orRefuse(() => compilePattern(where, `${what}: where`), undefined),
    emits: (options as Listed).emits ?? [],
    policy: policyOf(what, options),
    order,
    once: once && { by: once.by?.bind(once), withinMs: positive(what, 'once.within', once.within) },
    from: beginning(what, options.from ?? 'now'),
    was: options.was,
    run: options.run?.bind(options),
  })
}

function sourceOf(what: string, sources: readonly Source[]): Pick<Fn, 'on' | 'batch'> {
  const batch = sources.find((source): source is Batched => source.kind === 'batch')
  if (batch === undefined && sources.length > 0) return { on: sources.filter((source) => isEvent(what, source)), batch: undefined }
  if (batch === undefined || sources.length !== 1) refuse(optionFault(what, 'on', 'is one event or several, or one batch'))
  if (batch === undefined) return { on: [], batch }
  return { on: [batch.source], batch: { size: batch.size, waitMs: batch.waitMs, by: batch.by } }
}

function isEvent(what: string, source: Source): source is AnyEvent {
  if (source.kind !== 'event') refuse(optionFault(what, 'on', `a ${source.kind} is no source`))
  return source.kind === 'event'
}
