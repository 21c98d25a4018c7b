import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { changeOf } from '../flow/change.ts'
import { OpenTurn } from '../flow/turn.ts'
import { isFault } from '../kit/fault.ts'
import { compareUtf8 } from '../kit/utf8-order.ts'
import type { Store } from '../ports/store.ts'
import { memoryStore } from '../stores/memory.ts'
import type { FindQuestion } from './find-plan.ts'
import { encodeColumn } from './index-key.ts'
import { RowReader, type FoundPage } from './row-reader.ts'
import { entryKey, type RowData, type RowShape } from './row-space.ts'
import { RowWriter } from './row-writer.ts'

const shape: RowShape = { name: 'things', key: 'id', indexes: [['a'], ['a', 'b'], ['b', 'c', 'a']] }
const rowOf = z.object({ id: z.string(), a: z.unknown(), b: z.unknown(), c: z.unknown() })

let changes = 0

function emptyStore(incarnation = 'one'): Store {
  return memoryStore({ nowMs: () => 1, incarnation })
}

async function write(store: Store, act: (rows: RowWriter) => void, by: RowShape = shape): Promise<void> {
  const turn = new OpenTurn('things', 'things', [], 1, 1, async (keys) => store.get(keys))
  const writer = new RowWriter(turn, by, rowOf)
  act(writer)
  await writer.end()
  const { writes } = turn.close('it is over')
  const puts = [...writes.values()].flatMap(({ value, ...key }) => (value === undefined ? [] : [{ ...key, value }]))
  const deletes = [...writes.values()].filter(({ value }) => value === undefined)
  changes += 1
  assert.ok((await store.commit(changeOf(store, `c${changes}`, { puts, deletes }))).ok)
}

async function storeOf(rows: readonly RowData[], by: RowShape = shape): Promise<Store> {
  const store = emptyStore()
  await write(store, (writer) => rows.forEach((row) => writer.put(row, '')), by)
  return store
}

const readerOf = (store: Store, by: RowShape = shape): RowReader => new RowReader(store, by, 'things')

async function pages(reader: RowReader, question: FindQuestion, between?: () => Promise<void>): Promise<RowData[]> {
  const changing = between !== undefined
  const found: RowData[] = []
  let page: string | undefined
  do {
    const answer: FoundPage = await reader.find({ ...question, page })
    assert.ok(answer.rows.length > 0 || page === undefined || changing, 'an empty page')
    found.push(...answer.rows)
    page = answer.next
    await between?.()
  } while (page !== undefined)
  return found
}

const order = (a: unknown, b: unknown): number => compareUtf8(encodeColumn(a), encodeColumn(b))

function fits(row: RowData, where: FindQuestion['where'] = {}): boolean {
  return Object.entries(where).every(([column, condition]) => {
    if (condition === undefined) return true
    if (typeof condition !== 'object' || condition === null) return order(row[column], condition) === 0
    const { in: among, from, below } = condition as { in?: readonly unknown[]; from?: unknown; below?: unknown }
    if (among !== undefined) return among.some((one) => order(row[column], one) === 0)
    const nothing = row[column] === undefined || row[column] === null
    if (nothing && from === undefined && below !== undefined) return false
    return (from === undefined || order(row[column], from) >= 0) && (below === undefined || order(row[column], below) < 0)
  })
}

