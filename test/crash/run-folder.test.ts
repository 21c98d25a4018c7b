import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { runFolder } from './run-folder.ts'

test('given a run with a complaint, when it is over, then its folder is gone, and what proves it is kept where it was said', () => {
  const run = runFolder('tried')
  const names = ['a', 'b', 'c', 'd']
  for (const name of names) writeFileSync(join(run.path, name), name)
  const kept = names.map((name) => run.keep(join(run.path, name)))
  run[Symbol.dispose]()
  try {
    assert.equal(existsSync(run.path), false)
    assert.equal(readFileSync(kept[0] ?? '', 'utf8'), 'a')
    assert.equal(dirname(dirname(kept[0] ?? '')), tmpdir())
    assert.match(kept[3] ?? '', /^not kept/)
  } finally {
    rmSync(dirname(kept[0] ?? ''), { recursive: true })
  }
})

test('given a run without complaint, or one that breaks off, when its process ends, then nothing of it is left', () => {
  const base = mkdtempSync(join(tmpdir(), 'millrace-base-'))
  const text = `import { runFolder } from ${JSON.stringify(join(import.meta.dirname, 'run-folder.ts'))}
    runFolder('broken', ${JSON.stringify(base)})
    throw new Error('broken off')`
  const ended = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', text], { encoding: 'utf8' })
  assert.match(ended.stderr, /broken off/)
  assert.deepEqual(readdirSync(base), [])
  rmSync(base, { recursive: true })
})
