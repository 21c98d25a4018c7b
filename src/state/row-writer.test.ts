import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type } from 'arktype'
import fc from 'fast-check'
import { z } from 'zod'
import type { Schema } from '../contracts/schema.ts'
import { changeOf } from '../flow/change.ts'
import { OpenTurn } from '../flow/turn.ts'
import { isFault } from '../kit/fault.ts'
import type { Code } from '../kit/fault-codes.ts'
import type { Key, Store } from '../ports/store.ts'
import { memoryStore } from '../stores/memory.ts'
import { encodeColumn } from './index-key.ts'
import { decodeRow, indexPart, spaceOf, type KeptRow, type RowShape } from './row-space.ts'
import { RowWriter } from './row-writer.ts'

const shape: RowShape = { name: 'totals', key: 'id', indexes: [['status'], ['status', 'n']] }
const row = z.object({
  id: z.string(),
  status: z.string().optional(),
  n: z.number().max(1_000).optional(),
  list: z.array(z.number()).optional(),
})

/** A projection's rows in a store, turn by turn. */
class Table {
  readonly store: Store = memoryStore({ nowMs: () => 1, incarnation: 'one' })
  looks = 0
  turn = this.#turn()
  #changes = 0

  writer(schema: Schema = row, of: RowShape = shape): RowWriter {
    this.turn = this.#turn()
    return new RowWriter(this.turn, of, schema)
  }

  /** What `act` stages, committed; its keys. */
  async write(act: (rows: RowWriter) => void | Promise<void>, schema: Schema = row, of: RowShape = shape): Promise<readonly string[]> {
    const rows = this.writer(schema, of)
    await act(rows)
    await rows.end()
    const { writes } = this.turn.close('it is over')
    const puts = [...writes.values()].flatMap(({ value, ...key }) => (value === undefined ? [] : [{ ...key, value }]))
    this.#changes += 1
    const deletes = [...writes.values()].filter(({ value }) => value === undefined)
    assert.ok((await this.store.commit(changeOf(this.store, `c${this.#changes}`, { puts, deletes }))).ok)
    return [...writes.values()].map(({ kind, key }) => `${kind} ${key}`)
  }

  async rows(): Promise<Record<string, KeptRow>> {
    const found = await this.#all('row', spaceOf('totals'))
    return Object.fromEntries(found.map(({ key, value }) => [key, decodeRow(value)]))
  }

  async entries(): Promise<readonly string[]> {
    const found = await Promise.all(shape.indexes.map((columns) => this.#all('index', indexPart(spaceOf('totals'), columns))))
    return found.flat().map(({ part, key, value }) => `${part} ${key} ${value}`)
  }

  #all(kind: string, part: string): ReturnType<Store['scan']> {
    return this.store.scan({ kind, part, from: '', to: '', limit: 10_000 })
  }

  #turn(): OpenTurn {
    return new OpenTurn('totals', 'totals', [], 1, 1, async (keys: readonly Key[]) => {
      this.looks += 1
      return this.store.get(keys)
    })
  }
}

const refused =
  (code: Code, ...words: readonly string[]) =>
  (error: unknown): boolean =>
    isFault(error, code) && words.every((word) => error.message.includes(word))

test('given calls on one row, when they are made, then they act in their order', async () => {
  const table = new Table()
  await table.write(async (rows) => {
    rows.patch('x', 'k', { n: 9 })
    rows.delete('x', 'k')
    rows.change('x', 'k', (before) => ({ id: 'x', n: before === undefined ? 1 : 100 }))
    rows.patch('x', 'k', { status: 'open' })
    assert.deepEqual(await rows.get('x', 'k'), { id: 'x', n: 1, status: 'open' })
    rows.delete('x', 'k')
    assert.equal(await rows.get('x', 'k'), undefined)
    rows.patch('x', 'k', { n: 7 })
    rows.put({ id: 'x', n: 2 }, 'k')
    rows.change('x', 'k', (before) => ({ id: 'x', n: (before?.['n'] as number) + 1 }))
  })
  assert.deepEqual(await table.rows(), { x: { by: 'k', row: { id: 'x', n: 3 } } })
})

