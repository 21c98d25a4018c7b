import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { start } from 'millrace'
import { shop } from './src/app.ts'

test('given a store that is held, when the shop starts, then it says who holds it and what to do, and ends with 1', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shop-'))
  const env = { PAYMENTS_URL: 'http://payments.invalid', WAREHOUSE_URL: 'http://warehouse.invalid' }
  const holding = await start(shop, { store: join(folder, 'shop.db'), env, log: false })
  try {
    const main = join(import.meta.dirname, 'src', 'main.ts')
    const child = spawn(process.execPath, [...process.execArgv, main, '--port', '0', '--data', folder], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NODE_TEST_CONTEXT: '' },
    })
    let said = ''
    child.stderr.on('data', (text) => (said += String(text)))
    const [code] = (await once(child, 'close')) as [number | null]
    assert.equal(code, 1)
    assert.match(said, new RegExp(`^STORE_HELD: .*process ${process.pid} on .*\\nStop the process that is named`, 'm'))
  } finally {
    await holding.stop()
    rmSync(folder, { recursive: true })
  }
})
