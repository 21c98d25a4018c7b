/**
 * What schemas tell about an app, as far as their libraries tell it: shapes that transform, columns that are not there,
 * bodies that do not fit.
 */
import { jsonSchema, sameShape, type Converters } from '../contracts/json-schema.ts'
import type { Schema } from '../contracts/schema.ts'
import type { AnyProjection } from '../define/projection.ts'
import { error, type Finding } from './finding.ts'
import type { Plan } from './plan.ts'

type Columns = Readonly<Record<string, unknown>>

export function checkShapes(plan: Plan): readonly Finding[] {
  return [...transforming(plan), ...columns(plan), ...bodies(plan)]
}

/** What is kept must be taken as it was given: a schema that transforms would see its own output one day. */
function transforming(plan: Plan): readonly Finding[] {
  const kept = [
    ...plan.events.map(({ type, version, schema }) => ({ where: `event ${type} ${version}`, schema })),
    ...plan.projections.map(({ name, row }) => ({ where: `projection ${name}`, schema: row })),
  ]
  return kept.flatMap(({ where, schema }) =>
    sameShape(schema, plan.jsonSchema) === 'differs'
      ? [error(where, 'its schema gives another shape than it takes: keep what it gives, and transform where it is read')]
      : [],
  )
}

/** The key is a text; what an index orders by is a single value. */
function columns(plan: Plan): readonly Finding[] {
  return plan.projections.flatMap((projection) => columnsIn(projection, plan.jsonSchema))
}

function columnsIn({ name, row, key, indexes }: AnyProjection, converters: Converters): readonly Finding[] {
  const known = columnsOf(row, converters, 'output')
  if (known === undefined) return []
  const wrong = (column: string): string | undefined => {
    if (!Object.hasOwn(known, column)) return 'is no column of its rows'
    const type = typeOf(known[column])
    if (column === key) return type === undefined || type === 'string' ? undefined : 'is the key, and no text'
    return type === 'object' || type === 'array' ? 'holds more than one value: no index orders by that' : undefined
  }
  return [...new Set([key, ...indexes.flat()])].flatMap((column) => {
    const why = wrong(column)
    return why === undefined ? [] : [error(`projection ${name}`, `'${column}' ${why}`)]
  })
}

/** Without `data` the body is the event's data as it stands. */
function bodies(plan: Plan): readonly Finding[] {
  return plan.webhooks.flatMap((webhook) => body(webhook, plan.jsonSchema))
}

function body({ path, body: given, publishes, data }: Plan['webhooks'][number], converters: Converters): readonly Finding[] {
  if (data !== undefined || given === publishes.schema) return []
  const has = columnsOf(given, converters, 'output')
  const wants = columnsOf(publishes.schema, converters, 'input')
  if (has === undefined || wants === undefined) return []
  const missing = requiredOf(publishes.schema, converters).filter((name) => !Object.hasOwn(has, name))
  const other = Object.keys(wants).filter((name) => Object.hasOwn(has, name) && !fits(typeOf(has[name]), typeOf(wants[name])))
  const wrong = [...missing, ...other]
  if (wrong.length === 0) return []
  return [error(`webhook ${path}`, `its body is no ${publishes.type} (${wrong.join(', ')}): give \`data\`, which makes one of the other`)]
}

function fits(given: string | undefined, wanted: string | undefined): boolean {
  return given === undefined || wanted === undefined || given === wanted || (given === 'integer' && wanted === 'number')
}

/** Of a plain object that has these properties and no others; `undefined` where that can't be told. */
function columnsOf(schema: Schema, converters: Converters, side: 'input' | 'output'): Columns | undefined {
  const { type, properties, additionalProperties, patternProperties } = told(schema, converters, side)
  if (type !== 'object' || typeof properties !== 'object' || properties === null || patternProperties !== undefined) return undefined
  return additionalProperties === undefined || additionalProperties === false ? (properties as Columns) : undefined
}

function requiredOf(schema: Schema, converters: Converters): readonly string[] {
  const { required } = told(schema, converters, 'input')
  return Array.isArray(required) ? (required as readonly string[]) : []
}

function told(schema: Schema, converters: Converters, side: 'input' | 'output'): Readonly<Record<string, unknown>> {
  try {
    return jsonSchema(schema, converters, side)
  } catch {
    return {}
  }
}

function typeOf(of: unknown): string | undefined {
  const type = typeof of === 'object' && of !== null && 'type' in of ? of.type : undefined
  return typeof type === 'string' ? type : undefined
}
