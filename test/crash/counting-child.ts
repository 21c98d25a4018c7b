/** One life of the counting app: it publishes, says each acknowledgement and each start of a handler at once, and is killed or ends. */
import { fdatasync, writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import type { DatabaseSync } from 'node:sqlite'
import { start } from '../../src/entry/start.ts'
import { nodeEnvironment } from '../../src/hosts/node-environment.ts'
import { openDatabaseSync } from '../../src/stores/sqlite-open.ts'
import { sqliteStore, type SqliteStoreOptions } from '../../src/stores/sqlite.ts'
import { counted, countingApp, headOf, isSettled, type Life, publishOf } from './counting-app.ts'
import { type CountingRun, runCounting, settleAll } from './counting-run.ts'

const life = JSON.parse(process.argv[2] ?? '') as Life

/** So long before its flush what is planted `early` acknowledges. */
const earlyMs = 3

await live()

async function live(): Promise<void> {
  const opened = await open()
  if (life.life === 0) flushCompileCache()
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

async function publishAll(running: CountingRun, loop: number): Promise<void> {
  const again = life.again[loop]
  if (again !== undefined) await publish(running, life.life - 1, loop, again)
  for (let n = 0; life.publishes === 0 || n < life.publishes; n++) await publish(running, life.life, loop, n)
}

async function publish(running: CountingRun, of: number, loop: number, n: number): Promise<void> {
  await running.publish(of, loop, n)
  say(`a ${of} ${loop} ${n}`)
}

/** Until all that was there up to `head` has been done with. */
async function settle(db: DatabaseSync, head: number): Promise<void> {
  while (!isSettled(db, head)) await nodeEnvironment.wait(5)
}

/** As whoever uses it starts it; where something is planted, by hand. */
async function open(): Promise<CountingRun> {
  const { path, flush, lanes, planted, textBytes } = life
  if (planted !== undefined) return openPlanted(planted)
  const log = { debug: () => {}, info: () => {}, warn: complain, error: complain }
  const running = await start(countingApp(started), { store: path, flush, lanes, log })
  const publishFacts = async (of: number, loop: number, n: number): Promise<void> => {
    const { id, facts } = publishOf(of, loop, n, textBytes)
    await running.publish(
      facts.map((fact) => counted(fact)),
      { id },
    )
  }
  return { publish: publishFacts, stop: () => running.stop() }
}

async function openPlanted(planted: 'never' | 'early'): Promise<CountingRun> {
  const { path, flush, lanes, textBytes } = life
  const { nowMs, monotonicMs, random, soon } = nodeEnvironment
  const store = await sqliteStore({ path, flush, lanes, nowMs, monotonicMs, random, soon, ...plant(planted, flush) })
  const running = await runCounting(store, textBytes, started)
  const stop = async (): Promise<void> => {
    await running.stop()
    await store.close()
  }
  return { ...running, stop }
}

function plant(planted: 'never' | 'early', flush: string): Partial<SqliteStoreOptions> {
  if (planted === 'never' && flush === 'inline') return { openDatabase: withoutFull }
  if (planted === 'never') return { sync: (_, done) => done(null) }
  return {
    sync: (file, done) => {
      done(null)
      setTimeout(() => fdatasync(file, () => {}), earlyMs)
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

function started(who: string, event: string): void {
  say(`s ${who} ${event}`)
}

function complain(message: string): void {
  // A retry is what the moody function is for.
  if (!message.includes('not in the mood')) say(`e ${message.replaceAll('\n', ' ')}`)
}

function say(line: string): void {
  writeSync(1, `${line}\n`)
}
