import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { event } from '../define/event.ts'
import { isFault } from '../kit/fault.ts'
import type { Stored } from '../ports/store.ts'
import { storedOf } from './stored-of.ts'

const Measured = event('Measured', v.object({ n: v.number(), of: v.optional(v.string()) }), { key: ({ n }) => `k${1 / n}` })
const at = { id: 'i', source: 'shop', time: '2026-05-01T10:00:00.000Z' }

test('given what vanishes in JSON, when it is stored, then what is handed on at once is what will be read', () => {
  for (const fact of [Measured({ n: -0, of: undefined }), { ...Measured({ n: -0, of: undefined }) }]) {
    const { parsed, data, key }: Stored = storedOf(fact, Measured, at)
    assert.deepEqual([parsed, data, key], [{ n: 0 }, '{"n":0}', 'kInfinity'])
    assert.deepEqual(parsed, JSON.parse(data))
  }
})

test('given data that JSON carries as it is, when it is stored, then it is handed on as it stands', () => {
  const fact = Measured({ n: 1.5, of: 'a' })
  assert.equal(storedOf(fact, Measured, at).parsed, fact.data)
})

test('given what JSON would change, when it is stored, then it is NOT_JSON, naming event and place', () => {
  assert.throws(
    () => storedOf(Measured({ n: Number.POSITIVE_INFINITY }), Measured, at),
    (error) => isFault(error, 'NOT_JSON') && error.message === 'NOT_JSON: Measured: /n is Infinity, which JSON would change',
  )
})
