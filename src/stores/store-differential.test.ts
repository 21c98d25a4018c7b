/**
 * Random calls on the store in memory and on SQLite: equal answers at every step. `MILLRACE_DIFFERENTIAL` says how many,
 * `MILLRACE_SEED` from which seed.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { storeDifferential } from '../testing/store-differential.ts'
import { memoryStore } from './memory.ts'
import { sqliteStore } from './sqlite.ts'

const calls = Number(process.env['MILLRACE_DIFFERENTIAL'] ?? 100_000)
const seed = Number(process.env['MILLRACE_SEED'] ?? 1)
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millrace-differential-'))
after(() => rmSync(folder, { recursive: true }))

const given = { monotonicMs: () => performance.now(), soon: (run: () => void) => process.nextTick(run), random: Math.random }
const flushes = ['inline', 'pool', 'auto', 'pool'] as const
const share = Math.ceil(calls / flushes.length)

for (const [at, flush] of flushes.entries()) {
  test(`given seed ${seed + at}, when ${share} calls are made of both stores (flush ${flush}), then they answer the same`, async () => {
    const clock = { ms: 1_000_000 }
    const nowMs = (): number => clock.ms
    const right = await sqliteStore({ ...given, path: join(folder, `${at}.db`), nowMs, lanes: 4, flush })
    const left = memoryStore({ nowMs, lanes: 4, incarnation: 'memory' })
    const seen = await storeDifferential({ left, right, seed: seed + at, calls: share, clock })
    assert.ok(seen.size > 0)
    await right.close()
  })
}
