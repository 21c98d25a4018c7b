/** What the guide on production says: an app on a file, its copy made while it runs, and the app again from the copy. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { start } from 'millrace'
import { inn } from '../../docs/snippets/inn.ts'
import { copyStore, run } from '../../docs/snippets/production.ts'
import { defaultSettings } from '../../src/flow/settings.ts'
import { storeLimits } from '../../src/stores/change-bounds.ts'
import { readPage, tableOf } from './pages.ts'

test('given a running app, when its store is copied and the copy is started elsewhere, then it has all that was acknowledged', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
  const file = (name: string): string => join(folder, name)
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((signal) => [signal, process.listeners(signal)] as const)
  try {
    const running = await run(file('inn.db'), 0)
    const visit = (name: string, key: string): Promise<number> =>
      fetch(`${running.url}/visits`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify({ name }),
      }).then(({ status }) => status)
    assert.deepEqual([await visit('ada', '1'), await visit('ada', '1'), await visit('bob', '2')], [202, 200, 202])
    await copyStore(file('inn.db'), file('copy.db'))
    await running.stop()
    await using again = await start(inn, { store: file('copy.db'), log: false })
    const repeat = new Request('http://localhost/visits', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': '2' },
      body: '{"name":"bob"}',
    })
    assert.equal((await again.fetch(repeat)).status, 200)
  } finally {
    for (const [signal, before] of listeners)
      for (const one of process.listeners(signal)) if (!before.includes(one)) process.off(signal, one)
    rmSync(folder, { recursive: true })
  }
})

test('given the settings of the guide, when they are compared with the code, then names and defaults are the same', () => {
  const said = tableOf(readPage('docs/guides/production.md'), 'setting').map(([name = '', value = '']) => [
    name,
    Number(value.replaceAll(',', '')),
  ])
  assert.deepEqual(said, Object.entries(defaultSettings))
})

test('given the limits of the SQLite store in the guide, when they are compared with the code, then they are the same', () => {
  const { items, bytes, rowBytes, keyBytes, eventBytes } = storeLimits(1, true)
  const said = tableOf(readPage('docs/guides/production.md'), 'limit').map(([name = '', value = '']) => [
    name,
    Number(value.replaceAll(',', '')),
  ])
  assert.deepEqual(said, Object.entries({ items, bytes, rowBytes, keyBytes, eventBytes }))
})
