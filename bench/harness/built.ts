/** Built files, as a published package has them: what a process in production starts from. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import type { Size } from './bench.ts'

const root = join(import.meta.dirname, '..', '..')

/** The package as `npm run build` builds it, but in a folder of the bench; the shop's types are stripped. */
export function build({ folder }: Size): void {
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
  // Processes of their own, which nobody measures.
  cpSync(join(root, 'examples/shop/providers'), join(built, 'providers'), { recursive: true })
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
