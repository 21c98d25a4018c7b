/** JSON Schema of a validator: by the library's own Standard JSON Schema, else by a converter that the app names for the library. */
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import { canonicalJson } from '../kit/canonical-json.ts'
import { fault } from '../kit/fault.ts'
import type { Schema } from './schema.ts'

export type JsonSchema = Readonly<Record<string, unknown>>
/** Of what goes in, or of what comes out: one that looks at the schema alone hides what transforms. */
export type ToJsonSchema = (schema: Schema, side: 'input' | 'output') => JsonSchema
/** By the library's name, as its schemas give it: `zod`, `valibot`, `arktype`. */
export type Converters = Readonly<Record<string, ToJsonSchema>>

/** Of what goes in, unless said. */
export function jsonSchema(schema: Schema, converters: Converters = {}, side: 'input' | 'output' = 'input'): JsonSchema {
  const standard: StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props> = schema['~standard']
  const convert = Object.hasOwn(converters, standard.vendor) ? converters[standard.vendor] : undefined
  if (standard.jsonSchema === undefined && convert === undefined) {
    throw fault('JSON_SCHEMA_MISSING', `${standard.vendor} offers no JSON Schema by itself`, { vendor: standard.vendor })
  }
  return standard.jsonSchema === undefined ? (convert?.(schema, side) ?? {}) : standard.jsonSchema[side]({ target: 'draft-2020-12' })
}

/**
 * Whether what comes out of a schema may go in again and stays as it is.
 * One that transforms (a text into a number) may not shape events: what is kept would not be what was published.
 * Defaults and left-out surplus are no transformation. `unknown` where the library can't say.
 */
export function sameShape(schema: Schema, converters: Converters = {}): 'same' | 'differs' | 'unknown' {
  const into = shapeOf(schema, converters, 'input')
  const out = shapeOf(schema, converters, 'output')
  if (into === undefined && out === undefined) return 'unknown'
  return into === out ? 'same' : 'differs'
}

/** `undefined` where it can't be told: a transformation's end, most often. */
function shapeOf(schema: Schema, converters: Converters, side: 'input' | 'output'): string | undefined {
  try {
    return canonicalJson(essence(jsonSchema(schema, converters, side)))
  } catch {
    return undefined
  }
}

/** Without what a default or surplus changes. */
function essence(of: unknown): unknown {
  if (Array.isArray(of)) return of.map(essence)
  if (typeof of !== 'object' || of === null) return of
  const kept = Object.entries(of).filter(
    ([name, value]) =>
      name !== 'default' && !(name === 'required' && Array.isArray(value)) && !(name === 'additionalProperties' && value === false),
  )
  return Object.fromEntries(kept.map(([name, value]) => [name, essence(value)]))
}