test('given a call while the answer to another is awaited, when its row is not known yet, then it is not lost', async () => {
  const table = new Table()
  await table.write(async (rows) => {
    const asked = rows.get('a', 'k')
    rows.put({ id: 'c', n: 1 }, 'k')
    rows.put({ id: 'a', n: 1 }, 'k')
    assert.equal(await asked, undefined)
    await Promise.all([
      rows.get('d', 'k').then(() => rows.put({ id: 'd', n: 1 }, 'k')),
      rows.get('e', 'k').then(() => rows.put({ id: 'f', n: 1 }, 'k')),
    ])
  })
  assert.deepEqual(Object.keys(await table.rows()), ['a', 'c', 'd', 'f'])
})

test('given a read and a later write of one row, when both are under way, then the read tells what was before', async () => {
  const table = new Table()
  for (const known of [false, true]) {
    await table.write(async (rows) => {
      if (known) await rows.get('x', 'k')
      const asked = rows.get('x', 'k')
      rows.put({ id: 'x', n: known ? 2 : 1 }, 'k')
      const again = rows.get('x', 'k')
      assert.equal((await asked)?.['n'], known ? 1 : undefined)
      assert.equal((await again)?.['n'], known ? 2 : 1)
    })
  }
})

test('given a row that another order key wrote, when anything is done with it, then it is ROW_SHARED, naming `by`', async () => {
  const calls: readonly ((rows: RowWriter) => unknown)[] = [
    (rows) => rows.put({ id: 'x' }, 'other'),
    (rows) => rows.change('x', 'other', (before) => before),
    (rows) => rows.patch('x', 'other', { n: 1 }),
    (rows) => rows.delete('x', 'other'),
    (rows) => rows.get('x', 'other'),
  ]
  for (const deleted of [false, true]) {
    const table = new Table()
    await table.write((rows) => rows.put({ id: 'x' }, 'one'))
    if (deleted) await table.write((rows) => rows.delete('x', 'one'))
    for (const [i, call] of calls.entries()) {
      await assert.rejects(
        () => table.write(async (rows) => void (await call(rows))),
        refused('ROW_SHARED', "'one'", "'other'", '`by`'),
        `${i}`,
      )
      await assert.rejects(
        () =>
          table.write(async (rows) => {
            if (!deleted) rows.patch('x', 'one', {})
            await rows.get('x', 'one')
            await call(rows)
          }),
        refused('ROW_SHARED'),
        `${i}, known`,
      )
    }
    await table.write((rows) => rows.put({ id: 'x', n: 1 }, 'one'))
  }
})

test('given two order keys in one turn, when both write one row, then it is ROW_SHARED, whatever is caught', async () => {
  for (const known of [false, true]) {
    const table = new Table()
    await assert.rejects(
      () =>
        table.write(async (rows) => {
          if (known) await rows.get('x', 'one')
          rows.put({ id: 'x' }, 'one')
          try {
            rows.put({ id: 'x' }, 'two')
          } catch {
            return
          }
        }),
      refused('ROW_SHARED'),
    )
    assert.deepEqual([...table.turn.close('it is over').writes], [])
  }
})

test('given what is no row, when it is put, then it is ROW_INVALID, naming the row and the place', async () => {
  const table = new Table()
  const rows = table.writer()
  assert.throws(() => rows.put({ id: 'x', n: 'many' }, 'k'), refused('ROW_INVALID', "row 'x'", '/n '))
  assert.throws(() => rows.put({ id: 5 }, 'k'), refused('ROW_INVALID', '/id'))
  assert.throws(() => rows.put(JSON.parse('null'), 'k'), refused('ROW_INVALID'))
  for (const id of ['\ud800', 'a\u0000']) assert.throws(() => rows.put({ id }, 'k'), refused('ROW_INVALID', 'its key'))
  const anything = table.writer(z.any())
  assert.throws(() => anything.put({ id: 5 }, 'k'), refused('ROW_INVALID', "'id' is no text"))
  assert.throws(() => anything.put({ id: 'x', big: 1n }, 'k'), refused('ROW_INVALID', "row 'x'", 'JSON'))
  try {
    rows.put({ id: 'x', n: 1_001 }, 'k')
  } catch (thrown) {
    assert.ok(isFault(thrown))
    assert.equal(thrown.data['row'], 'x')
    assert.equal((thrown.data['issues'] as { path: string }[])[0]?.path, '/n')
  }
})

