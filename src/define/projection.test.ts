import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { isFault } from '../kit/fault.ts'
import type { Asking } from './context.ts'
import { event } from './event.ts'
import { projection } from './projection.ts'
import { query } from './query.ts'
import type { Writing } from './rows.ts'

const Placed = event('Placed', z.object({ orderId: z.string(), currency: z.string(), cents: z.int() }))
const Shipped = event('Shipped', z.object({ orderId: z.string() }))
const row = z.object({ id: z.string(), currency: z.string(), cents: z.int() })

const takings = projection('takings', row, {
  key: 'id',
  index: ['currency', ['currency', 'cents']],
  was: 'revenue',
  apply: (on) => [
    on(Placed, { by: (order) => order.currency, where: { data: { cents: [{ numeric: ['>', 0] }] } } }, (rows, { currency, cents }) =>
      rows.put({ id: currency, currency, cents }),
    ),
    on(Shipped, (rows, { orderId }) => rows.delete(orderId)),
  ],
})

test('given a projection, when defined, then it says what it takes, how its rows are found and where it begins', () => {
  const { kind, name, key, indexes, from, was, retry } = takings
  assert.deepEqual(
    { kind, name, key, indexes, from, was, retry },
    {
      kind: 'projection',
      name: 'takings',
      key: 'id',
      indexes: [['currency'], ['currency', 'cents']],
      from: 'start',
      was: 'revenue',
      retry: { attempts: 6, fromMs: 200, toMs: 60_000 },
    },
  )
  const [placed, shipped] = takings.takes
  assert.deepEqual([placed?.event, shipped?.event], [Placed, Shipped])
  assert.equal(placed?.by?.({ currency: 'EUR' }), 'EUR')
  assert.deepEqual([placed?.matches?.({ data: { cents: 1 } }), placed?.matches?.({ data: { cents: 0 } })], [true, false])
  assert.deepEqual([shipped?.by, shipped?.matches], [undefined, undefined])
})

test('given what it takes, when applied, then it writes with what it was given', () => {
  const put: unknown[] = []
  const writing: Writing<unknown> = {
    get: async () => undefined,
    put: (one) => void put.push(one),
    patch: () => {},
    change: () => {},
    delete: (key) => void put.push(key),
  }
  const fact = { type: 'Placed', data: {}, id: '1', source: 's', time: '', key: '', version: 1 }
  void takings.takes[0]?.apply(writing, { currency: 'EUR', cents: 2 }, fact)
  void takings.takes[1]?.apply(writing, { orderId: 'o-1' }, fact)
  assert.deepEqual(put, [{ id: 'EUR', currency: 'EUR', cents: 2 }, 'o-1'])
})

test('given a query of a projection, when it is answered, then it is handed the rows of it', async () => {
  const asked: unknown[] = []
  const rows = {
    get: async () => undefined,
    find: async (what: unknown) => (asked.push(what), { rows: [], next: undefined }),
    count: async () => 0,
  }
  const asking: Pick<Asking, 'rows'> = { rows: (of) => (asked.push(of), rows) }
  const ofCurrency = takings.query('of-currency', z.object({ currency: z.string() }), (found, { currency }) =>
    found.find({ where: { currency } }),
  )
  assert.deepEqual([ofCurrency.kind, ofCurrency.name, ofCurrency.of], ['query', 'of-currency', 'takings'])
  assert.deepEqual(await ofCurrency.answer({ currency: 'EUR' }, asking as Asking), { rows: [], next: undefined })
  assert.deepEqual(asked, [takings, { where: { currency: 'EUR' } }])
})

test('given a query of none, when it is answered, then it has its input and what it may ask', () => {
  const twice = query('twice', z.object({ n: z.number() }), ({ n }) => n * 2)
  assert.equal(twice.of, undefined)
  assert.equal(twice.answer({ n: 2 }, {} as Asking), 4)
})

test('given a projection that takes nothing or says what can’t be, when defined, then it is refused', () => {
  const apply = (on: Parameters<Parameters<typeof projection<{ id: string }, 'id'>>[2]['apply']>[0]) => [
    on(Shipped, (rows) => rows.delete('x')),
  ]
  const narrow = z.object({ id: z.string() })
  assert.throws(
    () => projection('x', narrow, { key: 'id', apply: () => [] }),
    (error) => isFault(error, 'OPTION_INVALID'),
  )
  assert.throws(
    () => projection('x', narrow, { key: 'id', apply, ...({ version: 2 } as object) }),
    (error) => isFault(error, 'OPTION_INVALID') && error.data['option'] === 'version',
  )
  assert.throws(
    () => projection('x y', narrow, { key: 'id', apply }),
    (error) => isFault(error, 'NAME_INVALID'),
  )
  assert.throws(
    () => takings.query('', narrow, () => 1),
    (error) => isFault(error, 'NAME_INVALID'),
  )
  const mistaken = { where: { data: {} } }
  assert.throws(
    () => projection('x', narrow, { key: 'id', apply: (on) => [on(Shipped, mistaken, (rows) => rows.delete('x'))] }),
    (error) => isFault(error, 'PATTERN_INVALID') && error.message.includes('projection x'),
  )
})
