/**
 * A disk without room, under a running app: what was acknowledged stays, and all goes on once there is room. It is full
 * by the store's own count of pages everywhere,
 * and really full in the folder that `MILLRACE_FULL_DISK` names: a file system of a few megabytes.
 */
import assert from 'node:assert/strict'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, test } from 'node:test'
import { nodeEnvironment } from '../../src/hosts/node-environment.ts'
import { isFault } from '../../src/kit/fault.ts'
import type { Store } from '../../src/ports/store.ts'
import type { FlushMode } from '../../src/stores/sqlite-flush.ts'
import { openDatabaseSync } from '../../src/stores/sqlite-open.ts'
import { sqliteStore, type SqliteStoreOptions } from '../../src/stores/sqlite.ts'
import { type CountingRun, runCounting, settleAll } from './counting-run.ts'
import { judge } from './judge.ts'
import { snapshotOf } from './store-snapshot.ts'

interface SmallDisk {
  readonly path: string
  readonly openDatabase?: SqliteStoreOptions['openDatabase']
  /** Leaves room for so many bytes more. */
  leave(bytes: number): void
  room(): void
}

const loops = 6
const textBytes = 6_000
const patienceMs = 20_000
const small = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millrace-full-'))
after(() => rmSync(small, { recursive: true }))
/** What a test that fails has left open would keep the process from its end. */
const left = new Set<OpenedApp>()
afterEach(async () => {
  for (const opened of left) await close(opened)
})
let places = 0

const disks: Record<string, () => SmallDisk> = { 'of few pages': diskOfPages }
const fullDisk = process.env['MILLRACE_FULL_DISK']
if (fullDisk !== undefined) disks['that is really full'] = () => realDisk(fullDisk)

for (const [name, makeDisk] of Object.entries(disks)) {
  for (const flush of ['inline', 'pool'] as const) {
    test(`given a disk ${name}, flush ${flush}, when an app fills it, then publishes reject, and with room all goes on`, async () => {
      const disk = makeDisk()
      const opened = await open(disk, flush)
      disk.leave(1_500_000)
      const acknowledged = await publishUntilFull(opened.running, 0)
      assert.deepEqual(look(disk, acknowledged, false), [])
      disk.room()
      await publishOn(opened.running, acknowledged, 0, 3)
      assert.ok(await settleAll(opened.db, patienceMs), 'not everything was done with')
      assert.deepEqual(look(disk, acknowledged, true), [])
      await close(opened)
      await goesOn(disk, flush, acknowledged)
    })
  }
}

if (fullDisk !== undefined) {
  for (const flush of ['inline', 'pool'] as const) {
    test(`given a disk that is full, flush ${flush}, when the app stops on it and starts again, then nothing is lost`, async () => {
      const disk = realDisk(fullDisk)
      const opened = await open(disk, flush)
      disk.leave(1_500_000)
      const acknowledged = await publishUntilFull(opened.running, 0)
      await close(opened)
      assert.deepEqual(look(disk, acknowledged, false), [])
      disk.leave(0)
      const again = await open(disk, flush).catch((error: unknown) => {
        assert.ok(isFault(error, 'STORE_FULL'), String(error))
        return undefined
      })
      if (again !== undefined) await close(again)
      disk.room()
      await goesOn(disk, flush, acknowledged)
    })

    test(`given a disk that is full, flush ${flush}, when the WAL is written back, then that fails, and nothing is lost`, async () => {
      const disk = realDisk(fullDisk)
      const opened = await open(disk, flush)
      const acknowledged = Array.from({ length: loops }, () => -1)
      await publishOn(opened.running, acknowledged, 0, 25)
      disk.leave(0)
      const other = new DatabaseSync(disk.path)
      assert.throws(() => other.exec('pragma wal_checkpoint(passive)'), /full|disk I\/O error/)
      other.close()
      disk.room()
      await publishOn(opened.running, acknowledged, 0, 3)
      assert.ok(await settleAll(opened.db, patienceMs), 'not everything was done with')
      assert.deepEqual(look(disk, acknowledged, true), [])
      await close(opened)
      await goesOn(disk, flush, acknowledged)
    })
  }
}

interface OpenedApp {
  readonly store: Store
  readonly running: CountingRun
  readonly db: DatabaseSync
}

