import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { isFault } from '../kit/fault.ts'
import { jsonSchema } from '../contracts/json-schema.ts'
import { sampleOf } from './sample-data.ts'

const line = z.object({ sku: z.string().min(12), count: z.int().min(1).max(9) })
const order = z.object({
  id: z.uuid(),
  customer: z.email(),
  at: z.iso.datetime(),
  day: z.iso.date(),
  site: z.url(),
  short: z.string().max(3),
  currency: z.enum(['EUR', 'USD']),
  kind: z.literal('order'),
  cents: z.number().positive().multipleOf(5),
  gift: z.boolean(),
  note: z.string().nullable(),
  lines: z.array(line).min(2),
  pair: z.tuple([z.string(), z.int()]),
  choice: z.union([z.object({ a: z.string() }), z.string()]),
  extra: z.string().optional(),
})

test('given schemas of many kinds, when data is made up, then they take it, and it differs from one number to the next', () => {
  const schema = jsonSchema(order)
  for (let n = 0; n < 300; n += 7) order.parse(sampleOf(schema, n))
  assert.notDeepEqual(sampleOf(schema, 1), sampleOf(schema, 2))
  assert.deepEqual(sampleOf(schema, 3), sampleOf(schema, 3))
  assert.equal(new Set(Array.from({ length: 500 }, (_, n) => (sampleOf(schema, n) as { id: string }).id)).size, 500)
})

test('given a pattern, when data is made up, then the fault names the place', () => {
  const schema = jsonSchema(z.object({ code: z.string().regex(/^[A-Z]{2}\d+$/) }))
  assert.throws(
    () => sampleOf(schema, 1),
    (error) => isFault(error, 'USAGE_WRONG') && error.message.includes('/code'),
  )
})
