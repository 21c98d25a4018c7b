/** What every word returns: a named, inert value. A list of them needs no type parameter, hence no `any`. */
import type { Fact } from '../contracts/fact.ts'
import { milliseconds, type Duration } from '../kit/duration.ts'
import { asError, fault } from '../kit/fault.ts'
import { refuse } from './refusal.ts'

declare const carries: unique symbol
declare const gathers: unique symbol

export interface Definition {
  readonly kind: 'event' | 'batch' | 'fn' | 'projection' | 'query' | 'webhook' | 'route' | 'resource' | 'config' | 'setting' | 'app'
  readonly name: string
}

/** A fact as it arrives. */
export type Received<F extends Fact = Fact> = F & {
  readonly id: string
  readonly source: string
  /** RFC 3339, when it happened. */
  readonly time: string
  readonly key: string
  readonly version: number
  readonly subject?: string
}

/** Anything that can stand in second place of a function: an event, or a batch of them. */
export interface Source<F extends Fact = Fact> extends Definition {
  readonly [carries]: F
}

/** Many facts in one turn. */
export interface Batch<One extends Fact = Fact> extends Fact<'batch', readonly One['data'][]> {
  readonly [gathers]: One
}

export type FactOf<S extends Source> = S[typeof carries]
export type DataOf<S extends Source> = FactOf<S>['data']
/** What `where`, `order` and `once` look at: of a batch each item, else the fact itself. */
export type ItemOf<F extends Fact> = F extends Batch<infer One> ? One : F
export type OneOrMore<T> = T | readonly T[]

/**
 * The lists that a word is given, by name, in one type parameter: a new list needs no new parameter.
 * Optional here: what must be given, the options beside it say.
 */
export type Lists<Given, Known> = { readonly [K in keyof Given & keyof Known]?: Given[K] }

/** The one place where types are put onto a plain object. */
export function define<T extends Definition>(kind: T['kind'], name: string, rest: object): T {
  if (!/^[A-Za-z][A-Za-z0-9._-]{0,99}$/.test(name)) refuse(fault('NAME_INVALID', `'${name}' is no name for a ${kind}`, { kind, name }))
  return made(kind, name, rest)
}

/** For what is named by something else than a name: a path, an endpoint. */
export function made<T extends Definition>(kind: T['kind'], name: string, rest: object): T {
  return { ...rest, kind, name } as unknown as T
}

export function oneOrMore<T>(given: OneOrMore<T>): readonly T[] {
  return Array.isArray(given) ? given : [given as T]
}

/** Types refuse a mistyped option only where it is written in place; what was spread in comes by here. */
export function onlyKnown(what: string, options: object, known: readonly string[]): void {
  for (const option of Object.keys(options)) {
    if (!known.includes(option)) refuse(optionFault(what, option, `there is no such option; there are ${known.join(', ')}`))
  }
}

/** `optionFault('fn charge', 'timeout', 'must be more than 0')` */
export function optionFault(what: string, option: string, why: string): Error {
  return fault('OPTION_INVALID', `${what}: ${option}: ${why}`, { what, option })
}

/** A whole number from `least` on, or it is refused. */
export function atLeast(what: string, option: string, given: number, least: number): number {
  if (!Number.isSafeInteger(given) || given < least) refuse(optionFault(what, option, `must be a whole number, ${least} or more`))
  return given
}

/** In milliseconds. A refused one is NaN: less than nothing, and not more than anything. */
export function duration(what: string, option: string, given: Duration): number {
  try {
    return milliseconds(given)
  } catch (thrown) {
    refuse(fault('NOT_A_DURATION', `${what}: ${option}: '${given}' is not a duration`, { what, option, duration: given }, asError(thrown)))
    return Number.NaN
  }
}

/** What types ask for, and plain JavaScript may leave out. */
export function functionIn(what: string, options: object, option: string): void {
  const given: unknown = Reflect.get(options, option)
  if (typeof given !== 'function') refuse(optionFault(what, option, 'must be a function'))
}
