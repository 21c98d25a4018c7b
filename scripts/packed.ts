/**
 * Packs what `npm run build` has built, installs the tarball into an empty project outside the house, and uses it there
 * as a stranger would:
 * every entry imported and required, types resolved by the compiler, the command started, an example with its tests, and no file in it
 * that does not belong.
 *
 *   node scripts/packed.ts [--keep]     --keep leaves the project, and says where
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Manifest {
  readonly version: string
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
}

interface Needs {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
const entries = Object.entries(manifest.exports).filter(([, one]) => typeof one !== 'string')
const names = entries.map(([path]) => `millrace${path.slice(1)}`)
/** Loading an entry must start nothing: the process ends by itself, and every entry had something to give. */
const check =
  'for (const [index, one] of all.entries()) if (Object.keys(one).length === 0) throw new Error(`entry ${index} exports nothing`)'
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const typeRules = '--noEmit --strict --target es2024 --lib es2024,esnext.disposable --types node --module nodenext'.split(' ')
const place = mkdtempSync(join(tmpdir(), 'millrace-packed-'))

try {
  const installed = install()
  say('every entry is there, and nothing that does not belong', () => onlyWhatBelongs(installed))
  say(`${names.length} entries imported`, () => run('import.mjs', importAll()))
  say(`${names.length} entries required from CommonJS`, () => run('require.cjs', requireAll()))
  say('types resolved, as ESM and as CommonJS', () => checkTypes())
  say('the command says its version', () => startCommand())
  say('pulse compiles against it, and passes its tests on it', () => useExample('pulse'))
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  if (process.argv.includes('--keep')) process.stdout.write(`kept in ${place}\n`)
  else rmSync(place, { recursive: true, force: true })
}

function install(): string {
  if (!existsSync(join(root, 'dist', 'entry', 'index.js'))) throw new Error('nothing is built: npm run build')
  const packed = call('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', place], root)
  writeFileSync(join(place, 'package.json'), JSON.stringify({ name: 'a-stranger', private: true }))
  call(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', join(place, packed.trim().split('\n').at(-1) ?? '')],
    place,
  )
  return join(place, 'node_modules', 'millrace')
}

function onlyWhatBelongs(installed: string): void {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' })
  const strange = files.filter((path) => /\.test\.|(?<!\.d)\.ts$|^(src|test|examples|bench|scripts)\//.test(path))
  if (strange.length > 0) throw new Error(`the package holds what does not belong there: ${strange.join(', ')}`)
  for (const [name, one] of entries) {
    const targets = typeof one === 'string' ? [] : [one['types'], one['default']]
    for (const target of targets)
      if (!existsSync(join(installed, target ?? '-'))) throw new Error(`${name} leads to ${target}, which is not in the package`)
  }
}

function importAll(): string {
  const imports = names.map((name, index) => `import * as entry${index} from '${name}'`)
  return [...imports, `const all = [${names.map((_, index) => `entry${index}`).join(', ')}]`, check].join('\n')
}

function requireAll(): string {
  return [`const all = [${names.map((name) => `require('${name}')`).join(', ')}]`, check].join('\n')
}

function run(file: string, text: string): void {
  writeFileSync(join(place, file), `${text}\n`)
  call(process.execPath, ['--no-warnings', join(place, file)], place)
}

function checkTypes(): void {
  for (const name of ['@types/node', 'undici-types']) link(name)
  const text = names
    .map((name, index) => `import * as entry${index} from '${name}'\nexport const has${index}: object = entry${index}`)
    .join('\n')
  writeFileSync(join(place, 'consumer.mts'), `${text}\n`)
  writeFileSync(join(place, 'consumer.cts'), `${text}\n`)
  call(process.execPath, [compiler, ...typeRules, '--skipLibCheck', 'false', 'consumer.mts', 'consumer.cts'], place)
}

function startCommand(): void {
  const said = call(join(place, 'node_modules', '.bin', 'millrace'), ['--version'], place)
  if (!said.includes(manifest.version)) throw new Error(`millrace --version says ${said.trim()}, not ${manifest.version}`)
}

/** Its own copy beside the installed package, so that `millrace` means that one; what else it needs is the house's. */
function useExample(name: string): void {
  const folder = join(place, name)
  const ours = join(root, 'examples', name)
  cpSync(ours, folder, { recursive: true, filter: (path) => !['node_modules', 'data'].includes(relative(ours, path)) })
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Needs
  const needed = Object.keys({ ...dependencies, ...devDependencies })
  for (const one of needed.filter((one) => one !== 'millrace')) link(one)
  const files = readdirSync(folder).filter((file) => file.endsWith('.test.ts'))
  call(process.execPath, [compiler, ...typeRules, '--allowImportingTsExtensions', ...files.map((file) => join(name, file))], place)
  call(process.execPath, ['--no-warnings', '--test', ...files], folder)
}

function link(name: string): void {
  const there = join(place, 'node_modules', name)
  mkdirSync(dirname(there), { recursive: true })
  if (!existsSync(there)) symlinkSync(join(root, 'node_modules', name), there)
}

function say(what: string, look: () => void): void {
  try {
    look()
    process.stdout.write(`packed: ${what}\n`)
  } catch (error) {
    throw new Error(`packed, not so: ${what}`, { cause: error })
  }
}

function call(program: string, line: readonly string[], cwd: string): string {
  const answer = spawnSync(program, line, { cwd, encoding: 'utf8', timeout: 120_000 })
  if (answer.status === 0) return answer.stdout
  const said = `${answer.stdout ?? ''}${answer.stderr ?? ''}${answer.error?.message ?? ''}`
  throw new Error(`${relative(cwd, program)} ${line.join(' ')} failed:\n${said.slice(0, 4_000)}`)
}
