/** Opening a store file: who may, what is looked at first, and that a file that is refused stays as it was. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { isFault } from '../kit/fault.ts'
import type { Code } from '../kit/fault-codes.ts'
import type { Store } from '../ports/store.ts'
import { append, deskFor, ids, put } from '../testing/store-contract-facts.ts'
import { sqliteStore, type SqliteStoreOptions } from './sqlite.ts'
import { openDatabaseSync } from './sqlite-open.ts'
import { create, format, mustBeNewEnough } from './sqlite-schema.ts'

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millrace-open-'))
after(() => rmSync(folder, { recursive: true }))

let files = 0
const fresh = (): string => join(folder, `${++files}.db`)

function open(path: string, more: Partial<SqliteStoreOptions> = {}): Promise<Store> {
  const soon = (run: () => void): void => process.nextTick(run)
  return sqliteStore({ path, nowMs: () => 1_000_000, monotonicMs: () => performance.now(), soon, random: Math.random, ...more })
}

async function refuses(path: string, code: Code, more: Partial<SqliteStoreOptions> = {}): Promise<Readonly<Record<string, unknown>>> {
  const all = [path, `${path}-wal`].filter((file) => existsSync(file))
  const before = all.map((file) => readFileSync(file))
  const fault = await open(path, more).then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(isFault(fault, code), `expected ${code}, got ${String(fault)}`)
  for (const [at, file] of all.entries()) assert.deepEqual(readFileSync(file), before[at], `${file} is as it was`)
  return fault.data
}

/** A store with two events and a row, closed. */
async function made(path = fresh()): Promise<string> {
  const store = await open(path)
  const desk = deskFor(store, { ms: 0 })
  await desk.done({ appends: [append('a', {}, ['s']), append('b')], puts: [put('x', '1')] })
  await store.close()
  return path
}

/** The same, as it stands when its process is killed: all of it is in the WAL. */
async function killed(groups: number): Promise<string> {
  const path = await made()
  const copy = fresh()
  const store = await open(path)
  const desk = deskFor(store, { ms: 0 })
  for (let group = 0; group < groups; group++) await desk.done({ id: `group ${group}`, appends: [append(`g${group}`)] })
  for (const end of ['', '-wal', '-lock']) copyFileSync(`${path}${end}`, `${copy}${end}`)
  await store.close()
  return copy
}

test('given a store that is open, when it is opened again, then the fault names the process, and once it is closed it opens', async () => {
  const path = await made()
  const store = await open(path)
  const data = await refuses(path, 'STORE_HELD')
  assert.equal(data['pid'], process.pid)
  await store.close()
  await (await open(path)).close()
})

