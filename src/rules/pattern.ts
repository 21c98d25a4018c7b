/** The event pattern language, as far as it is built, typed against the event that it filters. */
type Leaf = string | number | boolean | null | undefined

type Compare = '<' | '<=' | '>' | '>='
/** A range is given from below: `['>=', 1, '<', 10]`. */
export type Numeric = readonly ['=' | Compare, number] | readonly ['>' | '>=', number, '<' | '<=', number]

type TextOrNumber<T> = Extract<T, string | number>
type AnyTest<T> = { readonly exists: boolean } | { readonly 'anything-but': TextOrNumber<T> | readonly TextOrNumber<T>[] }
type TextTest =
  | { readonly prefix: string }
  | { readonly suffix: string }
  | { readonly 'anything-but': { readonly prefix: string | readonly string[] } | { readonly suffix: string | readonly string[] } }

/** One value that a field may have. A literal must be one that the field can hold. */
export type Test<T> =
  | Exclude<T, undefined>
  | AnyTest<Exclude<T, undefined>>
  | (Extract<T, string> extends never ? never : TextTest)
  | (Extract<T, number> extends never ? never : { readonly numeric: Numeric })

/** Arrays are transparent: one of their elements must fit, the same one for all fields of it that are asked for. */
export type Pattern<T> = [T] extends [Leaf]
  ? readonly Test<T>[]
  : T extends readonly (infer Item)[]
    ? Pattern<Item>
    : { readonly [K in keyof T]?: Pattern<Exclude<T[K], undefined>> } & { readonly $or?: readonly Pattern<T>[] }
