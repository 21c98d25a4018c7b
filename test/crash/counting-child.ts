/** One life of the counting app: it publishes, says each acknowledgement and each start of a handler at once, and is killed or ends. */
import { fdatasync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { start } from '../../src/entry/start.ts'
import { nodeEnvironment } from '../../src/hosts/node-environment.ts'
import { startRuntime } from '../../src/runtime/runtime.ts'
import { openDatabaseSync } from '../../src/stores/sqlite-open.ts'
import { sqliteStore, type SqliteStoreOptions } from '../../src/stores/sqlite.ts'
import { counted, countingApp, headOf, isSettled, type Life, publishOf } from './counting-app.ts'

interface Opened {
  publish: Awaited<ReturnType<typeof start>>['publish']
  stop(): Promise<void>
}

const life = JSON.parse(process.argv[2] ?? '') as Life

await live()

async function live(): Promise<void> {
  const opened = await open()
  const db = openDatabaseSync(life.path, { readOnly: true })
  const before = headOf(db)
  const loops = Promise.all(Array.from({ length: life.loops }, (_, loop) => publishAll(opened, loop)))
  await settle(db, before)
  if (life.saysReady === true) writeSync(3, 'r')
  await loops
  await settleAll(db)
  db.close()
  say('d')
  if (life.abrupt === true) process.kill(process.pid, 'SIGKILL')
  await opened.stop()
}

async function publishAll(opened: Opened, loop: number): Promise<void> {
  const again = life.again[loop]
  if (again !== undefined) await publish(opened, life.life - 1, loop, again)
  for (let n = 0; life.publishes === 0 || n < life.publishes; n++) await publish(opened, life.life, loop, n)
}

async function publish(opened: Opened, of: number, loop: number, n: number): Promise<void> {
  const { id, facts } = publishOf(of, loop, n, life.textBytes)
  await opened.publish(facts.map((fact) => counted(fact)), { id })
  say(`a ${of} ${loop} ${n}`)
}

/** Until all that was there up to `head` has been done with. */
async function settle(db: DatabaseSync, head: number): Promise<void> {
  while (!isSettled(db, head)) await nodeEnvironment.wait(5)
}

/** What the last events caused too. */
async function settleAll(db: DatabaseSync): Promise<void> {
  for (let head = -1; head !== headOf(db); await settle(db, head)) head = headOf(db)
}

async function open(): Promise<Opened> {
  const app = countingApp((who, event) => say(`s ${who} ${event}`))
  const { path, flush, lanes, planted } = life
  const log = { debug: () => {}, info: () => {}, warn: complain, error: complain }
  if (planted === undefined) return start(app, { store: path, flush, lanes, log })
  const { nowMs, monotonicMs, random, soon } = nodeEnvironment
  const store = await sqliteStore({ path, flush, lanes, nowMs, monotonicMs, random, soon, ...fault(planted, flush) })
  const telemetry = { count: () => {}, record: () => {}, span: <T>(_: string, __: unknown, run: () => T) => run(), log: () => {} }
  const runtime = await startRuntime(app, { store, environment: nodeEnvironment, telemetry })
  const stop = async (): Promise<void> => {
    await runtime.stop()
    await store.close()
  }
  return { publish: runtime.serving(new AbortController().signal).publish, stop }
}

function fault(planted: 'never' | 'early', flush: string): Partial<SqliteStoreOptions> {
  if (planted === 'never' && flush === 'inline') return { openDatabase: withoutFull }
  if (planted === 'never') return { sync: (_, done) => done(null) }
  return {
    sync: (file, done) => {
      done(null)
      fdatasync(file, () => {})
    },
  }
}

/** A connection that does not flush what it commits. */
function withoutFull(path: string, options: { readonly readOnly: boolean }): DatabaseSync {
  const db = openDatabaseSync(path, options)
  const exec = db.exec.bind(db)
  db.exec = (text) => exec(path === life.path ? text.replaceAll(/synchronous = full/gi, 'synchronous = normal') : text)
  return db
}

function complain(message: string): void {
  // A retry is what the moody function is for.
  if (!message.includes('not in the mood')) say(`e ${message.replaceAll('\n', ' ')}`)
}

function say(line: string): void {
  writeSync(1, `${line}\n`)
}
