/**
 * Brings whatever a command needs, then runs it: the right Node, and the packages of the lock file. Nothing outside this clone is touched.
 * Plain JavaScript for Node 20: on a fresh machine it runs before anything newer is there.
 *
 *   node scripts/setup.mjs [--dev] node test.ts …        the rest of the line is the command
 *   node scripts/setup.mjs --example examples/shop …     the command is the `start` script of that folder's package.json
 *
 * What an example agrees to: its `start` reads `node …` with plain words (no shell is started, so that signals reach the app itself),
 * it runs in the example's own folder, and what it needs at run time stands under `dependencies` of its package.json.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInPlace } from './hand-over.mjs'

/** What is brought where the machine's own Node is too old. The packages that carry it have no install script. */
export const broughtNode = '24.21.0'
const carriers = new Set(['linux-x64', 'linux-arm64'])
const lockStaleMs = 15 * 60_000

/**
 * The paths that setting up reads and writes.
 * @param {string} root
 */
function placesIn(root) {
  const tools = join(root, '.tools')
  return {
    root,
    tools,
    node: join(tools, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node'),
    nodeReady: join(tools, `node-${broughtNode}.ready`),
    lock: join(tools, 'setup.lock'),
    /** Stands while packages are installed. Whoever finds it under the lock knows that the last installation was cut short. */
    installing: join(tools, 'installing'),
    modules: join(root, 'node_modules'),
    installed: join(root, 'node_modules', '.millrace-installed.json'),
  }
}
/** @typedef {ReturnType<typeof placesIn>} Places */
/** @typedef {{ dev: boolean, example: string | undefined, command: string[] }} Request */

/**
 * @param {string[]} line
 * @returns {Request}
 */
export function readLine(line) {
  const rest = [...line]
  let dev = false
  let example
  while (example === undefined && rest[0]?.startsWith('--')) {
    const flag = rest.shift()
    if (flag === '--dev') dev = true
    else if (flag === '--example') example = rest.shift()
    else throw new Error(`setup knows --dev and --example, not ${flag}`)
  }
  if (example === undefined && rest.length === 0) throw new Error('setup needs a command to run')
  return { dev, example, command: rest }
}

/**
 * Whether a version meets a range of the two forms that `engines` uses: `^22.22.3 || >=24.15`.
 * @param {string} version
 * @param {string} range
 */
export function meets(version, range) {
  const have = numbers(version)
  return range.split('||').some((part) => {
    const floor = numbers(part)
    const atLeast = compare(have, floor) >= 0
    return part.trim().startsWith('^') ? atLeast && have[0] === floor[0] : atLeast
  })
}

/**
 * What has to be done to the packages: nothing, add to what is there (what runs meanwhile keeps its files), or a clean start.
 * @typedef {{ lock: string, dev: boolean }} Found
 * @param {{ wantDev: boolean, lockHash: string, found: Found | undefined, hasModules: boolean, cutShort: boolean }} state
 * @returns {'nothing' | 'add' | 'clean'}
 */
export function whatToInstall({ wantDev, lockHash, found, hasModules, cutShort }) {
  if (cutShort || !hasModules) return 'clean'
  if (found !== undefined && found.lock === lockHash && (found.dev || !wantDev)) return 'nothing'
  return 'add'
}

/** @param {string[]} line */
async function main(line) {
  const places = placesIn(dirname(dirname(fileURLToPath(import.meta.url))))
  const request = readLine(line)
  const node = await findNode(places)
  await bringPackages(places, node, request.dev)
  handOver(places, node, request)
}

/** @param {Places} places */
async function findNode(places) {
  const { engines } = JSON.parse(readFileSync(join(places.root, 'package.json'), 'utf8'))
  if (meets(process.versions.node, engines.node)) return process.execPath
  if (existsSync(places.nodeReady)) return places.node
  const refusal = whyNotBrought(engines.node)
  if (refusal !== undefined) throw new Error(refusal)
  await underLock(places, async () => {
    if (existsSync(places.nodeReady)) return
    const what = `node-${process.platform}-${process.arch}@${broughtNode}`
    const line = [
      'install',
      '--no-save',
      '--no-package-lock',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--prefix',
      places.tools,
      what,
    ]
    await working(`bringing Node ${broughtNode} into .tools (once; this machine has ${process.versions.node})`, () =>
      npm(places, process.execPath, line),
    )
    const answer = spawnSync(places.node, ['--version'], { encoding: 'utf8' })
    if (answer.stdout?.trim() !== `v${broughtNode}`) throw new Error(`the Node in .tools does not run here. ${installAdvice(engines.node)}`)
    writeFileSync(places.nodeReady, '')
  })
  return places.node
}

/** @param {string} range */
function whyNotBrought(range) {
  const platform = `${process.platform}-${process.arch}`
  if (!carriers.has(platform)) return installAdvice(range)
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report.getReport())
  return report.header?.glibcVersionRuntime === undefined ? installAdvice(range) : undefined
}

