/**
 * What the store costs over SQLite itself: events published one a change, and the mark of one reader moved once a wave, against a
 * hand-written loop of the same statements. Run: node bench/store-floor.ts [--flush inline|pool|auto]; MILLRACE_BENCH_FOLDER=/dev/shm
 * leaves the disk out
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Change, Cursor, Store } from '../src/ports/store.ts'
import { sqliteStore, type SqliteStoreOptions } from '../src/stores/sqlite.ts'

const folder = mkdtempSync(join(resolve(process.env['MILLRACE_BENCH_FOLDER'] ?? '.'), '.bench-'))
process.on('exit', () => rmSync(folder, { recursive: true }))
const flush = process.argv.includes('--flush') ? process.argv[process.argv.indexOf('--flush') + 1] : 'auto'
const rounds = 5
const data = JSON.stringify({ orderId: 'order-123456', cents: 1_234, currency: 'EUR', note: 'x'.repeat(230) })

const soon = (run: () => void): void => process.nextTick(run)
const given = { nowMs: Date.now, monotonicMs: () => performance.now(), random: Math.random, soon }

let files = 0
let ids = 0
const id = (): string => `01980000-0000-7000-8000-${String(++ids).padStart(12, '0')}`

function open(): Promise<Store> {
  const how = flush === 'inline' || flush === 'pool' ? flush : 'auto'
  return sqliteStore({ ...given, path: join(folder, `${++files}.db`), flush: how } satisfies SqliteStoreOptions)
}

/** `inFlight` publishers, and a reader that moves its mark: what the flow does at its least. */
async function ours(inFlight: number, events: number): Promise<number> {
  const store = await open()
  const lane = store.limits.lanes[0]?.name ?? ''
  const none = { incarnation: store.incarnation, checks: [], expects: [], appends: [], puts: [], deletes: [], trims: [], native: [] }
  let published = 0
  let read = 0
  const startMs = performance.now()
  const publisher = async (): Promise<void> => {
    while (published < events) {
      const key = `order-${published++ % 1_000}`
      const event = {
        tenant: '',
        source: 'shop',
        id: id(),
        type: 'OrderPlaced',
        version: 1,
        key,
        slot: published & 1_023,
        time: '2026-01-01T00:00:00.000Z',
        data,
      }
      await store.commit({ ...none, id: event.id, appends: [{ event, streams: [] }] })
    }
  }
  const reader = async (): Promise<void> => {
    let cursor: Cursor = { of: 'lane', name: lane, after: '' }
    let rev: string | null = null
    const never = new AbortController().signal
    while (read < events) {
      const changed = store.changed([lane], never)
      const [slice] = await store.read([cursor], { events: 1_024, bytes: 10_000_000 })
      if (slice === undefined) throw new Error('no slice')
      cursor = slice.next
      if (slice.events.length === 0) {
        await changed
        continue
      }
      read += slice.events.length
      const mark = { kind: 'lane', part: 'sub', key: lane }
      const change: Change = {
        ...none,
        id: id(),
        checks: [{ ...mark, rev }],
        puts: [{ ...mark, value: JSON.stringify({ mark: slice.upTo, epoch: 1, token: 'abcdef' }) }],
      }
      const committed = await store.commit(change)
      if (!committed.ok) throw new Error('refused')
      rev = change.id
    }
  }
  await Promise.all([reader(), ...Array.from({ length: inFlight }, publisher)])
  const rate = events / (performance.now() - startMs)
  await store.close()
  return rate
}

