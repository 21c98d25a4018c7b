import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type } from 'arktype'
import * as v from 'valibot'
import { z } from 'zod'
import { isFault } from '../kit/fault.ts'
import { pointer, validate, type Schema } from './schema.ts'

const three: Readonly<Record<string, Schema>> = {
  zod: z.object({ a: z.array(z.object({ b: z.string() })), n: z.number() }),
  valibot: v.object({ a: v.array(v.object({ b: v.string() })), n: v.number() }),
  arktype: type({ a: type({ b: 'string' }).array(), n: 'number' }),
}

test('given data with two faults, when validated by any library, then both are told by their JSON pointers', () => {
  for (const [library, schema] of Object.entries(three)) {
    assert.throws(
      () => validate(schema, { a: [{ b: 'x' }, { b: 1 }], n: 'one' }, 'event X'),
      (error) => {
        assert.ok(isFault(error, 'VALIDATION_FAILED'))
        assert.equal(error.status, 422)
        const issues = error.data['issues'] as readonly { path: string; message: string }[]
        assert.deepEqual(issues.map(({ path }) => path).sort(), ['/a/1/b', '/n'], library)
        assert.ok(issues.every(({ message }) => message !== ''))
        assert.match(error.message, /event X.*\/a\/1\/b/)
        return true
      },
      library,
    )
  }
})

test('given what the schema makes of it, when validated, then that is given back', () => {
  assert.deepEqual(validate(z.object({ n: z.number().default(3) }), { more: true }, 'x'), { n: 3 })
})

test('given an asynchronous schema, when it is asked, then it is refused by name', () => {
  const schema = z.object({ a: z.string().refine(async () => true) })
  const slow: Schema = { '~standard': { version: 1, vendor: 'slow', validate: async (value) => ({ value }) } }
  const rejecting: Schema = { '~standard': { version: 1, vendor: 'slow', validate: () => Promise.reject(new Error('no')) } }
  for (const one of [slow, rejecting])
    assert.throws(
      () => validate(one, {}, 'x'),
      (error) => isFault(error, 'SCHEMA_ASYNCHRONOUS'),
    )
  assert.throws(() => validate(schema, { a: '' }, 'x'))
})

test('given names with slashes and tildes, when pointed at, then they are escaped', () => {
  assert.equal(pointer(['a/b', 0, 'c~d']), '/a~1b/0/c~0d')
  assert.equal(pointer([]), '')
})
