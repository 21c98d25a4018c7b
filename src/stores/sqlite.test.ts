/** SQLite keeps the contract of a store, with one lane and with four, however it flushes. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Store } from '../ports/store.ts'
import { storeContract } from '../testing/store-contract.ts'
import { sqliteStore } from './sqlite.ts'

// What is asked here survives no power cut, so the disk need not be a slow one.
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millrace-sqlite-'))
after(() => rmSync(folder, { recursive: true }))

let files = 0
const given = { monotonicMs: () => performance.now(), soon: (run: () => void) => process.nextTick(run), random: Math.random }

for (const lanes of [1, 4]) {
  for (const flush of ['inline', 'pool', 'auto'] as const) {
    const paths = new WeakMap<Store, string>()
    const open = async (path: string, nowMs: () => number): Promise<Store> => {
      const store = await sqliteStore({ ...given, path, nowMs, lanes, flush })
      paths.set(store, path)
      return store
    }
    storeContract({
      name: `SQLite, ${lanes} lanes, flush ${flush}`,
      test,
      open: ({ nowMs }) => open(join(folder, `${++files}.db`), nowMs),
      reopen: (closed, { nowMs }) => open(paths.get(closed) ?? '', nowMs),
    })
  }
}

storeContract({
  name: 'SQLite in memory',
  test,
  open: ({ nowMs }) => sqliteStore({ ...given, path: ':memory:', nowMs, lanes: 4 }),
  reopen: undefined,
})
