/**
 * Rules about size: files of at most 400 lines, functions of at most 70. What is longer stands in the ratchet with its
 * reason, and may only shrink.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isCode, root } from './source.ts'
import type { House } from './source.ts'

export const fileLinesMax = 400
export const functionLinesMax = 70

/** Something that is longer than its limit. */
export interface Long {
  readonly path: string
  /** A function's name; absent for the file as a whole. */
  readonly name?: string
  readonly lines: number
}

export interface Tolerated extends Long {
  readonly why: string
}

export function longFiles(house: House): Long[] {
  return house.files.flatMap(({ path, text }) => {
    const lines = text.split('\n').length - 1
    return isCode(path) && lines > fileLinesMax ? [{ path, lines }] : []
  })
}

/** The linter counts: it reads the syntax tree. Tests are left out, whose functions are lists of cases. */
export function longFunctions(folder: string): Long[] {
  const place = mkdtempSync(join(tmpdir(), 'millrace-lint-'))
  try {
    const config = join(place, 'lengths.json')
    writeFileSync(
      config,
      JSON.stringify({ plugins: [], categories: {}, rules: { 'max-lines-per-function': ['error', { max: functionLinesMax }] } }),
    )
    return parse(lint(folder, ['-c', config, '-A', 'correctness', '-f', 'json', '--ignore-pattern', '**/*.test.ts', '.']))
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** What is wrong between what is long and what is tolerated: longer than listed, not listed, or listed without need. */
export function overTheRatchet(long: readonly Long[], tolerated: readonly Tolerated[]): string[] {
  const fits = (one: Long): boolean => tolerated.some((other) => isSame(one, other) && one.lines <= other.lines)
  const tooLong = long.filter((one) => !fits(one)).map((one) => `${nameOf(one)} has ${one.lines} lines`)
  const idle = tolerated.filter((other) => !long.some((one) => isSame(one, other)))
  const loose = tolerated.filter(
    (other) => long.some((one) => isSame(one, other)) && !long.some((one) => isSame(one, other) && one.lines > other.lines - 20),
  )
  return [
    ...tooLong,
    ...idle.map((one) => `${nameOf(one)} is short enough now: take it off the ratchet`),
    ...loose.map((one) => `${nameOf(one)} has become much shorter: lower its number in the ratchet`),
  ]
}

function isSame(left: Long, right: Long): boolean {
  return left.path === right.path && left.name === right.name
}

function nameOf({ path, name }: Long): string {
  return name === undefined ? path : `${path}, ${name}`
}

/** The linter leaves with 1 when it finds something: that is an answer here, not a failure. */
function lint(folder: string, line: readonly string[]): string {
  try {
    return execFileSync(join(root, 'node_modules', '.bin', 'oxlint'), [...line], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 })
  } catch (error) {
    const { stdout } = error as { stdout?: string }
    if (stdout === undefined || !stdout.trimStart().startsWith('{')) throw error
    return stdout
  }
}

interface Diagnostic {
  readonly message: string
  readonly code: string
  readonly filename: string
}

function parse(said: string): Long[] {
  const { diagnostics } = JSON.parse(said) as { diagnostics: readonly Diagnostic[] }
  return diagnostics.map(({ message, filename }) => {
    const [, name] = /`([^`]+)`/.exec(message) ?? []
    const [, lines] = /\((\d+)\)/.exec(message) ?? []
    return { path: filename.replaceAll('\\', '/').replace(/^\.\//, ''), name: name ?? 'a function without a name', lines: Number(lines) }
  })
}
