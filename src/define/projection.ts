/** A projection: rows made out of events, read by typed queries along the declared indexes. */
import type { InputOf, Keepable, OutputOf, Schema } from '../contracts/schema.ts'
import type { RetryPolicy } from '../flow/subscription.ts'
import { compilePattern, type Matcher } from '../rules/match.ts'
import type { Pattern } from '../rules/pattern.ts'
import type { Asking } from './context.ts'
import { define, onlyKnown, oneOrMore, optionFault, type DataOf, type Definition, type FactOf, type Received } from './definition.ts'
import { beginning, policyOf, type Retry, type Subscribing } from './delivery.ts'
import type { AnyEvent } from './event.ts'
import { queryOver, type Query } from './query.ts'
import { orRefuse, refuse } from './refusal.ts'
import type { Holding, Rows, Writing } from './rows.ts'

export interface Taking<E extends AnyEvent> {
  /**
   * The order key that its rows are written under, where it isn't the event's:
   * then one owner reads all lanes (merged), and what fails parks by it.
   */
  by?(data: DataOf<E>): string
  readonly where?: Pattern<Received<FactOf<E>>>
}

type Apply<Row, E extends AnyEvent> = (rows: Writing<Row>, data: DataOf<E>, fact: Received<FactOf<E>>) => void | Promise<void>

/** Says what one event does to the rows. */
export interface Applying<Row> {
  <E extends AnyEvent>(event: E, apply: Apply<Row, E>): Take
  <E extends AnyEvent>(event: E, taking: Taking<E>, apply: Apply<Row, E>): Take
}

/** One event of a projection, and what it does there. */
export interface Take {
  readonly event: AnyEvent
  readonly by: ((data: unknown) => string) | undefined
  readonly matches: Matcher | undefined
  apply(rows: Writing<unknown>, data: unknown, fact: Received): void | Promise<void>
}

export interface ProjectionOptions<Row, Indexed extends keyof Row> extends Subscribing {
  readonly key: Indexed
  /** What rows are found and ordered by, besides the key. */
  readonly index?: readonly (Indexed | readonly Indexed[])[]
  /** @default { attempts: 6, from: '200ms', to: '1m' } */
  readonly retry?: Retry | false
  apply(on: Applying<Row>): readonly Take[]
}

/** A projection of whatever rows: what the runtime works with. */
export interface AnyProjection extends Definition {
  readonly kind: 'projection'
  readonly row: Schema
  readonly key: string
  /** Each a list of columns, without the key. */
  readonly indexes: readonly (readonly string[])[]
  readonly takes: readonly Take[]
  readonly retry: RetryPolicy
  readonly from: 'now' | 'start' | number
  readonly was: string | undefined
}

export interface Projection<Row, Indexed extends keyof Row> extends AnyProjection, Holding<Row, Indexed> {
  readonly kind: 'projection'
  /** A question about its rows. */
  query<S extends Schema, Output>(
    name: string,
    input: S,
    read: (rows: Rows<Row, Indexed>, input: OutputOf<S>, asking: Asking) => Output | Promise<Output>,
  ): Query<InputOf<S>, Output>
}

export function projection<Row, Indexed extends keyof Row & string>(
  name: string,
  row: Schema<Row> & Keepable<Row>,
  options: ProjectionOptions<Row, Indexed>,
): Projection<Row, Indexed> {
  const what = `projection ${name}`
  onlyKnown(what, options, ['key', 'index', 'retry', 'from', 'was', 'apply'])
  const takes = options.apply(takeOf(what))
  if (takes.length === 0) refuse(optionFault(what, 'apply', 'takes no event'))
  const projected: Projection<Row, Indexed> = define('projection', name, {
    row,
    key: options.key,
    indexes: (options.index ?? []).map((columns) => oneOrMore<string>(columns)),
    takes,
    retry: policyOf(what, options).retry,
    from: beginning(what, options.from ?? 'start'),
    was: options.was,
    query: (queryName: string, input: Schema, read: (rows: Rows<Row, Indexed>, input: unknown, asking: Asking) => unknown) =>
      queryOver(queryName, input, (given, asking) => read(asking.rows(projected), given, asking), name),
  })
  return projected
}

function takeOf<Row>(what: string): Applying<Row> {
  return <E extends AnyEvent>(event: E, second: Taking<E> | Apply<Row, E>, third?: Apply<Row, E>): Take => {
    const [taking, apply] = typeof second === 'function' ? [{}, second] : [second, third]
    onlyKnown(what, taking, ['by', 'where'])
    const { by, where } = taking as Taking<AnyEvent>
    return {
      event,
      by,
      matches: where && orRefuse(() => compilePattern(where, `${what}: where`), undefined),
      apply: apply as Take['apply'],
    }
  }
}
