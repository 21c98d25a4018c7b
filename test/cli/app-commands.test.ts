/** What the command line does with the file of an app: checks it, drives it, and starts it again when it changes. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { appFile, newPlace } from './command-line.ts'

const place = newPlace()
after(() => place.remove())
symlinkSync(join(import.meta.dirname, '../../node_modules'), join(place.folder, 'node_modules'))

const entry = join(import.meta.dirname, '../../src/entry/index.ts')
const source = readFileSync(appFile, 'utf8').replace('../../src/entry/index.ts', entry)

test('given an app with several faults, when it is checked, then all are told at once, settings too, and it ends with 1', async () => {
  const file = join(place.folder, 'faulty.ts')
  writeFileSync(
    file,
    `${source.replace(', config', '').replace('app, event', 'app, config, event')}
export const settings = config(z.object({ KITCHEN: z.string(), STOVE: z.string() }))
export const faulty = app('faulty', [Ordered, cook, cook, tables, getBusy, settings])
`.replace("export const diner = app('diner', [Ordered, Cooked, cook, serve, tables, busy, getBusy])", ''),
  )
  const [text, json, well] = await Promise.all([
    place.run(['check', file]),
    place.run(['check', file, '--json', '--no-config']),
    place.run(['check', appFile]),
  ])
  assert.match(text.out, /^error {2}fn cook: event Cooked 1 is not in the app/m)
  assert.match(text.out, /^error {2}route .*query busy is not in the app/m)
  assert.match(text.out, /^error {2}environment KITCHEN: /m)
  assert.match(text.out, /^error {2}environment STOVE: /m)
  assert.match(text.out, /\n\nfaulty: 4 errors, 0 warnings\n$/)
  const checked = JSON.parse(json.out) as { ok: boolean; findings: readonly object[] }
  assert.deepEqual([checked.ok, checked.findings.length], [false, 2])
  assert.deepEqual([text.code, json.code, well.code, well.out], [1, 1, 0, 'diner: nothing is wrong\n'])
})

test('given a definition that refuses itself, when the app is checked, then that is the finding', async () => {
  const file = join(place.folder, 'refused.ts')
  writeFileSync(file, source.replace("from: '10ms'", "from: '10 ms'"))
  const checked = await place.run(['check', file])
  assert.equal(checked.code, 1)
  assert.match(checked.out, /^error {2}fn cook: retry\.from: '10 ms' is not a duration\n\ndiner: 1 error, 0 warnings\n$/)
})

test('given definitions that refuse themselves, some twice, when the app is checked, then all is told', async () => {
  const file = join(place.folder, 'all-refused.ts')
  writeFileSync(
    file,
    `import { z } from 'zod'
import { app, batched, event, fn, projection, route } from ${JSON.stringify(entry)}
const schema = z.object({ id: z.string() })
const Made = event('Made', schema, { version: 0 })
const none = fn('none', Made, { concurrency: 0, timeout: '0s', run() {} })
const again = fn('again', Made, { retry: { attempts: 0 }, run() {} })
const odd = fn('odd', Made, { where: { data: { id: [{ 'starts-with': 'a' }] } }, run() {} })
const rows = projection('rows', schema, { key: 'id', index: ['color'], apply: () => [] })
const lone = fn('lone', batched(Made, { size: 0, wait: 'soon' }), { run() {} })
const here = route('GET here', () => 1)
export const all = app('all', [Made, none, again, odd, rows, lone, here, 'nothing'])
`,
  )
  const [text, json] = await Promise.all([place.run(['check', file]), place.run(['check', file, '--json'])])
  const { app, ok, findings } = JSON.parse(json.out) as {
    app: string
    ok: boolean
    findings: readonly { where: string; message: string }[]
  }
  const told = findings.map(({ where, message }) => `${where}: ${message}`)
  assert.deepEqual(
    told.map((line) => line.replace(/ must .*| at .*|;.*/, '')),
    [
      'event Made: version:',
      'fn none: timeout:',
      'fn none: concurrency:',
      'fn again: retry.attempts:',
      'fn odd: where',
      'projection rows: apply: takes no event',
      'batched Made: size:',
      "batched Made: wait: 'soon' is not a duration",
      'route GET here: endpoint:',
      'app all: parts[7]: is no definition (an event itself, not a fact that it made)',
      "projection rows: 'color' is no column of its rows",
    ],
  )
  assert.deepEqual([app, ok, text.code, json.code], ['all', false, 1, 1])
  for (const line of told) assert.ok(text.out.includes(`error  ${line}`), line)
  const broken = join(place.folder, 'refused-and-broken.ts')
  writeFileSync(broken, `${readFileSync(file, 'utf8')}\nthrow new Error('no luck')\n`)
  const half = await place.run(['check', broken])
  assert.match(half.out, /^error {2}fn again: [^]*^error {2}.*broken\.ts: APP_FILE_INVALID: .*no luck/m)
  assert.equal(half.code, 1)
})

