/** The files of the house as the rules see them: path, text, and the text with comments and the insides of strings blanked out. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface SourceFile {
  /** From the root, with slashes. */
  readonly path: string
  readonly text: string
  /** As long as the text, line for line: comments and the insides of strings, templates and regular expressions are spaces. */
  readonly code: string
}

export interface House {
  readonly files: readonly SourceFile[]
  /** Whether a path exists in the house, folders included. */
  has(path: string): boolean
}

export interface Complaint {
  readonly path: string
  readonly line: number
  readonly what: string
}

export interface Rule {
  /** As it stands in the list of exceptions. */
  readonly name: string
  readonly why: string
  look(house: House): readonly Complaint[]
  /** Small houses that break the rule, each in one way: the proof that the rule is alive. */
  readonly breaks: readonly (readonly SourceFile[])[]
  /** Small houses that look as if they broke it, and do not. */
  readonly keeps?: readonly (readonly SourceFile[])[]
}

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const binary = /\.(png|jpg|gif|ico|woff2?|db|gz|zip|tgz)$/

/** What git tracks or would track: a fresh clone, without what was built or installed. */
export function readHouse(): House {
  const said = execFileSync('git', ['-c', 'safe.directory=*', 'ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
  })
  const paths = [...new Set(said.split('\0'))].filter((path) => path !== '' && !binary.test(path) && existsSync(join(root, path)))
  return houseOf(paths.toSorted().map((path) => sourceFile(path, readFileSync(join(root, path), 'utf8'))))
}

export function houseOf(files: readonly SourceFile[]): House {
  const known = new Set(files.flatMap(({ path }) => [path, ...foldersOf(path)]))
  return { files, has: (path) => known.has(path) }
}

export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, code: isCode(path) ? codeOnly(text) : text }
}

export function isCode(path: string): boolean {
  return /\.(ts|mts|mjs|js)$/.test(path)
}

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/')
}

/** What is published: the sources, without the tests that stand beside them. */
export function isProduct(path: string): boolean {
  return path.startsWith('src/') && path.endsWith('.ts') && !isTest(path)
}

export function lineOf(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1
  return line
}

function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}

/** Blanks comments and the insides of strings, templates and regular expressions. What stands in `${…}` is code. */
export function codeOnly(text: string): string {
  const out: string[] = []
  /** One entry for each template that is open around us: how deep in braces its `${` is. */
  const templates: number[] = []
  let depth = 0
  let at = 0
  const keep = (count: number): void => void out.push(text.slice(at, (at += count)))
  const blank = (end: number): void => void out.push(text.slice(at, (at = end)).replace(/[^\n]/g, ' '))
  while (at < text.length) {
    const char = text[at]
    const pair = text.slice(at, at + 2)
    if (pair === '//' || (at === 0 && pair === '#!')) blank(endOf(text, '\n', at))
    else if (pair === '/*') blank(Math.min(endOf(text, '*/', at) + 2, text.length))
    else if (char === "'" || char === '"') {
      keep(1)
      blank(endOfQuoted(text, char, at))
      keep(1)
    } else if (char === '`' || (char === '}' && templates.at(-1) === depth)) {
      if (char === '}') templates.pop()
      keep(1)
      blank(endOfTemplate(text, at))
      if (text[at] === '$') templates.push(depth)
      keep(text[at] === '$' ? 2 : 1)
    } else if (char === '/' && startsRegExp(out.join(''))) {
      keep(1)
      blank(endOfRegExp(text, at))
      keep(1)
    } else {
      if (char === '{') depth += 1
      if (char === '}') depth -= 1
      keep(1)
    }
  }
  return out.join('')
}

function endOf(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from)
  return end === -1 ? text.length : end
}

function endOfQuoted(text: string, quote: string, from: number): number {
  let at = from
  while (at < text.length && text[at] !== quote && text[at] !== '\n') at += text[at] === '\\' ? 2 : 1
  return Math.min(at, text.length)
}

function endOfTemplate(text: string, from: number): number {
  let at = from
  while (at < text.length && text[at] !== '`' && text.slice(at, at + 2) !== '${') at += text[at] === '\\' ? 2 : 1
  return Math.min(at, text.length)
}

function endOfRegExp(text: string, from: number): number {
  let at = from
  let inClass = false
  while (at < text.length && text[at] !== '\n' && (inClass || text[at] !== '/')) {
    if (text[at] === '[') inClass = true
    if (text[at] === ']') inClass = false
    at += text[at] === '\\' ? 2 : 1
  }
  return Math.min(at, text.length)
}

/** A slash starts a regular expression where a value is expected, and divides where one has just ended. */
function startsRegExp(before: string): boolean {
  const said = before.slice(-40).trimEnd()
  return said === '' || /[(,=:[!&|?{};+\-*%<>~^]$/.test(said) || /\b(?:return|typeof|case|in|of|yield|await)$/.test(said)
}
