/** A query: a question with a checked input, and code that answers it from rows and resources. */
import type { InputOf, OutputOf, Schema } from '../contracts/schema.ts'
import type { Asking, Question } from './context.ts'
import { define, type Definition } from './definition.ts'

/** A query of whatever input: what the runtime works with. */
export interface AnyQuery extends Definition {
  readonly kind: 'query'
  readonly input: Schema
  /** The projection that it was asked of, by name. */
  readonly of: string | undefined
  /** Takes what `input` gave. */
  answer(input: unknown, asking: Asking): unknown
}

export interface Query<Input, Output> extends AnyQuery, Question<Input, Output> {
  readonly kind: 'query'
}

/** A question that no single projection answers. */
export function query<S extends Schema, Output>(
  name: string,
  input: S,
  read: (input: OutputOf<S>, asking: Asking) => Output | Promise<Output>,
): Query<InputOf<S>, Output> {
  return queryOver(name, input, read, undefined)
}

/** What `query` of a projection comes to. */
export function queryOver<Input, Output>(
  name: string,
  input: Schema,
  answer: (input: never, asking: Asking) => unknown,
  of: string | undefined,
): Query<Input, Output> {
  return define('query', name, { input, answer, of })
}