test('given a change that gives no row, or one with another key, when it acts, then the turn fails, the row known or not', async () => {
  const table = new Table()
  await table.write((rows) => rows.put({ id: 'x' }, 'k'))
  for (const known of [false, true])
    for (const [act, word] of [
      [(rows: RowWriter) => rows.patch('x', 'k', { n: 'many' }), '/n '],
      [(rows: RowWriter) => rows.change('x', 'k', () => ({ id: 'y' })), 'another key'],
      [(rows: RowWriter) => rows.patch('x', 'k', { id: 'y' }), 'another key'],
      [(rows: RowWriter) => rows.change('x', 'k', (async () => ({ id: 'x' })) as never), "row 'x'"],
      [
        (rows: RowWriter) =>
          rows.change('x', 'k', () => {
            rows.delete('x', 'k')
            return { id: 'x' }
          }),
        'inside the change',
      ],
    ] as const) {
      await assert.rejects(
        () =>
          table.write(async (rows) => {
            if (known) await rows.get('x', 'k')
            try {
              act(rows)
            } catch {
              return
            }
          }),
        refused('ROW_INVALID', word),
        `${word}, ${known}`,
      )
    }
  await assert.rejects(
    () =>
      table.write((rows) =>
        rows.change('x', 'k', () => {
          throw new Error('its own')
        }),
      ),
    /its own/,
  )
})

test('given rows that are mutated after they were given or taken, when the turn ends, then only what was written counts', async () => {
  for (const schema of [row, type({ id: 'string', 'status?': 'string', 'list?': 'number[]' })] as Schema[]) {
    const table = new Table()
    await table.write(async (rows) => {
      const mine = { id: 'x', status: 'old', list: [1] }
      rows.put(mine, 'k')
      mine.status = 'other'
      mine.list.push(2)
      const taken = (await rows.get('x', 'k')) as { list: number[] }
      taken.list.push(3)
    }, schema)
    await table.write(async (rows) => {
      const stored = await rows.get('x', 'k')
      const { list } = stored as { readonly list: number[] }
      list.push(4)
      assert.deepEqual((await rows.get('x', 'k'))?.['list'], [1])
    }, schema)
    assert.deepEqual((await table.rows())['x']?.row, { id: 'x', status: 'old', list: [1] })
    await table.write((rows) => {
      rows.change('x', 'k', (before) => Object.assign(before ?? {}, { status: 'new' }))
    }, schema)
    assert.deepEqual(await table.entries(), naiveEntries(await table.rows()))
  }
})

test('given what JSON would change, when it is put, then it is ROW_INVALID, naming the place', async () => {
  for (const [value, place, is] of [
    [Number.POSITIVE_INFINITY, '/n', 'Infinity'],
    [new Date(0), '/n', 'a Date'],
    [3n, '/n', 'a bigint'],
    [{ deep: [new Map()] }, '/n/deep/0', 'a Map'],
  ] as const) {
    const rows = new Table().writer(z.any())
    assert.throws(
      () => rows.put({ id: 'x', n: value }, 'k'),
      (error) =>
        isFault(error, 'ROW_INVALID') &&
        error.message.includes(`totals: row 'x': ${place} is ${is}, which JSON would change`) &&
        error.data['path'] === place,
    )
  }
})

test('given an indexed text longer than a key can be, when it is written, then the fault names row, index and limit', async () => {
  const table = new Table()
  const most = 1_024 - encodeColumn('x').length - 2
  await table.write((rows) => rows.put({ id: 'x', status: 'ü'.repeat(most / 2 - 10) }, 'k'))
  const rows = table.writer()
  rows.put({ id: 'x', status: 's'.repeat(most + 1) }, 'k')
  await assert.rejects(
    () => rows.end(),
    (error) =>
      isFault(error, 'INDEXED_TOO_LONG') &&
      error.message.includes("totals: row 'x': index status: its columns and the row's key come to 1025 bytes, and 1024 is the most") &&
      error.data['limit'] === 1_024,
  )
  // What was written before there was the index may be too long for it: to write less cures that.
  await table.write((its) => its.put({ id: 'y', status: 's'.repeat(2_000) }, 'k'), row, { ...shape, indexes: [] })
  await table.write((its) => its.patch('y', 'k', { status: 'short' }))
  assert.deepEqual(await table.entries(), naiveEntries(await table.rows()))
})

