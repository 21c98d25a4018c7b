/** A ratchet on what the words cost the compiler: an app of 200 events and 200 functions, beside its schemas alone. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = `${root}coverage/instantiations-${process.pid}/`
const modules = Array.from({ length: 20 }, (_, index) => index)
const perModule = 10

/**
 * Measured with TypeScript 7.0, and a tenth more.
 * Lower it when the words become cheaper; raise it only for what is worth it to whoever writes an app.
 */
const wordsMax = 316_000

before(() => {
  for (const kind of ['app', 'schemas'] as const) {
    mkdirSync(`${folder}${kind}`, { recursive: true })
    writeFileSync(`${folder}${kind}/tsconfig.json`, JSON.stringify({ extends: '../../../tsconfig.json', include: ['.'] }))
    for (const index of modules) writeFileSync(`${folder}${kind}/m${index}.ts`, kind === 'app' ? moduleText(index) : schemasText(index))
  }
  const names = modules.map((index) => `m${index}`)
  const imports = names.map((name) => `import * as ${name} from './${name}.ts'\n`).join('')
  writeFileSync(`${folder}app/app.ts`, `${imports}${from('app')}export const all = app('all', { ${names.join(', ')} })\n`)
})

after(() => rmSync(folder, { recursive: true, force: true }))

test('given an app of 200 events and 200 functions, when checked, then its words cost the compiler no more than before', async () => {
  const [app, schemas] = [await instantiations('app'), await instantiations('schemas')]
  const words = app - schemas
  console.log(`instantiations: ${app} for the app, ${schemas} for its schemas alone, ${words} for the words (at most ${wordsMax})`)
  assert.ok(schemas > 1_000 && app > schemas, 'the compiler counted nothing')
  assert.ok(
    words <= wordsMax,
    `${words} instantiations are more than ${wordsMax}: see what the last change to the types of src/define made dearer`,
  )
})

/** One thread: several would each count what they share. */
async function instantiations(kind: 'app' | 'schemas'): Promise<number> {
  const tsc = `${root}node_modules/typescript/bin/tsc`
  const { stdout } = await promisify(execFile)(process.execPath, [
    tsc,
    '-p',
    `${folder}${kind}`,
    '--extendedDiagnostics',
    '--singleThreaded',
  ]).catch((error: unknown) => {
    throw new Error(`the generated ${kind} does not compile`, { cause: error })
  })
  return Number(/Instantiations:\s+(\d+)/.exec(stdout)?.[1] ?? 0)
}

function from(words: string): string {
  return `import { ${words} } from '../../../src/entry/index.ts'\n`
}

/** Each of another shape, by one field. */
function schema(index: number): string {
  const fields = [
    'id: z.string()',
    'customer: z.string()',
    'cents: z.number()',
    "currency: z.enum(['EUR', 'USD'])",
    'lines: z.array(z.object({ sku: z.string(), n: z.number() }))',
    `note${index}: z.string().optional()`,
  ]
  return `z.object({ ${fields.join(', ')} })`
}

function numbersOf(module: number): readonly number[] {
  return Array.from({ length: perModule }, (_, index) => module * perModule + index)
}

function schemasText(module: number): string {
  const events = numbersOf(module).map((n) => `export const Event${n} = ${schema(n)}\n`)
  return `import { z } from 'zod'\n${events.join('')}`
}

function moduleText(module: number): string {
  const numbers = numbersOf(module)
  const first = module * perModule
  const events = numbers.map((n) => `export const Event${n} = event('Event${n}', ${schema(n)}, { key: (e) => e.id })\n`)
  const functions = numbers.map((n) => functionText(n, first + ((n + 1 - first) % perModule)))
  const takes = numbers.map((n) => `    on(Event${n}, (rows, e) => rows.patch(e.id, { cents: e.cents })),\n`)
  return `import { z } from 'zod'
${from('event, fn, projection, route')}${events.join('')}${functions.join('')}
export const rows = projection('rows-${module}', Event${first}.schema, {
  key: 'id',
  index: ['customer', 'currency'],
  apply: (on) => [
${takes.join('')}  ],
})
export const mine = rows.query('mine-${module}', Event${first}.schema, (rows, q) =>
  rows.find({ where: { customer: q.customer }, order: 'currency desc' }))
export const post = route('POST /things/:id', Event${first})
export const get = route('GET /things/:id', mine)
`
}

function functionText(n: number, next: number): string {
  return `export const fn${n} = fn('fn-${n}', Event${n}, {
  where: { data: { cents: [{ numeric: ['>', 0] }], currency: ['EUR'], note${n}: [{ exists: true }] }, source: ['shop'] },
  emits: [Event${next}],
  retry: { attempts: 5, from: '1s', to: '1m' },
  timeout: '10s',
  async run({ id, customer, cents, lines }, ctx) {
    if (cents > 3) ctx.emit(Event${next}({ id, customer, cents: ctx.attempt, currency: 'EUR', lines }))
    return Event${next}({ id, customer, cents: lines.length, currency: 'EUR', lines })
  },
})
`
}
