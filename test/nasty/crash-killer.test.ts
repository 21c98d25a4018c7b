/** An event that kills its process each time it runs, under a supervisor that starts it again. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { consumer, note, numberOf } from './consumer.ts'
import { happened, ids, Stage, type Here, type Life } from './stage.ts'

const child = fileURLToPath(new URL('aborting-child.ts', import.meta.url))

test('given an event that aborts its process, when a supervisor restarts it, then it alone parks, the rest is done once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-abort-'))
  try {
    let deaths = 0
    for (; deaths < 10; deaths += 1) {
      const ended = spawnSync(process.execPath, ['--conditions=millrace-source', child, join(folder, 'store.db')], {
        encoding: 'utf8',
        timeout: 60_000,
      })
      if (ended.status !== 0) {
        assert.equal(ended.signal, 'SIGABRT', ended.stderr)
        continue
      }
      const found = JSON.parse(ended.stdout) as { done: number; twice: string[]; parked: { key: string; code: string; count: number }[] }
      assert.deepEqual(found, { done: 98, twice: [], parked: [{ key: 'key 10', code: 'CRASHED_THRICE', count: 2 }] })
      assert.equal(deaths, 3)
      return
    }
    assert.fail(`it died ${deaths} times`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('given two events that kill their process, when it restarts, then both park in the end and nobody else does', async () => {
  const stage = await Stage.open('memory')
  let deaths = 0
  let life: Life | undefined
  const subscriptions = ({ environment }: Here) => [
    consumer({
      async run(turn) {
        await environment.wait(environment.random() * 5)
        if (numberOf(turn) === 10 || numberOf(turn) === 20) {
          life?.kill()
          deaths += 1
          await new Promise(() => {})
        }
        note(turn)
      },
    }),
  ]
  await stage.publish(Array.from({ length: 60 }, (_, n) => happened(n, `key ${n}`)))
  for (let start = 0; start < 20; start += 1) {
    const before = deaths
    life = await stage.life(subscriptions)
    if (!(await stage.until(() => deaths > before, 5_000))) break
    await stage.pass(1)
  }
  assert.deepEqual(
    [...(await stage.holds('f'))].map(([key, { state, error }]) => [key, state, error?.code]),
    [
      ['key 10', 'parked', 'CRASHED_THRICE'],
      ['key 20', 'parked', 'CRASHED_THRICE'],
    ],
  )
  assert.equal(stage.effects.length, 58)
  assert.equal(new Set(ids(stage.effects)).size, 58)
  assert.equal((await stage.rows('start', 'f/0-1023')).length, 0)
})
