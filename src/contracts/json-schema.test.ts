import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toJsonSchema, toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'
import { isFault } from '../kit/fault.ts'
import { jsonSchema, sameShape, type Converters } from './json-schema.ts'

const properties = { id: { type: 'string' }, n: { type: 'number' } }

test('given libraries that offer it themselves, when asked, then it is theirs', () => {
  for (const schema of [
    z.object({ id: z.string(), n: z.number() }),
    toStandardJsonSchema(v.object({ id: v.string(), n: v.number() })),
    type({ id: 'string', n: 'number' }),
  ]) {
    assert.deepEqual(jsonSchema(schema)['properties'], properties)
  }
})

test('given a library that offers none, when asked, then the converter of the app is asked, else it is a fault', () => {
  const schema = v.object({ id: v.string(), n: v.number() })
  const converters: Converters = { valibot: (given) => ({ ...toJsonSchema(given as typeof schema) }) }
  assert.deepEqual(jsonSchema(schema, converters)['properties'], properties)
  assert.throws(
    () => jsonSchema(schema),
    (error) => isFault(error, 'JSON_SCHEMA_MISSING') && error.data['vendor'] === 'valibot',
  )
})

test('given schemas that transform and such that do not, when compared, then they are told apart', () => {
  assert.equal(sameShape(z.object({ id: z.string(), n: z.number().optional() })), 'same')
  assert.equal(sameShape(z.object({ id: z.string(), n: z.number().default(3) })), 'same')
  assert.equal(sameShape(type({ id: 'string' })), 'same')
  assert.equal(sameShape(z.object({ n: z.coerce.number() })), 'same')
  assert.equal(sameShape(z.object({ n: z.string().transform(Number) })), 'differs')
  assert.equal(sameShape(z.object({ n: z.string().transform(Number).pipe(z.number()) })), 'differs')
  assert.equal(sameShape(v.object({ id: v.string() })), 'unknown')
})