/** The same statements by hand: a transaction of `inFlight` events and one mark, flushed. */
function bare(inFlight: number, events: number): number {
  const db = new DatabaseSync(join(folder, `${++files}.db`))
  db.exec(`pragma journal_mode = wal; pragma synchronous = full;
    create table events (
      position integer primary key, slot integer, id text, type text, version integer, key text, time text, stored_ms integer, data text);
    create unique index ids on events (id);
    create table marks (part text, key text, value text, rev text, primary key (part, key)) without rowid`)
  const insert = db.prepare('insert into events (slot, id, type, version, key, time, stored_ms, data) values (?, ?, ?, ?, ?, ?, ?, ?)')
  const mark = db.prepare(
    'insert into marks values (?, ?, ?, ?) on conflict (part, key) do update set value = excluded.value, rev = excluded.rev',
  )
  const [begin, commit] = [db.prepare('begin immediate'), db.prepare('commit')]
  const startMs = performance.now()
  for (let done = 0; done < events; done += inFlight) {
    begin.run()
    for (let at = 0; at < inFlight; at++) {
      insert.run(at & 1_023, id(), 'OrderPlaced', 1, `order-${at % 1_000}`, '2026-01-01T00:00:00.000Z', Date.now(), data)
    }
    mark.run('sub', 'lane', JSON.stringify({ mark: done, epoch: 1, token: 'abcdef' }), id())
    commit.run()
  }
  const rate = events / (performance.now() - startMs)
  db.close()
  return rate
}

async function tail(readers: number, events: number): Promise<number> {
  const store = await open()
  const lane = store.limits.lanes[0]?.name ?? ''
  const none = { incarnation: store.incarnation, checks: [], expects: [], puts: [], deletes: [], trims: [], native: [] }
  let delivered = 0
  const reader = async (): Promise<void> => {
    let cursor: Cursor = { of: 'lane', name: lane, after: '' }
    for (let mine = 0; mine < events;) {
      const changed = store.changed([lane], new AbortController().signal)
      const [slice] = await store.read([cursor], { events: 1_024, bytes: 10_000_000 })
      if (slice === undefined) return
      cursor = slice.next
      mine += slice.events.length
      delivered += slice.events.length
      if (slice.events.length === 0) await changed
    }
  }
  let published = 0
  const publisher = async (): Promise<void> => {
    while (published < events) {
      published++
      const event = {
        tenant: '',
        source: 'shop',
        id: id(),
        type: 'OrderPlaced',
        version: 1,
        key: 'k',
        slot: 5,
        time: '2026-01-01T00:00:00.000Z',
        data,
      }
      await store.commit({ ...none, id: event.id, appends: [{ event, streams: [] }] })
    }
  }
  const startMs = performance.now()
  await Promise.all([...Array.from({ length: readers }, reader), ...Array.from({ length: 256 }, publisher)])
  const rate = delivered / (performance.now() - startMs)
  await store.close()
  return rate
}

function flushesPerSecond(): number {
  const file = openSync(join(folder, 'flushes'), 'w')
  closeSync(file)
  const db = new DatabaseSync(join(folder, 'flush.db'))
  db.exec('pragma journal_mode = wal; pragma synchronous = normal; create table t (x)')
  const wal = openSync(join(folder, 'flush.db-wal'), 'r+')
  const insert = db.prepare('insert into t values (1)')
  const startMs = performance.now()
  for (let at = 0; at < 300; at++) {
    insert.run()
    fdatasyncSync(wal)
  }
  const rate = 300_000 / (performance.now() - startMs)
  db.close()
  closeSync(wal)
  return rate
}

const median = (of: readonly number[]): number => of.toSorted((a, b) => a - b)[of.length >> 1] ?? 0

console.log(`node ${process.version}, SQLite ${process.versions['sqlite']}, ${Math.round(flushesPerSecond())} flushes/s, flush ${flush}`)
for (const inFlight of [64, 256, 1_024]) {
  const events = inFlight * 200
  const [left, right]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    left.push(bare(inFlight, events))
    right.push(await ours(inFlight, events))
  }
  const [floor, store] = [median(left), median(right)]
  console.log(`${inFlight} in flight: bare ${floor.toFixed(1)} k/s, store ${store.toFixed(1)} k/s, ${Math.round((store / floor) * 100)} %`)
}
for (const readers of [1, 10, 50]) console.log(`${readers} readers of the tail: ${(await tail(readers, 50_000)).toFixed(0)} k deliveries/s`)
