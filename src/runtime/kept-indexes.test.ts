import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { z } from 'zod'
import { app } from '../define/app.ts'
import { event } from '../define/event.ts'
import { projection } from '../define/projection.ts'
import { changeOf } from '../flow/change.ts'
import { OpenTurn } from '../flow/turn.ts'
import { isFault } from '../kit/fault.ts'
import type { Store } from '../ports/store.ts'
import { RowReader } from '../state/row-reader.ts'
import { decodeRow, indexKeys, indexPart, spaceOf, type RowShape } from '../state/row-space.ts'
import { RowWriter } from '../state/row-writer.ts'
import { memoryStore } from '../stores/memory.ts'
import { VirtualEnvironment } from '../testing/virtual-environment.ts'
import { keepIndexes } from './kept-indexes.ts'
import { startRuntime, type Runtime } from './runtime.ts'

const startMs = Date.parse('2026-05-01T10:00:00Z')
const Set = event('Set', z.object({ id: z.string(), color: z.string() }), { key: ({ id }) => id })
const row = z.object({ id: z.string(), color: z.string() })
const things = (...index: readonly 'color'[]): ReturnType<typeof projection<z.infer<typeof row>, 'id' | 'color'>> =>
  projection('things', row, {
    key: 'id',
    index,
    apply: (on) => [on(Set, (rows, data) => (data.color === '' ? rows.delete(data.id) : rows.put(data)))],
  })
const [plain, indexed] = [things(), things('color')]

/** What is kept and what is found by `color`, of one moment. */
async function snapshot(store: Store): Promise<{ readonly should: readonly string[]; readonly are: readonly string[] }> {
  const all = { from: '', to: '', limit: 10_000 }
  const space = spaceOf('things')
  const [rows, entries] = await Promise.all([
    store.scan({ kind: 'row', part: space, ...all }),
    store.scan({ kind: 'index', part: indexPart(space, ['color']), ...all }),
  ])
  const should = rows.flatMap(({ value }) => {
    const kept = decodeRow(value).row
    return kept === undefined ? [] : indexKeys(space, indexed, kept).map(({ key }) => key)
  })
  return { should: should.sort(), are: entries.map(({ key }) => key) }
}

/** Each call waits until the test lets it through. */
function scheduled(store: Store, scheduler: fc.Scheduler): Store {
  const through = async <T>(call: () => Promise<T>): Promise<T> => {
    await scheduler.schedule(Promise.resolve())
    return call()
  }
  return Object.assign(Object.create(store) as Store, {
    limits: store.limits,
    incarnation: store.incarnation,
    commit: async (change: Parameters<Store['commit']>[0]) => through(async () => store.commit(change)),
    get: async (keys: Parameters<Store['get']>[0]) => through(async () => store.get(keys)),
    scan: async (range: Parameters<Store['scan']>[0]) => through(async () => store.scan(range)),
  })
}

/** One turn after another of a projection, each until it is committed. */
async function writes(store: Store, shape: RowShape, ops: readonly (readonly [string, string])[], changeId: () => string): Promise<void> {
  for (const [id, color] of ops) {
    for (let committed = false; !committed;) {
      const open = new OpenTurn('things', 'things', [], 1, 1, async (keys) => store.get(keys))
      const writer = new RowWriter(open, shape, row)
      if (color === '') writer.delete(id, id)
      else writer.put({ id, color }, id)
      await writer.end()
      const { reads, writes: staged } = open.close('it is over')
      const puts = [...staged.values()].flatMap(({ value, ...key }) => (value === undefined ? [] : [{ ...key, value }]))
      const deletes = [...staged.values()].filter(({ value }) => value === undefined)
      committed = (await store.commit(changeOf(store, changeId(), { checks: [...reads.values()], puts, deletes }))).ok
    }
  }
}

test('given old code that writes while new code adds an index, however they interleave, then the index is whole', async () => {
  const ops = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.constantFrom('', 'red', 'blue')), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), ops, ops, ops, fc.boolean(), async (scheduler, before, old, young, two) => {
      const store = memoryStore({ nowMs: () => startMs, incarnation: 'one', lanes: 1, limits: { items: 6, writers: 'many' } })
      let changes = 0
      const changeId = (): string => `c${(changes += 1)}`
      await writes(store, plain, before, changeId)
      const slow = scheduled(store, scheduler)
      const deploy = async (): Promise<void> => {
        await keepIndexes({ store: slow, changeId }, new Map([['things', indexed]]))
        const { should, are } = await snapshot(store)
        assert.deepEqual(are, should)
        await writes(slow, indexed, young, changeId)
      }
      const all = [writes(slow, plain, old, changeId), deploy(), ...(two ? [deploy()] : [])]
      await scheduler.waitFor(Promise.all(all))
      const { should, are } = await snapshot(store)
      assert.deepEqual(are, should)
      const found = await new RowReader(store, indexed, 'things').find({ order: 'color asc' })
      assert.equal(found.rows.length, should.length)
    }),
    { numRuns: 300 },
  )
})

const silent = { count: () => {}, record: () => {}, log: () => {}, span: <T>(_name: string, _of: object, run: () => T): T => run() }
let lives = 0

/** One of a higher generation keeps the lane. */
async function runs(of: typeof plain, store: Store, generation = 0): Promise<Runtime> {
  const environment = new VirtualEnvironment(startMs, (lives += 1), async () => turn())
  return startRuntime(app('shop', [Set, of]), { store, environment, telemetry: silent }, { generation })
}

const serving = (runtime: Runtime): ReturnType<Runtime['serving']> => runtime.serving(new AbortController().signal)

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let turns = 0; !(await what()); turns += 1) {
    assert.ok(turns < 2_000, 'it never came')
    await turn()
  }
}

test('given old code that owns the lane, when new code starts beside it, then it finds what the old writes', async () => {
  const store = memoryStore({ nowMs: () => startMs, incarnation: 'one', lanes: 1, limits: { writers: 'many' } })
  const old = await runs(plain, store, 1)
  const color = async (id: string): Promise<string | undefined> => (await serving(old).rows(plain).get(id))?.color
  const set = async (id: string, to: string): Promise<void> => {
    await serving(old).publish(Set({ id, color: to }))
    await until(async () => (await color(id)) === to)
  }
  await set('a', 'red')
  const young = await runs(indexed, store)
  await set('b', 'red')
  await set('a', 'blue')
  await set('a', 'red')
  const found = async (): Promise<readonly string[]> =>
    (
      await serving(young)
        .rows(indexed)
        .find({ where: { color: 'red' } })
    ).rows.map(({ id }) => id)
  assert.deepEqual(await found(), ['a', 'b'])
  await old.stop()
  await young.stop()
})

test('given a row that a new index can’t take, when the app starts, then it is refused, naming both; old code goes on', async () => {
  const store = memoryStore({ nowMs: () => startMs, incarnation: 'one', lanes: 1, limits: { writers: 'many' } })
  const long = 'x'.repeat(1_100)
  const old = await runs(plain, store)
  await serving(old).publish(Set({ id: 'a', color: long }))
  await until(async () => (await serving(old).rows(plain).get('a')) !== undefined)
  await assert.rejects(
    () => runs(indexed, store),
    (error) =>
      isFault(error, 'INDEXED_TOO_LONG') && error.message.includes("things: row 'a': index color: ") && error.data['limit'] === 1_024,
  )
  await serving(old).publish(Set({ id: 'b', color: long }))
  await until(async () => (await serving(old).rows(plain).get('b')) !== undefined)
  await old.stop()
})