const scalar = fc.oneof(
  fc.constantFrom(null, true, false, 'x', 'y', '', '\uffff', '😀', '😀a', '\u0001', 0, 1, 2, -1),
  fc.integer({ min: 0, max: 3 }),
)
const ids = fc.uniqueArray(fc.string({ unit: fc.constantFrom('k', 'l', '\uffff', '😀', '0'), minLength: 1, maxLength: 3 }), {
  maxLength: 40,
})
const things = ids.chain((keys) =>
  fc
    .tuple(...keys.map((id) => fc.record({ id: fc.constant(id), a: scalar, b: scalar, c: scalar }, { noNullPrototype: true })))
    .map((rows): RowData[] => rows),
)
const condition = (one: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof(
    one,
    fc.record({ in: fc.array(one, { maxLength: 3 }) }),
    fc.record({ from: one, below: one }, { requiredKeys: [] }),
    fc.constant(undefined),
  )
const question = fc.record(
  {
    where: fc.record(
      {
        id: condition(fc.string({ unit: fc.constantFrom('k', 'l', '😀'), maxLength: 2 })),
        a: condition(scalar),
        b: condition(scalar),
        c: condition(scalar),
      },
      { requiredKeys: [] },
    ),
    order: fc
      .tuple(fc.constantFrom('id', 'a', 'b', 'c'), fc.constantFrom('', ' asc', ' desc'))
      .map(([column, direction]) => `${column}${direction}`),
    size: fc.integer({ min: 1, max: 12 }),
  },
  { requiredKeys: [] },
)

function mustBeInOrder(rows: readonly RowData[], { order: by }: FindQuestion): void {
  const [column, direction] = by?.split(' ') ?? []
  if (column === undefined) return
  const sign = direction === 'desc' ? -1 : 1
  for (const [i, row] of rows.entries()) assert.ok(i === 0 || sign * order(rows[i - 1]?.[column], row[column]) <= 0, by)
}

test('given any rows and any question, when all pages are walked, then they are those of a naive filter and sort', async () => {
  let answered = 0
  await fc.assert(
    fc.asyncProperty(things, question, async (rows, asked) => {
      const reader = readerOf(await storeOf(rows))
      let found: RowData[]
      try {
        found = await pages(reader, asked)
      } catch (thrown) {
        assert.ok(isFault(thrown, 'INDEX_MISSING') || isFault(thrown, 'FIND_INVALID'), String(thrown))
        return
      }
      answered += 1
      const byId = (one: RowData, other: RowData): number => order(one['id'], other['id'])
      assert.deepEqual([...found].sort(byId), rows.filter((row) => fits(row, asked.where)).sort(byId))
      mustBeInOrder(found, asked)
      if (asked.order === undefined) assert.equal(await reader.count(asked.where), found.length)
    }),
    { numRuns: 600 },
  )
  assert.ok(answered > 150, `${answered} were answered`)
})

test('given a question without an index, when it is refused, then the index that is named answers it', async () => {
  let named = 0
  await fc.assert(
    fc.asyncProperty(things, question, async (rows, asked) => {
      const bare: RowShape = { name: 'things', key: 'id', indexes: [] }
      const refused: unknown = await readerOf(await storeOf(rows, bare), bare)
        .find(asked)
        .then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
      if (!isFault(refused, 'INDEX_MISSING')) {
        assert.ok(refused === undefined || isFault(refused, 'FIND_INVALID'), String(refused))
        return
      }
      named += 1
      const wanted = refused.data['wanted'] as readonly string[]
      assert.ok(refused.message.includes(`[[${wanted.map((column) => `'${column}'`).join(', ')}]]`), refused.message)
      const better: RowShape = { ...bare, indexes: [wanted] }
      const found = await pages(readerOf(await storeOf(rows, better), better), asked)
      assert.equal(found.length, rows.filter((row) => fits(row, asked.where)).length)
    }),
    { numRuns: 300 },
  )
  assert.ok(named > 50, `${named} were refused`)
})

test('given an index without the key, when ordered by the key or asked for a range of it, then the index answers', async () => {
  const rows = ['k', 'l', 'm', 'n'].flatMap((id, i) => [
    { id, a: 1, b: i % 2, c: 0 },
    { id: `${id}2`, a: 2, b: 0, c: 0 },
  ])
  const by: RowShape = { name: 'things', key: 'id', indexes: [['a'], ['a', 'b']] }
  const reader = readerOf(await storeOf(rows, by), by)
  const found = async (asked: FindQuestion): Promise<readonly unknown[]> => (await pages(reader, { size: 1, ...asked })).map(({ id }) => id)
  assert.deepEqual(await found({ where: { a: 1 }, order: 'id desc' }), ['n', 'm', 'l', 'k'])
  assert.deepEqual(await found({ where: { a: 1, id: { from: 'l', below: 'n' } } }), ['l', 'm'])
  assert.deepEqual(await found({ where: { a: 1, b: 1 }, order: 'id asc' }), ['l', 'n'])
})

test('given rows with nothing in a column, when asked for what is below a value, then they are not, unless from null', async () => {
  const rows = [null, 1, 2, undefined].map((a, i) => ({ id: `k${i}`, a, b: a, c: 'x' }))
  const reader = readerOf(await storeOf(rows))
  const found = async (condition: unknown): Promise<readonly unknown[]> => {
    const [along, beside] = await Promise.all([
      pages(reader, { where: { a: condition } }),
      pages(reader, { where: { id: { in: ['k0', 'k1', 'k2', 'k3'] }, a: condition } }),
    ])
    const ids = [along, beside].map((rows) => rows.map(({ id }) => String(id)).sort())
    assert.deepEqual(ids[1], ids[0])
    return ids[0] ?? []
  }
  assert.deepEqual(await found({ below: 2 }), ['k1'])
  assert.deepEqual(await found({ from: null, below: 2 }), ['k0', 'k1', 'k3'])
  assert.deepEqual(await found({ below: null }), [])
  assert.deepEqual(await found({ from: 1 }), ['k1', 'k2'])
  assert.deepEqual(await found(null), ['k0', 'k3'])
})

test('given an order by one column and several values of another, when asked, then it is refused, for no index could answer', async () => {
  const reader = readerOf(await storeOf([]))
  for (const where of [{ a: { in: [1, 2] } }, { a: { from: 1 } }])
    await assert.rejects(
      () => reader.find({ where, order: 'b' }),
      (error) => isFault(error, 'FIND_INVALID') && error.message.includes('not so a'),
    )
  assert.deepEqual((await reader.find({ where: { a: { in: [1] } }, order: 'b' })).rows, [])
  assert.deepEqual((await reader.find({ where: { a: { in: [] } }, order: 'b' })).rows, [])
})

test('given rows that change elsewhere, when pages are walked, then the others come once each', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 20 }),
      async (desc, size, moves) => {
        const still = Array.from({ length: 12 }, (_, i) => ({ id: `still-${i}`, a: 1, b: i % 4, c: 0 }))
        const store = await storeOf([...still, { id: 'moving', a: 1, b: 0, c: 0 }])
        const waiting = [...moves]
        const found = await pages(readerOf(store), { where: { a: 1 }, order: `b ${desc ? 'desc' : 'asc'}`, size }, async () => {
          const to = waiting.pop()
          if (to !== undefined)
            await write(store, (rows) => (to > 25 ? rows.delete('moving', '') : rows.put({ id: 'moving', a: 1, b: to % 5, c: 0 }, '')))
        })
        const seen = found.map(({ id }) => id).filter((id) => id !== 'moving')
        assert.equal(seen.length, still.length)
        assert.deepEqual(new Set(seen), new Set(still.map(({ id }) => id)))
      },
    ),
    { numRuns: 60 },
  )
})

