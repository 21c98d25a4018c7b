/** When the WAL is written back, and when commits have to wait for it. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { Checkpoints } from './checkpoints.ts'

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millrace-checkpoints-'))
after(() => rmSync(folder, { recursive: true }))

test('given passes that do not keep up, when the WAL comes near its end, then commits wait, until the last pass is done', async () => {
  const db = new DatabaseSync(join(folder, 'a.db'))
  db.exec('pragma journal_mode = wal; pragma synchronous = off; pragma wal_autocheckpoint = 0; create table t (x)')
  const insert = db.prepare('insert into t values (zeroblob(1048576))')
  const passes: (() => void)[] = []
  const held = { is: false, times: 0 }
  const checkpoints = new Checkpoints({
    db,
    thread: {
      pass: () =>
        new Promise((resolve) =>
          passes.push(() => {
            const row = db.prepare('pragma wal_checkpoint(passive)').get()
            resolve({ log: Number(row?.['log']), done: Number(row?.['checkpointed']) })
          }),
        ),
    },
    hold: async () => {
      held.is = true
      held.times++
    },
    release: () => (held.is = false),
  })
  let written = 0
  for (; written < 100 && !held.is; written++) {
    insert.run()
    checkpoints.wrote(1_048_576)
  }
  assert.ok(written > 50 && written < 64, `held after ${written} MB`)
  assert.equal(passes.length, 1)
  passes.shift()?.()
  while (passes[0] === undefined) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(held.is, true)
  passes.shift()?.()
  await checkpoints.idle()
  assert.equal(held.is, false)
  insert.run()
  checkpoints.wrote(1_048_576)
  assert.equal(passes.length, 0)
  db.close()
})
