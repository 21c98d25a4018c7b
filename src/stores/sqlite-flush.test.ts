/** What is seen, acknowledged and kept while a disk is slow, full or broken. */
import assert from 'node:assert/strict'
import { existsSync, fdatasync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { isFault } from '../kit/fault.ts'
import type { Committed, Cursor } from '../ports/store.ts'
import { append, deskFor, type Desk, faults, ids, key, put, slice } from '../testing/store-contract-facts.ts'
import { sqliteStore, type SqliteStoreOptions } from './sqlite.ts'
import { FlushChoice } from './sqlite-flush.ts'
import { openDatabaseSync } from './sqlite-open.ts'

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millrace-flush-'))
after(() => rmSync(folder, { recursive: true }))

let files = 0
const fresh = (): string => join(folder, `${++files}.db`)

async function desk(path: string, more: Partial<SqliteStoreOptions> = {}): Promise<Desk> {
  const soon = (run: () => void): void => process.nextTick(run)
  const store = await sqliteStore({
    path,
    nowMs: () => 1_000_000,
    monotonicMs: () => performance.now(),
    soon,
    random: Math.random,
    ...more,
  })
  return deskFor(store, { ms: 1_000_000 })
}

/** A disk whose flushes are done when the test says so. */
function gate(): {
  readonly sync: NonNullable<SqliteStoreOptions['sync']>
  flush(): Promise<void>
  readonly waiting: (() => void)[]
  count: number
} {
  const waiting: (() => void)[] = []
  const disk = {
    waiting,
    count: 0,
    sync: (file: number, done: (error: Error | null) => void) => {
      disk.count++
      waiting.push(() => fdatasync(file, done))
    },
    flush: async () => {
      while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve))
      waiting.shift()?.()
    },
  }
  return disk
}