test('given a row that moves between the look at the index and the look at the row, when it is found, then once, where it is', async () => {
  const store = await storeOf([
    { id: 'x', a: 1, b: 1, c: 1 },
    { id: 'y', a: 2, b: 1, c: 1 },
  ])
  let moved = false
  const racing: Store = Object.assign(Object.create(store) as Store, {
    limits: store.limits,
    incarnation: store.incarnation,
    scan: async (range: Parameters<Store['scan']>[0]) => {
      const entries = await store.scan({ ...range, limit: 1 })
      if (!moved) await write(store, (rows) => rows.put({ id: 'x', a: 3, b: 1, c: 1 }, ''))
      moved = true
      return entries
    },
    get: async (keys: Parameters<Store['get']>[0]) => store.get(keys),
  })
  const { rows } = await readerOf(racing).find({ order: 'a', size: 1 })
  assert.deepEqual(rows, [])
  assert.deepEqual(await pages(readerOf(store), { order: 'a' }), [
    { id: 'y', a: 2, b: 1, c: 1 },
    { id: 'x', a: 3, b: 1, c: 1 },
  ])
})

test('given texts beyond the basic plane, when ranges and several values are walked, then in the order of their bytes', async () => {
  const low = { id: 'l', a: '\uffff', b: 1, c: 1 }
  const high = { id: 'h', a: '😀', b: 1, c: 1 }
  const reader = readerOf(await storeOf([high, low]))
  for (const where of [{ a: { from: '\uffff' } }, { a: { in: ['😀', '\uffff'] } }]) {
    assert.deepEqual(await pages(reader, { where, order: 'a', size: 1 }), [low, high])
    assert.deepEqual(await pages(reader, { where, order: 'a desc', size: 1 }), [high, low])
  }
  assert.deepEqual(await pages(reader, { where: { a: { below: '😀' } } }), [low])
  assert.deepEqual(await pages(reader, { where: { a: { from: '😀' } } }), [high])
})

test('given more rows than are read at a time, when walked or counted, then none is lost', async () => {
  const rows = Array.from({ length: 700 }, (_, i) => ({ id: `r${String(i).padStart(3, '0')}`, a: i % 3, b: i, c: 0 }))
  const reader = readerOf(await storeOf(rows))
  assert.equal((await reader.find({ size: 1_000 })).rows.length, 700)
  assert.equal((await reader.find({ where: { a: 1, c: 0 }, order: 'b desc', size: 1_000 })).rows.length, 233)
  assert.equal(await reader.count(undefined), 700)
  assert.equal(await reader.count({ a: { in: [0, 2] } }), 467)
})

