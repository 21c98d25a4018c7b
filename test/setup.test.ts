/** The set-up of a fresh clone, with an npm of our own that writes down what it was asked for. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { meets, readLine, whatToInstall } from '../scripts/setup.mjs'
import { root } from './house/source.ts'

const places: string[] = []
after(() => places.forEach((place) => rmSync(place, { recursive: true, force: true })))

describe('what is decided', () => {
  test('given the range of package.json, when versions are held against it, then only those with a sound SQLite meet it', () => {
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } }
    for (const version of ['22.22.3', '22.23.0', '24.15.0', '24.21.0', '26.0.0']) assert.ok(meets(version, engines.node), version)
    for (const version of ['20.20.2', '22.22.2', '22.9.9', '23.11.0', '24.14.9', '24.6.0'])
      assert.ok(!meets(version, engines.node), version)
  })

  test('given what is installed, when a command asks, then packages are added, begun afresh, or left alone', () => {
    const state = { wantDev: false, lockHash: 'a', found: { lock: 'a', dev: false }, hasModules: true, cutShort: false }
    assert.equal(whatToInstall(state), 'nothing')
    assert.equal(whatToInstall({ ...state, found: { lock: 'a', dev: true } }), 'nothing')
    assert.equal(whatToInstall({ ...state, wantDev: true }), 'add')
    assert.equal(whatToInstall({ ...state, lockHash: 'b' }), 'add')
    assert.equal(whatToInstall({ ...state, found: undefined }), 'add')
    assert.equal(whatToInstall({ ...state, hasModules: false }), 'clean')
    assert.equal(whatToInstall({ ...state, cutShort: true }), 'clean')
  })

  test('given a line, when it is read, then its own flags end where the command begins', () => {
    assert.deepEqual(readLine(['--dev', 'node', '--test']), { dev: true, example: undefined, command: ['node', '--test'] })
    assert.deepEqual(readLine(['--example', 'examples/shop', '--port', '1']), {
      dev: false,
      example: 'examples/shop',
      command: ['--port', '1'],
    })
    assert.throws(() => readLine(['--devel', 'node']), /--devel/)
    assert.throws(() => readLine([]), /command/)
  })
})

describe('what is done', () => {
  test('given a fresh clone, when commands run, then packages come once, those of development when asked, none taken away', async () => {
    const place = clone()
    const first = await setUp(place, ['node', '-p', '40 + 2'])
    assert.deepEqual([first.code, first.out], [0, '42\n'])
    assert.match(first.err, /installing packages …/)
    const second = await setUp(place, ['node', '-p', '1'])
    assert.deepEqual([second.code, second.err], [0, ''])
    await setUp(place, ['--dev', 'node', '-p', '1'])
    assert.equal((await setUp(place, ['node', '-p', '1'])).err, '')
    writeFileSync(join(place, 'package-lock.json'), '{ "changed": true }')
    await setUp(place, ['node', '-p', '1'])
    assert.deepEqual(asked(place), ['ci --omit=dev', 'install --include=dev', 'install --include=dev'])
  })

  test('given a fresh clone, when two set it up at the same moment, then one installs and the other waits', async () => {
    const place = clone()
    const both = await Promise.all([setUp(place, ['node', '-p', '1']), setUp(place, ['node', '-p', '2'])])
    assert.deepEqual(
      both.map(({ code, out }) => [code, out]),
      [
        [0, '1\n'],
        [0, '2\n'],
      ],
    )
    assert.deepEqual(asked(place), ['ci --omit=dev'])
  })

  test('given an installation that was cut short, when the next comes, then it takes the lock over and begins afresh', async () => {
    const place = clone()
    await setUp(place, ['--dev', 'node', '-p', '1'])
    writeFileSync(join(place, '.tools', 'installing'), '')
    writeFileSync(join(place, '.tools', 'setup.lock'), '999999999')
    assert.equal((await setUp(place, ['--dev', 'node', '-p', '1'])).code, 0)
    assert.deepEqual(asked(place), ['ci --include=dev', 'ci --include=dev'])
    assert.ok(!existsSync(join(place, '.tools', 'setup.lock')) && !existsSync(join(place, '.tools', 'installing')))
  })

  test('given an npm that fails, when a command is asked for, then what npm said is told, and the next try begins afresh', async () => {
    const place = clone()
    const failed = await setUp(place, ['node', '-p', '1'], { NPM_FAILS: 'no network' })
    assert.equal(failed.code, 1)
    assert.match(failed.err, /no network/)
    assert.equal((await setUp(place, ['node', '-p', '1'])).out, '1\n')
  })

  // Where Node cannot replace a process (before 22.15, on Windows) ours stays, and stands between.
  const unable = { NODE_OPTIONS: '--import=data:text/javascript,delete%20process.execve' }
  for (const [able, more] of [
    ['can become the command', {}],
    ['stays its parent', unable],
  ] as const) {
    test(`given a command and a Node that ${able}, when it ends or is told to, then its code is ours and signals reach it`, async () => {
      const place = clone()
      assert.equal((await setUp(place, ['node', '-e', 'process.exit(3)'], more)).code, 3)
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        const waits = `process.on("${signal}", () => process.exit(7)); process.stdout.write("ready"); setInterval(() => {}, 1e3)`
        const stopped = await setUp(place, ['node', '-e', waits], more, (child) => child.kill(signal))
        assert.equal(stopped.code, 7)
      }
    })
  }

  test('given a Node that can, when it hands over, then no process of ours is left, and the command is found', async () => {
    const place = clone()
    const between = Number((await setUp(place, ['node', '-p', 'process.ppid'], unable)).out)
    assert.notEqual(between, process.pid)
    if (process.execve === undefined || process.platform === 'win32') return
    const handed = await setUp(place, ['node', '-p', 'process.ppid'])
    assert.deepEqual([Number(handed.out), handed.err], [process.pid, ''])
    mkdirSync(join(place, 'node_modules', '.bin'), { recursive: true })
    writeFileSync(join(place, 'node_modules', '.bin', 'tool'), '#!/usr/bin/env node\nconsole.log(process.ppid, ...process.argv.slice(2))')
    chmodSync(join(place, 'node_modules', '.bin', 'tool'), 0o755)
    assert.equal((await setUp(place, ['tool', 'a b', '"c"'])).out, `${process.pid} a b "c"\n`)
    assert.match((await setUp(place, ['no-such-tool'])).err, /no-such-tool/)
  })

  test('given an example, when it is started, then its own start line runs in its own folder, with what follows', async () => {
    const place = clone()
    mkdirSync(join(place, 'examples', 'shop'), { recursive: true })
    writeFileSync(
      join(place, 'examples', 'shop', 'package.json'),
      JSON.stringify({ scripts: { start: 'node -p process.cwd()+process.argv[1]' } }),
    )
    const started = await setUp(place, ['--example', 'examples/shop', 'port'])
    assert.equal(started.out.trim().replaceAll('\\', '/'), `${place}/examples/shopport`)
    writeFileSync(join(place, 'examples', 'shop', 'package.json'), JSON.stringify({ scripts: { start: 'tsx main.ts' } }))
    assert.equal((await setUp(place, ['--example', 'examples/shop'])).code, 1)
  })
})

interface Answer {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A clone with an npm that makes node_modules slowly and notes how it was called. */
function clone(): string {
  const place = mkdtempSync(join(tmpdir(), 'millrace-setup-'))
  places.push(place)
  mkdirSync(join(place, 'scripts'))
  for (const file of ['setup.mjs', 'hand-over.mjs']) cpSync(join(root, 'scripts', file), join(place, 'scripts', file))
  writeFileSync(join(place, 'package.json'), JSON.stringify({ engines: { node: '>=20' } }))
  writeFileSync(join(place, 'package-lock.json'), '{}')
  writeFileSync(join(place, 'npm-cli.js'), npmOfOurs)
  return place
}

