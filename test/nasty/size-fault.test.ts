/** What is too large stays too large: no second try, and others flow (rule 11). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { app, event, projection } from '../../src/entry/index.ts'
import { testApp } from '../../src/entry/testing.ts'

const Named = event('Named', z.object({ id: z.string(), name: z.string() }), { key: ({ id }) => id })
const people = projection('people', z.object({ id: z.string(), name: z.string() }), {
  key: 'id',
  index: ['name'],
  apply: (on) => [on(Named, { by: ({ id }) => id }, (rows, { id, name }) => rows.change(id, () => ({ id, name })))],
})

test('given an indexed text over the limit, when its event is folded, then it parks at the first attempt, and others flow', async () => {
  await using running = await testApp(app('names', [Named, people]))
  await running.publish([Named({ id: 'long', name: 'x'.repeat(2_000) }), Named({ id: 'short', name: 'Ada' })])
  assert.deepEqual(
    running.deadLetters().map(({ key, attempts, code }) => ({ key, attempts, code })),
    [{ key: 'long', attempts: 1, code: 'INDEXED_TOO_LONG' }],
  )
})
