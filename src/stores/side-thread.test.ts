/**
 * The thread beside the main one: the WAL stays short under load, nothing is lost by it, and a blocked event loop is named while it is
 * blocked.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { append, deskFor } from '../testing/store-contract-facts.ts'
import { blockedLine } from './loop-watch.ts'
import { sqliteStore } from './sqlite.ts'

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millrace-side-'))
after(() => rmSync(folder, { recursive: true }))

const given = {
  nowMs: () => 1,
  monotonicMs: () => performance.now(),
  soon: (run: () => void) => process.nextTick(run),
  random: Math.random,
}

test('given much more than the WAL may hold, when it is written, then the WAL stays below 64 MB, and everything is there', async () => {
  for (const flush of ['inline', 'pool'] as const) {
    const path = join(folder, `${flush}.db`)
    const store = await sqliteStore({ ...given, path, flush })
    const desk = deskFor(store, { ms: 1 })
    const data = JSON.stringify('x'.repeat(3_000))
    let largest = 0
    for (let round = 0; round < 600; round++) {
      await Promise.all(Array.from({ length: 50 }, (_, n) => desk.done({ appends: [append(`e${round}-${n}`, { data })] })))
      largest = Math.max(largest, statSync(`${path}-wal`).size)
    }
    assert.ok(largest < 64 * 1_048_576, `${flush}: ${largest} bytes`)
    await store.close()
    assert.equal(existsSync(`${path}-wal`), false)
    const again = await sqliteStore({ ...given, path })
    const found = await again.read([{ of: 'lane', name: again.limits.lanes[0]?.name ?? '', after: '' }], {
      events: 100_000,
      bytes: 1_000_000_000,
    })
    assert.equal(found[0]?.events.length, 30_000)
    await again.close()
    rmSync(path)
  }
})

test('given a handler that blocks the event loop, when it has done so for too long, then it is named while it still does', async () => {
  const text = `import { sqliteStore } from ${JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)}
    const store = await sqliteStore({ path: ${JSON.stringify(join(folder, 'blocked.db'))}, blockedMs: 200,
      nowMs: Date.now, monotonicMs: Date.now, soon: setImmediate, random: Math.random })
    store.watch.during('charge-card', () => { for (;;); })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'inherit', 'pipe'] })
  const said = await new Promise<string>((resolve) => child.stderr.once('data', (bytes: Buffer) => resolve(bytes.toString())))
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exited
  const line: unknown = JSON.parse(said)
  assert.ok(typeof line === 'object' && line !== null && 'in' in line && 'message' in line)
  assert.equal(line.in, 'charge-card')
  assert.match(String(line.message), /^the event loop has been blocked for \d+ ms, in charge-card$/)
  assert.deepEqual(Object.keys(line).slice(0, 3), ['time', 'level', 'message'])
  assert.ok('time' in line && Math.abs(Date.parse(String(line.time)) - Date.now()) < 60_000)
})

test('given a blocked loop, when it is told, then on a terminal the line reads as every other of the log', () => {
  const blocked = { forMs: 1_000.4, inside: '', last: 'charge-card' }
  assert.equal(
    blockedLine(blocked, { form: 'text', colours: false, nowMs: () => 0 }),
    '00:00:00.000 error the event loop has been blocked for 1000 ms, in nothing that is known; the last was charge-card' +
      '  blockedMs=1000 in=charge-card',
  )
})

test('given a store that runs nothing, when nobody waits for it, then its process ends', async () => {
  const text = `import { sqliteStore } from ${JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)}
    const store = await sqliteStore({ path: ${JSON.stringify(join(folder, 'ends.db'))},
      nowMs: Date.now, monotonicMs: Date.now, soon: setImmediate, random: Math.random })
    console.log(store.watch.during('short', () => 'ran'))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'inherit'] })
  assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0)
})
