/** What handlers need from outside: opened when the app starts, closed when it stops, replaced in tests. */
import { define, functionIn, onlyKnown, type Definition } from './definition.ts'

declare const gives: unique symbol

/** `setting` is a part of a `config`: it can stand wherever a resource can. */
export interface Resource<T> extends Definition {
  readonly kind: 'resource' | 'config' | 'setting'
  readonly [gives]: T
}

export type Given<R extends Resource<unknown>> = R[typeof gives]
export type Needs = Readonly<Record<string, Resource<unknown>>>

export interface ResourceOptions<N extends Needs, T> {
  readonly needs?: N
  open(needs: { readonly [K in keyof N]: Given<N[K]> }): T | Promise<T>
  close?(it: NoInfer<T>): void | Promise<void>
}

/** A resource of whatever: what the runtime opens, after what it needs, and closes, before it. */
export interface AnyResource extends Resource<unknown> {
  readonly kind: 'resource'
  readonly needs: Needs
  open(needs: Readonly<Record<string, unknown>>): unknown
  readonly close: ((it: unknown) => void | Promise<void>) | undefined
}

export function resource<T, N extends Needs = {}>(name: string, options: ResourceOptions<N, T>): Resource<T> {
  onlyKnown(`resource ${name}`, options, ['needs', 'open', 'close'])
  functionIn(`resource ${name}`, options, 'open')
  const { needs = {}, close } = options
  return define('resource', name, { needs, open: options.open?.bind(options), close: close?.bind(options) })
}

export interface Replacement {
  readonly resource: Resource<unknown>
  readonly value: unknown
}

/** In a test: this instead of that. */
export function replace<T>(it: Resource<T>, value: NoInfer<T>): Replacement {
  return { resource: it, value }
}
