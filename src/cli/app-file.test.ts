import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { isFault } from '../kit/fault.ts'
import { loadApp } from './app-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'app-file-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

async function refused(path: string): Promise<string> {
  try {
    await loadApp(path)
  } catch (error) {
    assert.ok(isFault(error, 'APP_FILE_INVALID'), String(error))
    return error.message
  }
  throw new Error('it was taken')
}

const app = (name: string): string => `{ kind: 'app', name: '${name}', words: [] }`

test('given a file that exports apps, when it is loaded, then the only one is taken, or the one that has a usual name', async () => {
  assert.equal((await loadApp(file('one.ts', `export const other: number = 1\nexport const shop = ${app('shop')}`))).name, 'shop')
  assert.equal((await loadApp(file('same.ts', `export const shop = ${app('shop')}\nexport { shop as app }`))).name, 'shop')
  assert.equal((await loadApp(file('usual.ts', `export const a = ${app('a')}\nexport const app = ${app('b')}`))).name, 'b')
})

test('given a file without one app, when it is loaded, then the fault lists what it exports, or where it breaks', async () => {
  assert.match(await refused(file('two.ts', `export const a = ${app('a')}\nexport const b = ${app('b')}`)), /exports 2 apps: a, b/)
  assert.match(await refused(file('none.ts', 'export const a = 1, b = 2')), /exports no app, but a, b/)
  assert.match(await refused(join(folder, 'gone.ts')), /does not exist/)
  assert.match(await refused(file('throws.ts', "const a = 1\nthrow new Error('too early')")), /too early \(.*throws\.ts:2/)
  assert.match(await refused(file('breaks.ts', 'const a: number = (')), /Expression expected \(.*breaks\.ts:1\)/)
  assert.match(await refused(file('breaks.mjs', 'const a = (')), /Unexpected end of input; node --check .*breaks\.mjs may show where/)
})
