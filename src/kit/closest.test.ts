import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closest } from './closest.ts'

test('given a mistyped name, when the nearest are asked for, then a few strokes are forgiven, and what holds it comes first', () => {
  const known = ['charge-card', 'charge-fee', 'mail', 'revenue']
  assert.deepEqual(closest('chrage-card', known), ['charge-card'])
  assert.deepEqual(closest('charge', known), ['charge-card', 'charge-fee'])
  assert.deepEqual(closest('MIAL', known), ['mail'])
  assert.deepEqual(closest('x', known), [])
  assert.deepEqual(closest('warehouse', known), [])
  assert.deepEqual(closest('a', ['b']), ['b'], 'one stroke is always forgiven')
})
