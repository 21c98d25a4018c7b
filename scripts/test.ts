/**
 * Runs the tests and says how much of the time budget they took. The last lines are those of Node's own test runner.
 *
 *   node scripts/test.ts [--only=contract] [--budget=300] [--file-seconds=240] [--list] [files …]
 */
import { globSync } from 'node:fs'
import { Readable } from 'node:stream'
import { run } from 'node:test'
import type { EventData } from 'node:test'
import { spec } from 'node:test/reporters'

interface TestEvent {
  readonly type: string
  readonly data: unknown
}

/** What `--only` can name: the tests that also run on the oldest Node of each line, and the long way round of the differential run. */
const shares: Readonly<Record<string, readonly string[]>> = {
  contract: ['src/stores/**/*.test.ts', 'src/testing/*contract*.test.ts'],
  oldest: ['src/stores/**/*.test.ts', 'src/testing/*contract*.test.ts', 'examples/shop/**/*.test.ts'],
  differential: ['src/**/*differential*.test.ts', 'test/**/*differential*.test.ts'],
  'full-disk': ['src/**/*full-disk*.test.ts', 'test/**/*full-disk*.test.ts'],
  house: ['test/house-rules.test.ts'],
}
const everything = ['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/*/**/*.test.ts', 'bench/**/*.test.ts', 'scripts/**/*.test.ts']
/** Enough for two cores: more side by side only makes timing in the tests less true. */
const sideBySide = 2
/** A file that hangs is named as the one that failed, instead of stopping everything without a word. */
const fileSeconds = 240

const flags = new Map(process.argv.slice(2).flatMap(flagOf))
const named = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const budgetSeconds = Number(flags.get('budget') ?? 300)
const files = pick(flags.get('only'), named)
const began = performance.now()
const beganMs = new Map<string, number>()
const tookMs = new Map<string, number>()
const givenUp = new AbortController()

if (files.length === 0) {
  process.stderr.write('no test file was found\n')
  process.exit(1)
}

if (flags.has('list')) process.stdout.write(`${files.join('\n')}\n`)
else start()

function start(): void {
  const tests = run({ files, concurrency: sideBySide, signal: givenUp.signal, execArgv: ['--conditions=millrace-source'] })
  tests.on('test:fail', () => (process.exitCode = 1))
  tests.on('test:dequeue', ({ name, file }) => isFile(name, file) && beganMs.set(name, performance.now()))
  tests.on('test:complete', ({ name, file }) => isFile(name, file) && tookMs.set(name, performance.now() - (beganMs.get(name) ?? 0)))
  const watching = setInterval(watch, 1_000)
  tests.on('end', () => clearInterval(watching))
  Readable.from(withShare(tests)).compose(new spec()).pipe(process.stdout)
}

/**
 * The runner has no limit for a file: a loop without end would hold everything for ever. What is cut off is named, and
 * counts as failed.
 */
function watch(): void {
  const limitMs = Number(flags.get('file-seconds') ?? fileSeconds) * 1_000
  const stuck = [...beganMs].filter(([name, sinceMs]) => !tookMs.has(name) && performance.now() - sinceMs > limitMs)
  if (stuck.length === 0) return
  process.exitCode = 1
  process.stderr.write(`cut off after ${limitMs / 1_000} s: ${stuck.map(([name]) => name).join(', ')}\n`)
  givenUp.abort()
}

/** Each file is a test of its own around the tests in it, named as it was given. */
function isFile(name: string, file: string | undefined): boolean {
  return file !== undefined && file.replaceAll('\\', '/').endsWith(name)
}

function flagOf(word: string): [string, string][] {
  const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/.exec(word) ?? []
  return name === undefined ? [] : [[name, value ?? '']]
}

function pick(only: string | undefined, asked: readonly string[]): string[] {
  if (asked.length > 0) return [...asked]
  const patterns = only === undefined ? everything : shares[only]
  if (patterns === undefined) throw new Error(`--only knows ${Object.keys(shares).join(', ')}, not ${only}`)
  return globSync([...patterns], { exclude: (path) => path.includes('node_modules') }).toSorted()
}

/** The runner's closing lines begin with "tests N": ours goes before them, so that theirs stay the last. */
async function* withShare(events: AsyncIterable<unknown>): AsyncGenerator<TestEvent> {
  let said = false
  for await (const one of events) {
    const event = one as TestEvent
    if (!said && event.type === 'test:diagnostic' && isClosing(event.data as EventData.TestDiagnostic)) {
      said = true
      yield { type: 'test:diagnostic', data: { nesting: 0, message: slowest(), level: 'info' } }
      yield { type: 'test:diagnostic', data: { nesting: 0, message: share(), level: 'info' } }
    }
    yield event
  }
}

function isClosing(diagnostic: EventData.TestDiagnostic): boolean {
  return diagnostic.nesting === 0 && /^tests \d+$/.test(diagnostic.message)
}

function slowest(): string {
  const ranked = [...tookMs].toSorted(([, left], [, right]) => right - left).slice(0, 3)
  const words = ranked.map(([file, ms]) => `${file} ${(ms / 1_000).toFixed(1)} s`)
  return `slowest: ${words.join(', ')}`
}

function share(): string {
  const seconds = (performance.now() - began) / 1_000
  return `time: ${seconds.toFixed(1)} s, ${Math.round((seconds / budgetSeconds) * 100)} % of the budget of ${budgetSeconds} s`
}
