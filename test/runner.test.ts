/** The runner of the tests: what it says last, and what it does with a file that never ends. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { root } from './house/source.ts'

const place = mkdtempSync(join(tmpdir(), 'millrace-runner-'))
after(() => rmSync(place, { recursive: true }))

test('given tests that pass, when they are run, then the share of the budget is said, and the last lines are those of Node', () => {
  const { code, lines } = run('passes', "test('a', () => {})", ['--budget=100'])
  assert.equal(code, 0)
  assert.ok(lines.some((line) => /time: .* % of the budget of 100 s/.test(line)))
  assert.match(lines.at(-1) ?? '', /duration_ms/)
  assert.deepEqual(
    lines.slice(-8).map((line) => line.split(' ')[1]),
    ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo', 'duration_ms'],
  )
})

test('given a test that fails, a file that cannot be loaded and a loop without end, when they are run, then each is red by name', () => {
  for (const [name, text] of [
    ['fails', "test('a', () => { throw new Error('no') })"],
    ['breaks', "import './nowhere.ts'"],
    ['loops', "test('a', () => { for (;;); })"],
  ] as const) {
    const { code, lines } = run(name, text, ['--file-seconds=1'])
    assert.equal(code, 1, name)
    assert.ok(lines.some((line) => line.startsWith('✖') || line.includes(`${name}.test.ts`)))
  }
})

test('given a share that does not exist, when it is asked for, then that is red too', () => {
  assert.equal(spawnSync(process.execPath, ['scripts/test.ts', '--only=nothing'], { cwd: root }).status, 1)
})

function run(name: string, text: string, flags: readonly string[]): { code: number | null; lines: readonly string[] } {
  const file = join(place, `${name}.test.ts`)
  writeFileSync(file, `import { test } from 'node:test'\n${text}\n`)
  const env = { ...process.env }
  delete env['NODE_TEST_CONTEXT']
  const { status, stdout } = spawnSync(process.execPath, ['scripts/test.ts', ...flags, file], {
    cwd: root,
    env,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { code: status, lines: stdout.trim().split('\n') }
}