test('given a commit that waits for its flush, when anybody looks, then nobody sees it; and once it is flushed all do', async () => {
  const disk = gate()
  const { store, ...at } = await desk(fresh(), { flush: 'pool', sync: disk.sync })
  const first = at.done({ appends: [append('a', {}, ['s'])], puts: [put('x', '1')] })
  await disk.flush()
  await first
  const lane: Cursor = { of: 'lane', name: at.lane(0), after: '' }
  const head = await slice(store, lane)
  let answered = false
  const second = at.done({ appends: [append('b', {}, ['s'])], puts: [put('x', '2'), put('y', '1'), put('k', '1', { kind: 'other' })] })
  void second.then(() => (answered = true))
  while (disk.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const look = async (): Promise<unknown> => ({
    rows: (await store.get([key('x'), key('y'), key('k', 'main', 'other')])).map((row) => row?.value),
    scanned: (await store.scan({ kind: 'row', part: 'main', from: '', to: '', limit: 9 })).map(({ value }) => value),
    lane: ids((await slice(store, lane)).events),
    next: ids((await slice(store, head.next)).events),
    upTo: (await slice(store, head.next)).upTo === head.upTo,
    stream: ids((await slice(store, { of: 'stream', name: 's', after: '' })).events),
    id: ids((await slice(store, { of: 'id', tenant: '', source: 'shop', id: 'b' })).events),
    place: ids((await slice(store, { of: 'place', name: at.lane(0), at: '0000000000000002' })).events),
  })
  assert.deepEqual(await look(), {
    rows: ['1', undefined, undefined],
    scanned: ['1'],
    lane: ['a'],
    next: [],
    upTo: true,
    stream: ['a'],
    id: [],
    place: [],
  })
  assert.equal(answered, false)
  await disk.flush()
  await second
  assert.deepEqual(await look(), {
    ...{
      rows: ['2', '1', '1'],
      scanned: ['2', '1'],
      lane: ['a', 'b'],
      next: ['b'],
      upTo: false,
      stream: ['a', 'b'],
      id: ['b'],
      place: ['b'],
    },
  })
  await store.close()
})

test('given a slow flush, when changes come meanwhile, then all of them share the next one', async () => {
  const disk = gate()
  const at = await desk(fresh(), { flush: 'pool', sync: disk.sync })
  const first = at.done({ appends: [append('a')] })
  while (disk.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const more = Promise.all(Array.from({ length: 100 }, (_, n) => at.done({ appends: [append(`e${n}`)] })))
  await disk.flush()
  await first
  await disk.flush()
  await more
  assert.equal(disk.count, 2)
  await at.store.close()
})

test('given changes of more than 1,024 events, when they come at once, then no transaction has more, and all commit in order', async () => {
  const disk = gate()
  const at = await desk(fresh(), { flush: 'pool', sync: disk.sync })
  const all = Promise.all(
    Array.from({ length: 30 }, (_, n) => at.done({ appends: Array.from({ length: 100 }, (_each, m) => append(`e${n * 100 + m}`)) })),
  )
  for (let flush = 0; flush < 3; flush++) await disk.flush()
  await all
  assert.equal(disk.count, 3)
  assert.deepEqual(
    ids(await at.all()),
    Array.from({ length: 3_000 }, (_, n) => `e${n}`),
  )
  await at.store.close()
})

test('given only changes that are refused or write nothing, when they commit, then nothing is flushed', async () => {
  const disk = gate()
  const at = await desk(fresh(), { flush: 'pool', sync: disk.sync })
  const outcomes = await Promise.all([
    at.commit({ checks: [{ ...key('x'), rev: 'y' }], puts: [put('x', '1')] }),
    at.commit({ checks: [{ ...key('x'), rev: null }] }),
  ])
  assert.deepEqual(
    outcomes.map(({ ok }) => ok),
    [false, true],
  )
  assert.equal(disk.count, 0)
  await at.store.close()
})

test('given a flush that fails, when changes wait for it, then they may or may not be there, and nothing more is written', async () => {
  const path = fresh()
  const failing = { is: false }
  const sync: SqliteStoreOptions['sync'] = (file, done) =>
    failing.is ? done(new Error('EIO: i/o error, fdatasync')) : fdatasync(file, done)
  const at = await desk(path, { flush: 'pool', sync })
  await at.done({ appends: [append('a')] })
  failing.is = true
  await faults(at.commit({ appends: [append('b')], puts: [put('x', '1')] }), 'STORE_FAILED', { unknown: true })
  failing.is = false
  await faults(at.commit({ appends: [append('c')] }), 'STORE_FAILED', { unknown: false })
  assert.deepEqual(ids(await at.all()), ['a'])
  assert.deepEqual(await at.store.get([key('x')]), [undefined])
  await at.store.close()
  const again = await desk(path)
  assert.equal(ids(await again.all())[0], 'a')
  await again.done({ appends: [append('d')] })
  await again.store.close()
})

test('given a full disk, when changes come, then they are a fault, what was acknowledged is there, and with room it goes on', async () => {
  for (const flush of ['inline', 'pool'] as const) {
    let db: DatabaseSync | undefined
    const openDatabase: typeof openDatabaseSync = (path, options) => {
      const opened = openDatabaseSync(path, options)
      if (!path.endsWith('-lock') && !options.readOnly) db = opened
      return opened
    }
    const path = fresh()
    const at = await desk(path, { flush, openDatabase })
    db?.exec('pragma max_page_count = 60')
    const kept: string[] = []
    const data = JSON.stringify('x'.repeat(1_000))
    for (let round = 0; round < 40; round++) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, (_, n) => at.done({ appends: [append(`e${round}-${n}`, { data })] })),
      )
      for (const [n, outcome] of outcomes.entries()) {
        if (outcome.status === 'fulfilled') kept.push(`e${round}-${n}`)
        else assert.ok(isFault(outcome.reason, 'STORE_FULL'), String(outcome.reason))
      }
    }
    assert.ok(kept.length > 50 && kept.length < 400, `${kept.length} kept`)
    assert.deepEqual(ids(await at.all()), kept)
    assert.deepEqual(
      (await at.all()).map(({ position }) => Number(position)),
      kept.map((_, n) => n + 1),
    )
    db?.exec('pragma max_page_count = 1000000')
    await at.done({ appends: [append('after', { data })] })
    await at.store.close()
    const again = await desk(path)
    assert.deepEqual(ids(await again.all()), [...kept, 'after'])
    await again.store.close()
  }
})