test('given a store that another process holds, when that is killed, then the store opens', async () => {
  const path = fresh()
  const text = `import { sqliteStore } from ${JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)}
    await sqliteStore({ path: ${JSON.stringify(path)}, nowMs: Date.now, monotonicMs: Date.now, soon: setImmediate, random: Math.random })
    console.log('open'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  assert.equal((await refuses(path, 'STORE_HELD'))['pid'], child.pid)
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
  await (await open(path)).close()
})

test('given a file that is no store, when it is opened, then it is refused and nothing is left beside it', async () => {
  const text = fresh()
  writeFileSync(text, 'Dear diary, today I was not a database. '.repeat(10))
  await refuses(text, 'STORE_NOT_OURS')
  const other = fresh()
  const db = new DatabaseSync(other)
  db.exec('create table t (x); insert into t values (1)')
  db.close()
  await refuses(other, 'STORE_NOT_OURS')
  assert.deepEqual([existsSync(`${text}-lock`), existsSync(`${other}-lock`)], [false, false])
})

test('given a store of a newer version, when it is opened, then it is refused', async () => {
  const path = await made()
  const db = new DatabaseSync(path)
  db.exec(`pragma user_version = ${format + 1}`)
  db.close()
  assert.equal((await refuses(path, 'STORE_NEWER'))['format'], format + 1)
})

test('given a version of SQLite, when a store is opened, then it is refused below 3.51.3', async () => {
  for (const version of ['3.51.2', '3.50.9', '2.99.99', undefined]) {
    assert.throws(
      () => mustBeNewEnough(version),
      (error) => isFault(error, 'STORE_SQLITE_OLD'),
    )
  }
  for (const version of ['3.51.3', '3.52.0', '3.100.0', '4.0.0']) mustBeNewEnough(version)
  await refuses(await made(), 'STORE_SQLITE_OLD', { sqliteVersion: '3.51.2' })
})

test('given a file system that cannot lock, when a store is opened, then it is refused', async () => {
  const openDatabase: typeof openDatabaseSync = (path, options) => {
    const db = openDatabaseSync(path, options)
    if (path.endsWith('-lock')) db.exec = () => { throw Object.assign(new Error('disk I/O error'), { errcode: 3_850 }) } // prettier-ignore
    return db
  }
  await refuses(await made(), 'STORE_CANNOT_LOCK', { openDatabase })
})

test('given a store of an older format, when it is opened, then it is copied first and brought up', async () => {
  const path = await made()
  const before = readFileSync(path)
  const upgrades = new Map([[format, (db: DatabaseSync) => db.exec('create table added (x)')]])
  const store = await open(path, { format: format + 1, upgrades })
  assert.deepEqual(ids(await deskFor(store, { ms: 0 }).all()), ['a', 'b'])
  await store.close()
  assert.deepEqual(readFileSync(`${path}.v${format}.bak`), before)
  await refuses(path, 'STORE_NEWER')
  await (await open(path, { format: format + 1, upgrades })).close()
})

test('given an upgrade that fails, when a store is opened, then it is what it was', async () => {
  const path = await made()
  const upgrades = new Map([[format, (db: DatabaseSync) => (db.exec('create table half (x)'), db.exec('no SQL'))]])
  await refuses(path, 'STORE_FAILED', { format: format + 1, upgrades })
  await (await open(path)).close()
})

test('given a store that moved, or went back, when it is opened, then it is another life, once', async () => {
  const path = await made()
  const lives = new Set<string>()
  const life = async (file: string): Promise<string> => {
    const store = await open(file)
    await store.close()
    return store.incarnation
  }
  lives.add(await life(path))
  lives.add(await life(path))
  assert.equal(lives.size, 1)
  const backup = fresh()
  copyFileSync(path, backup)
  const desk = deskFor(await open(path), { ms: 0 })
  await desk.done({ appends: [append('c')] })
  await desk.store.close()
  copyFileSync(backup, path)
  lives.add(await life(path))
  assert.equal(lives.size, 2)
  lives.add(await life(path))
  assert.equal(lives.size, 2)
  lives.add(await life(backup))
  assert.equal(lives.size, 3)
})

test('given a store made with four lanes, when it is opened with another count, then it keeps its four', async () => {
  const path = fresh()
  await (await open(path, { lanes: 4 })).close()
  const store = await open(path, { lanes: 1 })
  assert.equal(store.limits.lanes.length, 4)
  await store.close()
})

test('given a flipped byte anywhere in the file, when it is opened, then it is refused as it was, or it opens', async () => {
  const path = await made()
  const whole = readFileSync(path)
  const lock = readFileSync(`${path}-lock`)
  const places = [...Array(100).keys(), ...Array.from({ length: 400 }, (_, at) => Math.floor((at * whole.length) / 400))]
  const outcomes = { refused: 0, opened: 0 }
  for (const at of places) {
    const flipped = Buffer.from(whole)
    flipped[at] = (flipped[at] ?? 0) ^ 0x5a
    writeFileSync(path, flipped)
    writeFileSync(`${path}-lock`, lock)
    for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
    const store = await open(path).catch((error: unknown) => {
      assert.ok(isFault(error) && /^STORE_(CORRUPT|NOT_OURS|NEWER|FAILED)$/.test(error.code), `byte ${at}: ${String(error)}`)
      assert.deepEqual(readFileSync(path), flipped, `byte ${at}: the file is as it was`)
      return undefined
    })
    outcomes[store === undefined ? 'refused' : 'opened']++
    await store?.close()
  }
  assert.ok(outcomes.refused > 20 && outcomes.opened > 20, JSON.stringify(outcomes))
})

for (const at of [16, 17, 18, 19, 20, 21, 22, 23, 44, 45, 46, 47, 56, 57, 58, 59]) {
  test(`given byte ${at} of the header flipped, when the store is opened, then it is named, and the file is as it was`, async () => {
    const path = await made()
    const flipped = readFileSync(path)
    flipped[at] = (flipped[at] ?? 0) ^ 0x15
    writeFileSync(path, flipped)
    await assert.rejects(open(path), new RegExp(`STORE_CORRUPT.*byte ${at} `))
    assert.deepEqual(readFileSync(path), flipped)
  })
}

test('given a path to a folder, or into one that is not there, when it is opened, then it says so, and that it stays so', async () => {
  const folder = dirname(fresh())
  await assert.rejects(open(folder), /STORE_UNOPENED/)
  await assert.rejects(open(join(folder, 'nowhere', 'shop.db')), /STORE_UNOPENED.*nowhere/)
})

test('given a byte of the WAL that was flipped after its flush, when the store is opened, then it is refused as it was', async () => {
  const path = await killed(5)
  const wal = readFileSync(`${path}-wal`)
  for (const at of [1, 20, 27, 40, 100, 3_000, 9_000]) {
    const flipped = Buffer.from(wal)
    flipped[at] = (flipped[at] ?? 0) ^ 0x5a
    writeFileSync(`${path}-wal`, flipped)
    rmSync(`${path}-shm`, { force: true })
    await refuses(path, 'STORE_CORRUPT')
  }
})

test('given a WAL whose last commit was torn, when the store is opened, then all that came before is there', async () => {
  const path = await killed(5)
  const wal = readFileSync(`${path}-wal`)
  writeFileSync(`${path}-wal`, wal.subarray(0, wal.length - 700))
  const store = await open(path)
  assert.deepEqual(ids(await deskFor(store, { ms: 0 }).all()), ['a', 'b', 'g0', 'g1', 'g2', 'g3'])
  await store.close()
})

test('given a creation cut off before its journal went, when the file is opened, then it is rolled back, and made afresh', async () => {
  const path = fresh()
  const db = openDatabaseSync(path, { readOnly: false })
  create(db, 'cut off', 1)
  db.close()
  // The head of a rollback journal over a file that had no page before.
  const journal = Buffer.alloc(512)
  journal.set(Buffer.from('d9d505f920a163d7', 'hex'))
  journal.writeUInt32BE(512, 20)
  journal.writeUInt32BE(4096, 24)
  writeFileSync(`${path}-journal`, journal)
  const store = await open(path)
  await store.close()
  assert.ok(!existsSync(`${path}-journal`))
  const left = openDatabaseSync(path, { readOnly: true })
  assert.notEqual(left.prepare("select value from store where name = 'incarnation'").get()?.['value'], 'cut off')
  left.close()
})