/** @param {string} range */
function installAdvice(range) {
  const how =
    process.platform === 'darwin'
      ? 'Install it with `brew install node@24`, or with the installer from nodejs.org'
      : 'Install Node 24 with the package manager of this system, or from nodejs.org'
  const have = `${process.versions.node} on ${process.platform}-${process.arch}`
  return `Millrace needs Node ${range}, and this is ${have}. ${how}, and run the command again.`
}

/**
 * @param {Places} places
 * @param {string} node
 * @param {boolean} wantDev
 */
async function bringPackages(places, node, wantDev) {
  if (next(places, wantDev) === 'nothing') return
  await underLock(places, async () => {
    const step = next(places, wantDev)
    if (step === 'nothing') return
    // Packages without our note were installed by hand: taking some away would surprise whoever did it.
    const dev = wantDev || readInstalled(places)?.dev === true || (step === 'add' && readInstalled(places) === undefined)
    const how = step === 'clean' ? ['ci'] : ['install', '--no-save']
    const line = [...how, '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', dev ? '--include=dev' : '--omit=dev']
    writeFileSync(places.installing, '')
    await working(dev ? 'installing packages, those of development too' : 'installing packages', () => npm(places, node, line))
    mkdirSync(places.modules, { recursive: true })
    writeFileSync(places.installed, JSON.stringify({ lock: lockHash(places), dev }))
    rmSync(places.installing, { force: true })
  })
}

/**
 * @param {Places} places
 * @param {boolean} wantDev
 */
function next(places, wantDev) {
  return whatToInstall({
    wantDev,
    lockHash: lockHash(places),
    found: readInstalled(places),
    hasModules: existsSync(places.modules),
    cutShort: existsSync(places.installing),
  })
}

/** @param {Places} places */
function lockHash(places) {
  return createHash('sha256')
    .update(readFileSync(join(places.root, 'package-lock.json')))
    .digest('hex')
}

/**
 * @param {Places} places
 * @returns {{ lock: string, dev: boolean } | undefined}
 */
