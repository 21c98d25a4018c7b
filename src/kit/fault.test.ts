import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { codes } from './fault-codes.ts'
import { fault } from './fault.ts'

test('given a fault that nobody catches, when Node shows it, then what to do is there beside the code', () => {
  const shown = inspect(fault('STORE_HELD', 'shop.db is held by process 812'))
  assert.match(shown, /^Fault: STORE_HELD: shop\.db is held by process 812/)
  assert.match(shown, /code: 'STORE_HELD'/)
  assert.ok(shown.includes(codes.STORE_HELD.todo))
})