test('given a change that finds no room, when smaller ones stand beside it, then they commit', async () => {
  let db: DatabaseSync | undefined
  const openDatabase: typeof openDatabaseSync = (path, options) => {
    const opened = openDatabaseSync(path, options)
    if (!path.endsWith('-lock') && !options.readOnly) db = opened
    return opened
  }
  const at = await desk(fresh(), { openDatabase })
  db?.exec('pragma max_page_count = 60')
  const large = JSON.stringify('x'.repeat(500_000))
  const outcomes = await Promise.allSettled(
    ['a', 'b', 'c'].map((id) => at.done({ appends: [append(id, id === 'b' ? { data: large } : {})] })),
  )
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(
    (await at.all()).map(({ id, position }) => [id, Number(position)]),
    [
      ['a', 1],
      ['c', 2],
    ],
  )
  await at.store.close()
})

test('given the app’s own SQL in a change, when a unit fails, then that change is refused, and its neighbours commit', async () => {
  const at = await desk(fresh())
  if (!at.store.limits.native) return
  const native = (unit: string, text: string, rows?: number) => ({ unit, text, values: [], ...(rows === undefined ? {} : { rows }) })
  const outcomes = await Promise.all([
    at.commit({ appends: [append('a')] }),
    at.commit({ appends: [append('b')], puts: [put('x', '1')], native: [native('u', 'insert into nowhere values (1)')] }),
    at.commit({ appends: [append('c')], native: [native('v', 'delete from events')] }),
    at.commit({ appends: [append('d')], native: [native('w', 'commit')] }),
    at.commit({ appends: [append('e')], native: [native('x', 'drop table events')] }),
    at.commit({ appends: [append('f')] }),
  ])
  assert.deepEqual(
    outcomes.map((outcome: Committed) => (outcome.ok ? 'ok' : outcome.native?.unit)),
    ['ok', 'u', 'v', 'w', 'x', 'ok'],
  )
  assert.deepEqual(ids(await at.all()), ['a', 'f'])
  assert.deepEqual(await at.store.get([key('x')]), [undefined])
  await at.store.close()
})

test('given the app’s own tables, when a change writes to them, then they commit with it or not at all', async () => {
  let db: DatabaseSync | undefined
  const openDatabase: typeof openDatabaseSync = (path, options) => (db = openDatabaseSync(path, options))
  const at = await desk(fresh(), { openDatabase })
  if (!at.store.limits.native) return
  db?.exec('create table takings (day text primary key, cents integer)')
  const add = {
    unit: 'add',
    text: 'insert into takings values (?, ?) on conflict (day) do update set cents = cents + excluded.cents',
    values: ['monday', 5],
    rows: 1,
  }
  await at.done({ appends: [append('a')], native: [add, add] })
  const refused = await at.commit({
    appends: [append('b')],
    native: [add, { ...add, text: 'update takings set cents = 0 where day = ? and cents = ?' }],
  })
  assert.deepEqual(refused, { ok: false, rows: [], versions: {}, ids: [], native: { unit: 'add', code: 'ROWS_OTHER' } })
  assert.equal(db?.prepare('select cents from takings').get()?.['cents'], 10)
  assert.deepEqual(ids(await at.all()), ['a'])
  await at.store.close()
})

test('given flushes that cost little or much, when the choice is the store’s, then little is done inline and much in the pool', () => {
  const choice = new FlushChoice('auto')
  const after = (ms: number, times: number): string => {
    for (let time = 0; time < times; time++) choice.took(ms)
    return choice.now
  }
  assert.equal(after(0.1, 100), 'inline')
  assert.equal(after(0.35, 100), 'inline')
  assert.equal(after(5, 3), 'pool')
  assert.equal(after(5, 1_000), 'pool')
  assert.equal(after(0.2, 600), 'inline')
  assert.equal(new FlushChoice('pool').now, 'pool')
})

test('given somebody who commits again as soon as it is answered, when others wait for the event loop, then it turns', async () => {
  const at = await desk(fresh(), { flush: 'inline' })
  let turned = false
  setTimeout(() => (turned = true), 1)
  let commits = 0
  for (; !turned && commits < 1_500; commits++) await at.done({ puts: [put('x', `${commits}`)] })
  assert.ok(turned, `${commits} commits, and no turn`)
  await at.store.close()
})