function readInstalled(places) {
  try {
    return JSON.parse(readFileSync(places.installed, 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * Runs npm with the given Node. The npm that started us is preferred: it is there for sure.
 * @param {Places} places
 * @param {string} node
 * @param {string[]} line
 * @returns {Promise<void>}
 */
function npm(places, node, line) {
  const own = process.env['npm_execpath'] ?? ''
  const [program, before] = own.endsWith('npm-cli.js') ? [node, [own]] : ['npm', []]
  return new Promise((done, failed) => {
    const child = spawn(program, [...before, ...line], { cwd: places.root, env: withNode(places, node), stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stdout.on('data', (/** @type {Buffer} */ text) => (said += text))
    child.stderr.on('data', (/** @type {Buffer} */ text) => (said += text))
    child.on('error', failed)
    child.on('close', (code) => (code === 0 ? done() : failed(new Error(`npm ${line.join(' ')} failed:\n${said.trim().slice(0, 1_500)}`))))
  })
}

/**
 * Says on the error stream that something is at work, and how long it took.
 * @param {string} what
 * @param {() => Promise<void>} work
 */
async function working(what, work) {
  const began = Date.now()
  const seconds = () => `${Math.round((Date.now() - began) / 1_000)} s`
  const live = process.stderr.isTTY === true
  process.stderr.write(`millrace: ${what} …${live ? '' : '\n'}`)
  const ticking = live ? setInterval(() => process.stderr.write(`\rmillrace: ${what} … ${seconds()}`), 1_000) : undefined
  try {
    await work()
    process.stderr.write(live ? `\rmillrace: ${what}: done in ${seconds()}\n` : `millrace: done in ${seconds()}\n`)
  } catch (error) {
    if (live) process.stderr.write('\n')
    throw error
  } finally {
    clearInterval(ticking)
  }
}

/**
 * One set-up at a time in one clone; the second waits for the first, and then finds everything done.
 * @param {Places} places
 * @param {() => Promise<void>} work
 */
async function underLock(places, work) {
  mkdirSync(places.tools, { recursive: true })
  let told = false
  while (!take(places.lock)) {
    const owner = lockOwner(places.lock)
    if (owner.dead) breakLock(places)
    else if (!told) process.stderr.write(`millrace: waiting for the set-up that process ${owner.pid} is making\n`)
    told ||= !owner.dead
    await new Promise((soon) => setTimeout(soon, 150))
  }
  try {
    await work()
  } finally {
    rmSync(places.lock, { force: true })
  }
}

/** @param {string} path */
function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Who holds the lock. A file that is still empty belongs to somebody who is just writing it.
 * @param {string} path
 */
function lockOwner(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'))
    const old = Date.now() - statSync(path).mtimeMs > lockStaleMs
    return { pid, dead: old || (pid > 0 && !isAlive(pid)) }
  } catch {
    return { pid: 0, dead: false }
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/**
 * Removes the lock of a process that is gone. Only one remover at a time, and it looks again first: else it might remove its successor's.
 * @param {Places} places
 */
function breakLock(places) {
  const remover = `${places.lock}.remover`
  if (!take(remover)) {
    const owner = lockOwner(remover)
    if (owner.dead) rmSync(remover, { force: true })
    return
  }
  try {
    if (lockOwner(places.lock).dead) unlinkSync(places.lock)
  } finally {
    rmSync(remover, { force: true })
  }
}

/**
 * @param {Places} places
 * @param {string} node
 */
function withNode(places, node) {
  const path = [join(places.modules, '.bin'), dirname(node), process.env['PATH'] ?? ''].join(delimiter)
  return { ...process.env, PATH: path }
}

/**
 * @param {Places} places
 * @param {string} node
 * @param {Request} request
 */
function handOver(places, node, request) {
  const folder = request.example === undefined ? process.cwd() : join(places.root, request.example)
  const [program = '', ...line] = [...(request.example === undefined ? [] : startOf(folder)), ...request.command]
  runInPlace({ program: program === 'node' ? node : program, line, folder, env: withNode(places, node), failed: stop })
}

/** @param {string} folder */
function startOf(folder) {
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const words = String(scripts?.start ?? '').split(' ')
  if (words[0] !== 'node') throw new Error(`the start script of ${folder} must read "node …", plain words only`)
  return words
}

/** @param {string} version */
function numbers(version) {
  return (version.match(/\d+/g) ?? []).slice(0, 3).map(Number)
}

/**
 * @param {number[]} left
 * @param {number[]} right
 */
function compare(left, right) {
  for (const place of [0, 1, 2]) {
    const difference = (left[place] ?? 0) - (right[place] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** @param {unknown} error */
function stop(error) {
  process.stderr.write(`millrace: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) {
  main(process.argv.slice(2)).catch(stop)
}
