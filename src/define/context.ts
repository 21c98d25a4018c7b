/** What code of the app is given, whatever called it. */
import type { Fact } from '../contracts/fact.ts'
import type { Problem } from '../contracts/schema.ts'
import type { Batch, Definition, FactOf, OneOrMore, Received } from './definition.ts'
import type { AnyEvent } from './event.ts'
import type { Resource } from './resource.ts'
import type { Holding, Rows } from './rows.ts'

declare const asks: unique symbol

/** What can be asked: a query. The symbol is for types alone: nothing of it is there when it runs. */
export interface Question<Input, Output> extends Definition {
  readonly kind: 'query'
  readonly [asks]?: (input: Input) => Output
}

type Say = (message: string, fields?: Readonly<Record<string, unknown>>) => void

export interface Log {
  readonly debug: Say
  readonly info: Say
  readonly warn: Say
  readonly error: Say
}

/** What every piece of code in an app may do. */
export interface Asking {
  readonly log: Log
  readonly signal: AbortSignal
  /** Milliseconds since 1970. */
  now(): number
  /** Types can't see the app from here: a resource that it doesn't list is the fault RESOURCE_NOT_LISTED, at run time. */
  use<T>(resource: Resource<T>): T
  rows<Row, Indexed extends keyof Row>(of: Holding<Row, Indexed>): Rows<Row, Indexed>
  ask<Input, Output>(query: Question<Input, Output>, input: NoInfer<Input>): Promise<Output>
}

export interface Published {
  /** Of each fact, in order. */
  readonly ids: readonly string[]
  /** Whether all of it was known: then nothing was stored a second time. */
  readonly repeated: boolean
}

export interface Publishing {
  /** Resolves once flushed; all or nothing. `id`: what makes a repeat the same (of several facts, each by its place). */
  publish(facts: OneOrMore<Fact>, options?: { readonly id?: string }): Promise<Published>
}

/** What code outside any turn may do: a route's handler, and whoever has started the app. */
export interface Serving extends Asking, Publishing {}

/** What makes an outside effect happen once although the code around it runs again. */
export interface Attempt {
  /** 1 is the first. */
  readonly attempt: number
  /** Of (subscription, event, run): retry and redrive keep it. */
  readonly idempotencyKey: string
}

/** The lists that a function is given. */
export interface Listed {
  readonly emits?: readonly AnyEvent[]
}

/** What may be emitted. */
export type Emitted<Named> = Named extends { readonly emits: readonly (infer E extends AnyEvent)[] } ? FactOf<E> : never

export interface Emitting<Named> {
  /** Staged, and committed with the turn; bound, so that it can be taken apart from its item. Where nothing was declared: what to do. */
  readonly emit: (...facts: ([Emitted<Named>] extends [never] ? Problem<'declare it first: emits: […]'> : Emitted<Named>)[]) => void
}

export interface Context<In extends Fact, Named extends Listed = {}> extends Asking, Attempt, Emitting<Named> {
  readonly event: Received<In>
}

export interface Item<One extends Fact, Named> extends Emitting<Named> {
  readonly event: Received<One>
  readonly idempotencyKey: string
}

/** One turn for many: whatever concerns an event is on its item. */
export interface BatchContext<One extends Fact, Named extends Listed = {}> extends Asking {
  readonly attempt: number
  readonly items: readonly Item<One, Named>[]
}

export type ContextOf<In extends Fact, Named extends Listed> = [In] extends [Batch<infer One>]
  ? BatchContext<One, Named>
  : Context<In, Named>
