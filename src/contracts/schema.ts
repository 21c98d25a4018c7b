/** Any Standard Schema validator is welcome: what is asked of its types, and of its verdict. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { fault } from '../kit/fault.ts'

export type Schema<Output = unknown> = StandardSchemaV1<unknown, Output>
/** A schema that takes what it gives. */
export type Exactly<T> = StandardSchemaV1<T, T>
export type InputOf<S extends Schema> = StandardSchemaV1.InferInput<S>
export type OutputOf<S extends Schema> = StandardSchemaV1.InferOutput<S>

/** What an error shows instead of a page of types: a sentence that says what to do. */
export interface Problem<Say extends string> {
  readonly problem: Say
}

type Unstorable =
  | Date
  | RegExp
  | Promise<unknown>
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | bigint
  | symbol
  | ((...args: never) => unknown)

/**
 * T itself where JSON can carry it, `never` at the place where it can't.
 * Works for interfaces, which an index signature refuses, and (by its branch for arrays) for types that hold themselves.
 */
export type Storable<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends Unstorable
    ? never
    : T extends readonly (infer Item)[]
      ? readonly Storable<Item>[]
      : { readonly [K in keyof T]: Storable<T[K]> }

/** The bound for a result that is kept: `<T extends Kept<T>>` (a conditional type there would be circular, a mapped one isn't). */
export type Kept<T> = { readonly [K in keyof T]: Storable<T[K]> }

/** A readable refusal of a schema whose data can't be kept as JSON. That it does not transform is for `check` to find: see `sameShape`. */
export type Keepable<T> = [T] extends [Storable<T>]
  ? unknown
  : Problem<'kept data must be JSON: no Date, Map, Set, bigint or function (use a string or a number)'>

/** `path` is a JSON pointer into the data that was given; '' is the whole of it. */
export interface Issue {
  readonly path: string
  readonly message: string
}

/** What the schema gives for it, or the fault VALIDATION_FAILED with every issue. `what` names it in the message. */
export function validate<T>(schema: Schema<T>, value: unknown, what: string): T {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) {
    result.catch(() => {})
    throw fault('SCHEMA_ASYNCHRONOUS', `${what}: its schema answers with a promise`, { what })
  }
  if (result.issues === undefined) return result.value
  const issues = result.issues.map(issueOf)
  throw fault('VALIDATION_FAILED', `${what}: ${issues.map(sentence).join('; ')}`, { what, issues })
}

/** RFC 6901. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function issueOf(issue: StandardSchemaV1.Issue): Issue {
  const path = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part))
  return { path: pointer(path), message: issue.message }
}

function sentence({ path, message }: Issue): string {
  return path === '' ? message : `${path} ${message}`
}
