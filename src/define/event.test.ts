import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { freezeFacts, madeBy } from '../contracts/made-fact.ts'
import { reading } from '../contracts/versions.ts'
import { isFault } from '../kit/fault.ts'
import { event } from './event.ts'

const Placed = event('Placed', z.object({ orderId: z.string(), cents: z.int().default(0) }), { key: (order) => order.orderId })

test('given an event, when it is called, then there is a fact of what its schema gave', () => {
  const fact = Placed({ orderId: 'o-1', cents: 5 })
  assert.equal(fact.type, 'Placed')
  assert.deepEqual(fact.data, { orderId: 'o-1', cents: 5 })
  assert.equal(JSON.stringify(fact), '{"type":"Placed","data":{"orderId":"o-1","cents":5}}')
  assert.deepEqual(Placed({ orderId: 'o-1' } as { orderId: string; cents: number }).data, { orderId: 'o-1', cents: 0 })
  assert.ok(Placed.is(fact))
})

test('given data that the schema refuses, when an event is called, then it is a fault, and no fact', () => {
  assert.throws(
    () => Placed(JSON.parse('{"orderId":1,"cents":5}')),
    (error) => isFault(error, 'VALIDATION_FAILED'),
  )
})

test('given a fact, when it is asked who made it, then its event answers, and of a copy nobody', () => {
  const fact = Placed({ orderId: 'o-1', cents: 5 })
  assert.equal(madeBy(fact), Placed)
  assert.equal(madeBy({ ...fact }), undefined)
  assert.equal(madeBy({ type: 'Placed', data: {} }), undefined)
  assert.equal(madeBy(structuredClone(fact)), undefined)
})

test('given facts that are frozen, when one is made, then its data can’t be changed, however deep', () => {
  const Nested = event('Nested', z.object({ lines: z.array(z.object({ n: z.number() })) }))
  const change = () => Object.assign(Nested({ lines: [{ n: 1 }] }).data.lines[0] ?? {}, { n: 2 })
  assert.doesNotThrow(change)
  freezeFacts(true)
  try {
    assert.throws(change, TypeError)
  } finally {
    freezeFacts(false)
  }
})

test('given a declared key, when it is computed, then it is a text or a fault by name', () => {
  assert.equal(Placed.keyOf({ orderId: 'o-1' }), 'o-1')
  assert.equal(event('X', z.string()).keyOf(''), undefined)
  assert.throws(
    () => Placed.keyOf({}),
    (error) => isFault(error, 'KEY_INVALID') && error.message.includes('Placed'),
  )
  assert.throws(
    () => Placed.keyOf(null),
    (error) => isFault(error, 'KEY_INVALID'),
  )
})

test('given names and options that can’t be, when an event is defined, then each is its own fault', () => {
  const text = z.string()
  for (const name of ['', '1a', 'a b', 'a/b', 'a\nb', 'ä', 'a'.repeat(101)])
    assert.throws(
      () => event(name, text),
      (error) => isFault(error, 'NAME_INVALID'),
      name,
    )
  for (const name of ['A', 'order.placed', 'a-b_c', 'a'.repeat(100)]) assert.equal(event(name, text).name, name)
  for (const version of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(
      () => event('X', text, { version }),
      (error) => isFault(error, 'OPTION_INVALID'),
    )
  const options = { keys: 'id' }
  assert.throws(
    () => event('X', text, options as object),
    (error) => isFault(error, 'OPTION_INVALID') && error.data['option'] === 'keys',
  )
})

test('given an upcast from no earlier version, when an event is defined, then it is refused', () => {
  const first = event('X', z.object({ a: z.string() }))
  assert.throws(
    () => event('X', z.object({ a: z.string() }), { upcast: (from) => from(first, (old) => old) }),
    (error) => isFault(error, 'OPTION_INVALID'),
  )
})

test('given an event with a version before it, when an older one is read, then it comes in today’s shape', () => {
  const first = event('X', z.object({ a: z.string() }))
  const second = event('X', z.object({ a: z.string(), b: z.number() }), {
    version: 2,
    upcast: (from) => from(first, (old) => ({ ...old, b: 1 })),
  })
  assert.deepEqual(reading([second]).read('X', 1, { a: 'x' }), { is: 'facts', facts: [{ type: 'X', data: { a: 'x', b: 1 } }] })
})

test('given an event that has become another, which stands below it, when read, then the other comes', () => {
  const Older = event('Older', z.object({ id: z.string() }), { becomes: (into) => into([Newer], ({ id }) => [Newer({ name: id })]) })
  const Newer = event('Newer', z.object({ name: z.string() }))
  assert.deepEqual(reading([Newer], [Older, Newer]).read('Older', 1, { id: 'x' }), {
    is: 'facts',
    facts: [{ type: 'Newer', data: { name: 'x' } }],
    places: ['0'],
  })
})