test('given an app, or settings, that are wrong, when it is started, then that is told, and no file is left', async () => {
  const [wrong, unset] = [join(place.folder, 'wrong.ts'), join(place.folder, 'unset.ts')]
  writeFileSync(wrong, source.replace('[Ordered, Cooked, cook,', '[Ordered, cook,'))
  writeFileSync(
    unset,
    source.replace('{ app,', '{ app, config,').replace('[Ordered, Cooked,', '[config(z.object({ KITCHEN: z.string() })), Ordered, Cooked,'),
  )
  const store = join(place.folder, 'left.db')
  const [one, other] = await Promise.all([wrong, unset].map((file) => place.run(['start', file, '--no-http', '--store', store])))
  assert.match(one?.err ?? '', /^APP_INVALID: .*fn cook: event Cooked 1 is not in the app/)
  assert.match(other?.err ?? '', /^CONFIG_INVALID: KITCHEN: /)
  assert.deepEqual([one?.code, other?.code], [1, 1])
  assert.deepEqual(
    readdirSync(place.folder).filter((name) => name.startsWith('left.db')),
    [],
  )
})

test('given an app, when it is driven, then all that was published is handled, and nothing is left in the folder', async () => {
  const result = await place.json<{
    handled: { turns: number }
    inLog: number
    failures: number
    settled: boolean
    publish: { p50: number }
    start: { p50: number }
  }>(['bench', appFile, '-n', '200', '-c', '16', '--keys', '50', '--data', '{"order":"o{{n}}","table":"t","dish":"soup"}'])
  assert.deepEqual([result.handled.turns, result.inLog, result.failures, result.settled], [600, 400, 0, true])
  assert.ok(result.publish.p50 > 0 && result.start.p50 > 0)
  const unknown = await place.run(['bench', appFile, '--type', 'Ordred'])
  assert.match(unknown.err, /^USAGE_WRONG: diner has no event 'Ordred'; there are Ordered, Cooked/)
})

test(
  'given an app under `dev`, when its file is replaced, then the new code runs; broken code waits for the next change',
  { timeout: 30_000 },
  async () => {
    const file = join(place.folder, 'edited.ts')
    writeFileSync(file, source)
    const dev = await place.start(['dev', file, '--no-http'])
    const replace = (text: string): void => {
      writeFileSync(`${file}.new`, text)
      renameSync(`${file}.new`, file)
    }
    replace(source.replace("app('diner'", "app('bistro'"))
    await told(() => dev.said().includes('"message":"bistro runs"'), dev.child)
    replace(`${source}\nconst broken = (`)
    await told(() => dev.said().includes('it starts again when a file changes'), dev.child)
    replace(source.replace("app('diner'", "app('tavern'"))
    await told(() => dev.said().includes('"message":"tavern runs"'), dev.child)
    assert.equal(await dev.end('SIGTERM'), 0)
    assert.match(dev.said(), /edited\.ts changed: it starts again/)
    assert.equal(dev.said().match(/it drains, and stops/g)?.length, 3, 'twice for a change, once at the end')
  },
)

test('given a turn that does not end, when the app is told to stop twice, then the second ends it at once, saying so', async () => {
  const app = await place.start(['start', appFile, '--no-http'])
  await place.json(['publish', 'Ordered', '{"order":"s","table":"t","dish":"stew"}', '--id', 's1'])
  const { stations } = await place.json<{ stations: readonly { subscription: string; state: string }[] }>(['event', 's1'])
  assert.equal(stations.find(({ subscription }) => subscription === 'cook')?.state, 'running')
  assert.match((await place.run(['event', 's1'])).out, /^cook +running +attempt 1$/m)
  app.child.kill('SIGINT')
  await told(() => app.said().includes('SIGINT: it drains, and stops'), app.child)
  const impatient = setInterval(() => app.child.kill('SIGINT'), 100)
  const [code] = (await once(app.child, 'close')) as [number | null]
  clearInterval(impatient)
  assert.equal(code, 130)
  assert.match(app.said(), /SIGINT again: it ends at once; what was under way runs again at the next start/)
})

test('given a signal that comes twice in one moment, when the app is told to stop by it, then it drains, as by one', async () => {
  const app = await place.start(['start', appFile, '--no-http'])
  app.child.kill('SIGINT')
  app.child.kill('SIGTERM')
  assert.equal(await app.end('SIGINT'), 0)
  assert.equal(app.said().match(/it drains, and stops/g)?.length, 1)
})

/** Looks each time that it writes something. */
async function told(
  holds: () => boolean,
  { stdout, stderr }: { readonly stdout: NodeJS.ReadableStream | null; readonly stderr: NodeJS.ReadableStream | null },
): Promise<void> {
  while (!holds()) await Promise.race([stdout, stderr].map((stream) => new Promise((done) => stream?.once('data', done))))
}