async function open({ path, openDatabase }: SmallDisk, flush: FlushMode): Promise<OpenedApp> {
  const { nowMs, monotonicMs, random, soon } = nodeEnvironment
  const store = await sqliteStore({
    path,
    flush,
    nowMs,
    monotonicMs,
    random,
    soon,
    ...(openDatabase === undefined ? {} : { openDatabase }),
  })
  try {
    const opened: OpenedApp = { store, running: await runCounting(store, textBytes), db: openDatabaseSync(path, { readOnly: true }) }
    left.add(opened)
    return opened
  } catch (error) {
    await store.close()
    throw error
  }
}

async function close(opened: OpenedApp): Promise<void> {
  const { store, running, db } = opened
  left.delete(opened)
  db.close()
  await running.stop()
  await store.close()
}

/** What each loop has had acknowledged when it was refused often enough. */
async function publishUntilFull(running: CountingRun, life: number): Promise<number[]> {
  let refused = 0
  const loop = async (number: number): Promise<number> => {
    for (let n = 0, tries = 0; ;) {
      try {
        await running.publish(life, number, n)
        n += 1
        tries = 0
      } catch (error) {
        assert.ok(isFault(error, 'STORE_FULL'), String(error))
        refused += 1
        tries += 1
        if (tries > 3) return n - 1
      }
    }
  }
  const acknowledged = await Promise.all(Array.from({ length: loops }, (_, number) => loop(number)))
  assert.ok(refused > loops && acknowledged.some((n) => n > 5), `${refused} refused, acknowledged ${acknowledged.join()}`)
  return acknowledged
}

async function publishOn(running: CountingRun, acknowledged: number[], life: number, more: number): Promise<void> {
  const loop = async (number: number): Promise<void> => {
    for (let count = 0; count < more; count++) {
      const n = (acknowledged[number] ?? -1) + 1
      await running.publish(life, number, n)
      acknowledged[number] = n
    }
  }
  await Promise.all(Array.from({ length: loops }, (_, number) => loop(number)))
}

/** Opened again, with room, it finds all of it. */
async function goesOn(disk: SmallDisk, flush: FlushMode, acknowledged: readonly number[]): Promise<void> {
  const opened = await open(disk, flush)
  await opened.running.publish(1, 0, 0)
  assert.ok(await settleAll(opened.db, patienceMs), 'not everything was done with')
  await close(opened)
  const lives = [acknowledged, Array.from({ length: loops }, (_, loop) => (loop === 0 ? 0 : -1))]
  const db = openDatabaseSync(disk.path, { readOnly: true })
  assert.deepEqual(judge(snapshotOf(db), { acknowledged: lives, textBytes, complete: true }), [])
  assert.equal(db.prepare('pragma integrity_check').get()?.['integrity_check'], 'ok')
  db.close()
}

function look({ path }: SmallDisk, acknowledged: readonly number[], complete: boolean): readonly string[] {
  const db = openDatabaseSync(path, { readOnly: true })
  try {
    return judge(snapshotOf(db), { acknowledged: [acknowledged], textBytes, complete })
  } finally {
    db.close()
  }
}

function diskOfPages(): SmallDisk {
  const path = join(small, `${++places}.db`)
  let db: DatabaseSync | undefined
  const openDatabase: SqliteStoreOptions['openDatabase'] = (file, options) => {
    const opened = openDatabaseSync(file, options)
    if (file === path && !options.readOnly) db = opened
    return opened
  }
  const limit = (pages: number): void => db?.exec(`pragma max_page_count = ${pages}`)
  return { path, openDatabase, leave: (bytes) => limit(20 + Math.ceil(bytes / 4_096)), room: () => limit(1_000_000) }
}

/** A ballast takes the room that is not to be left. */
function realDisk(folder: string): SmallDisk {
  const place = join(folder, `${++places}`)
  for (let before = 1; before < places; before++) rmSync(join(folder, `${before}`), { recursive: true, force: true })
  mkdirSync(place)
  const ballast = join(place, 'ballast')
  const leave = (bytes: number): void => {
    const file = openSync(ballast, 'a')
    const zeros = Buffer.alloc(4_096)
    try {
      while (free(folder) > bytes) writeSync(file, zeros)
    } catch (error) {
      assert.match(String(error), /ENOSPC/)
    } finally {
      closeSync(file)
    }
  }
  return { path: join(place, 'store.db'), leave, room: () => rmSync(ballast, { force: true }) }
}

function free(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