test('given what vanishes in JSON, when it is read in the same turn, then as it will be read in the next', async () => {
  const table = new Table()
  const loose = z.any()
  await table.write(async (rows) => {
    rows.put({ id: 'x', status: undefined, n: -0 }, 'k')
    assert.deepEqual(await rows.get('x', 'k'), { id: 'x', n: 0 })
  }, loose)
  assert.deepEqual(await table.entries(), naiveEntries(await table.rows()))
  await table.write((rows) => rows.delete('x', 'k'))
  assert.deepEqual(await table.entries(), [])
})

test('given many calls that need no answer, when the turn ends, then rows are read at once, and only changed ones written', async () => {
  const table = new Table()
  await table.write((rows) => {
    for (let n = 0; n < 500; n += 1) rows.put({ id: `x${n}`, n }, 'k')
  })
  assert.equal(table.looks, 1)
  const written = await table.write((rows) => {
    rows.patch('x1', 'k', { n: 1 })
    rows.patch('none', 'k', { n: 1 })
    rows.delete('none', 'k')
    rows.change('x2', 'k', (before) => before)
    rows.patch('x4', 'k', { n: 1_000 })
    rows.patch('x3', 'k', { status: 'a' })
  })
  assert.deepEqual(
    written.map((key) => key.split(' ')[0]),
    ['row', 'index', 'index', 'row', 'index', 'index', 'index', 'index'],
  )
  assert.equal(table.looks, 2)
})

test('given a turn that has ended or is closed, when a row is asked for or written, then it is TURN_CLOSED', async () => {
  const table = new Table()
  const rows = table.writer()
  await rows.end()
  assert.throws(() => rows.put({ id: 'x' }, 'k'), refused('TURN_CLOSED', 'totals'))
  await assert.rejects(() => rows.get('x', 'k'), refused('TURN_CLOSED'))
  const late = table.writer()
  table.turn.close('its time was up')
  assert.throws(() => late.delete('x', 'k'), refused('TURN_CLOSED'))
})

function naiveEntries(rows: Record<string, KeptRow>): readonly string[] {
  return shape.indexes.flatMap((columns) =>
    Object.values(rows)
      .flatMap(({ row: one }) => (one === undefined ? [] : [one]))
      .map((one) => {
        const key = [...columns, 'id'].map((column) => encodeColumn(one[column])).join('')
        return `${indexPart(spaceOf('totals'), columns)} ${key} ${String(one['id'])}`
      })
      .sort(),
  )
}

const id = fc.constantFrom('x', 'y', 'z')
const fields = fc.record(
  { status: fc.constantFrom('open', 'done', '\u0000'), n: fc.integer({ min: 0, max: 2 }) },
  { requiredKeys: [], noNullPrototype: true },
)
const call = fc.tuple(fc.constantFrom('put', 'patch', 'change', 'mutate', 'delete', 'get'), id, fields)

test('given any calls in any turns, when all are committed, then index entries are exactly those of the rows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(call, { maxLength: 6 }), { maxLength: 6 }), async (turns) => {
      const table = new Table()
      for (const calls of turns) {
        await table.write(async (rows) => {
          for (const [what, key, given] of calls) {
            if (what === 'put') rows.put({ id: key, ...given }, 'k')
            if (what === 'patch') rows.patch(key, 'k', given)
            if (what === 'change') rows.change(key, 'k', (before) => (before === undefined ? { id: key } : { ...before, ...given }))
            if (what === 'mutate') rows.change(key, 'k', (before) => before && Object.assign(before, given))
            if (what === 'delete') rows.delete(key, 'k')
            if (what === 'get') Object.assign((await rows.get(key, 'k')) ?? {}, given)
          }
        })
        assert.deepEqual(await table.entries(), naiveEntries(await table.rows()))
      }
    }),
    { numRuns: 300 },
  )
})
