/** From the start of a process to its first handled event, from built files. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { atMost, type Bench, type Case, type Figures, type Size } from '../harness/bench.ts'

const root = join(import.meta.dirname, '..', '..')

export const startUp: Bench = {
  name: 'start',
  title: 'process start -> first handled event, from built files',
  prepare: async (size) => build(size),
  cases: [
    { name: 'node alone', run: (size) => ended([join(size.folder, 'built', 'nothing.js')]) },
    script('one function', 'one-function.js'),
    script('the shop', 'one-order.js'),
  ],
  goals: (median) => [
    ...atMost('one function without HTTP and Zod', median('one function', 'ms'), 120, 'ms'),
    ...atMost('the shop', median('the shop', 'ms'), 300, 'ms'),
  ],
}

/** The package as `npm run build` builds it, but in a folder of the bench; the shop's types are stripped. */
function build({ folder }: Size): void {
  const built = join(folder, 'built')
  const tsc = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json'), '--outDir', built],
    { encoding: 'utf8' },
  )
  if (tsc.status !== 0) process.stderr.write(`the build has errors, and goes on: ${tsc.stdout.split('\n')[0]}\n`)
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(
    join(built, 'nothing.js'),
    "const { user, system } = process.cpuUsage(); process.stdout.write('handled ' + (user + system) / 1000)",
  )
  mkdirSync(join(built, 'shop'))
  const shop = join(root, 'examples/shop/src')
  for (const name of readdirSync(shop)) strip(join(shop, name), join(built, 'shop', name.replace(/\.ts$/, '.js')), '../entry/index.js')
  for (const name of ['one-function', 'one-order'])
    strip(join(root, 'bench/start', `${name}.ts`), join(built, `${name}.js`), './entry/index.js')
}

function strip(from: string, to: string, millrace: string): void {
  const text = stripTypeScriptTypes(readFileSync(from, 'utf8'))
  writeFileSync(
    to,
    text.replaceAll("'millrace'", `'${millrace}'`).replaceAll('../../examples/shop/src/', './shop/').replaceAll(".ts'", ".js'"),
  )
}

function script(name: string, file: string): Case {
  return { name, run: (size) => ended([join(size.folder, 'built', file), join(size.folder, `${process.pid}.db`)]) }
}

/** Until the line that says that an event was handled. */
function ended(line: readonly string[]): Promise<Figures> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now()
    const child = spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'inherit'] })
    let ms = Number.NaN
    let cpuMs = Number.NaN
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const said = /handled ([\d.]+)/.exec(text)?.[1]
      if (said === undefined) return
      ms = performance.now() - startMs
      cpuMs = Number(said)
    })
    child.on('close', () => (Number.isNaN(ms) ? reject(new Error(`${line[0]} handled nothing`)) : resolve({ ms, 'CPU ms': cpuMs })))
  })
}