test('given a key, when a row is got, then it is given, and a deleted one is not', async () => {
  const row = { id: 'x', a: 1, b: 2, c: 3 }
  const store = await storeOf([row])
  const reader = readerOf(store)
  assert.deepEqual(await reader.get('x'), row)
  assert.equal(await reader.get('y'), undefined)
  await write(store, (rows) => rows.delete('x', ''))
  assert.equal(await reader.get('x'), undefined)
  assert.deepEqual((await reader.find({})).rows, [])
})

test('given a page of this question, when asked for in another spelling of it, then it goes on', async () => {
  const rows = [1, 2, 3].map((b) => ({ id: `x${b}`, a: 1, b, c: 0 }))
  const reader = readerOf(await storeOf(rows))
  const { next } = await reader.find({ where: { a: 1, c: 0 }, order: 'b', size: 2 })
  assert.ok(next !== undefined)
  assert.deepEqual((await reader.find({ where: { c: 0, b: undefined, a: 1 }, order: 'b asc', page: next })).rows, [rows[2]])
})

test('given a page of another question, projection or life of the store, or of nobody, when asked for, then it is refused', async () => {
  const rows = [1, 2, 3].map((b) => ({ id: `x${b}`, a: 1, b, c: 0 }))
  const store = await storeOf(rows)
  const reader = readerOf(store)
  const { next } = await reader.find({ where: { a: 1 }, order: 'b', size: 1 })
  assert.ok(next !== undefined)
  const others: FindQuestion[] = [
    { where: { a: 2 }, order: 'b' },
    { where: { a: 1 }, order: 'b desc' },
    { where: { a: 1 } },
    {},
    { where: { a: { in: [1, 2] } } },
  ]
  for (const other of others)
    await assert.rejects(
      () => reader.find({ ...other, page: next }),
      (error) => isFault(error, 'PAGE_INVALID'),
      JSON.stringify(other),
    )
  await assert.rejects(
    () => new RowReader(store, shape, 'others').find({ where: { a: 1 }, order: 'b', page: next }),
    (error) => isFault(error, 'PAGE_INVALID'),
  )
  const [, name] = JSON.parse(Buffer.from(next, 'base64url').toString()) as string[]
  const forged = (parts: unknown): string => Buffer.from(JSON.stringify(parts)).toString('base64url')
  for (const page of [
    '',
    'a',
    '%%%',
    forged(1),
    forged(null),
    forged([]),
    forged(['one', name]),
    forged(['one', name, 5]),
    forged(['one', name, '\ud800']),
  ])
    await assert.rejects(
      () => reader.find({ where: { a: 1 }, order: 'b', page }),
      (error) => isFault(error, 'PAGE_INVALID'),
      page,
    )
  await assert.rejects(
    () => readerOf(emptyStore('two')).find({ where: { a: 1 }, order: 'b', page: next }),
    (error) => isFault(error, 'INCARNATION_OTHER'),
  )
})

test('given a question that is none, when asked, then it is refused, and never answered with all rows', async () => {
  const reader = readerOf(await storeOf([{ id: 'x', a: 1, b: 2, c: 3 }]))
  const none: FindQuestion[] = [
    { size: 0 },
    { size: 1_001 },
    { size: 1.5 },
    { size: Number.NaN },
    { order: 'a sideways' },
    { order: '' },
    { order: 'a asc desc' },
    { where: { a: { gte: 1 } } },
    { where: { a: { in: 1 } } },
    { where: { a: { in: [1], from: 2 } } },
    { where: { a: [1] } },
    { where: { a: Number.NaN } },
    { where: { a: { from: {} } } },
    { where: { a: { in: [[]] } } },
    { where: { a: '\ud800' } },
    { where: { a: { in: Array.from({ length: 201 }, (_, i) => i) } } },
  ]
  for (const asked of none)
    await assert.rejects(
      () => reader.find(asked),
      (error) => isFault(error, 'FIND_INVALID'),
      JSON.stringify(asked),
    )
})

test('given a row, when its entry is made, then it ends in the key, so that rows of equal columns stay apart', () => {
  const one = entryKey(shape, ['a'], { id: 'x', a: 1 })
  assert.notEqual(one, entryKey(shape, ['a'], { id: 'y', a: 1 }))
  assert.ok(one.endsWith(encodeColumn('x')))
})