const npmOfOurs = `
const { appendFileSync, mkdirSync } = require('node:fs')
if (process.env.NPM_FAILS) {
  console.error(process.env.NPM_FAILS)
  process.exit(1)
}
const said = process.argv.slice(2).filter((word) => !/no-|prefer|ignore/.test(word))
appendFileSync('asked.txt', said.join(' ') + '\\n')
setTimeout(() => mkdirSync('node_modules', { recursive: true }), 150)
`

function asked(place: string): string[] {
  return readFileSync(join(place, 'asked.txt'), 'utf8').trim().split('\n')
}

type Child = ReturnType<typeof spawn>

function setUp(place: string, line: readonly string[], more: NodeJS.ProcessEnv = {}, whenReady?: (child: Child) => void): Promise<Answer> {
  const env = { ...process.env, NODE_OPTIONS: '', npm_execpath: join(place, 'npm-cli.js'), ...more }
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [join(place, 'scripts', 'setup.mjs'), ...line], {
      cwd: place,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    let err = ''
    child.stdout.on('data', (text) => {
      out += String(text)
      if (out === 'ready') whenReady?.(child)
    })
    child.stderr.on('data', (text) => (err += String(text)))
    child.on('error', failed)
    child.on('close', (code) => done({ code, out, err }))
  })
}
