/**
 * Rules about single words: what is banned, where, and why. Each is a pattern over the code, or over the whole text
 * where comments count too.
 */
import { isCode, isProduct, isTest, lineOf, sourceFile } from './source.ts'
import type { Complaint, Rule, SourceFile } from './source.ts'

interface Ban {
  readonly name: string
  readonly why: string
  readonly in: (path: string) => boolean
  readonly pattern: RegExp
  /** `text` looks at comments and strings too. */
  readonly over?: 'text'
  /** Lines that break the rule; each is tried alone, in a file of this name. */
  readonly path?: string
  readonly breaks: readonly string[]
  readonly keeps: readonly string[]
}

const outsideTheMachine = (path: string): boolean => isProduct(path) && !/^src\/(hosts|stores|transports|cli)\//.test(path)
const quietPlaces = (path: string): boolean => isProduct(path) && !path.startsWith('src/cli/')
const ofOurs = (path: string): boolean => !/(^|\/)(package-lock\.json|LICENSE)$/.test(path)
/** Written in two parts, so that this file does not break its own rules. */
const word = (...parts: readonly string[]): string => parts.join('')

const bans: readonly Ban[] = [
  {
    name: 'no-any',
    why: 'a type that says anything says nothing: use unknown, and look',
    in: isCode,
    pattern: /(?:[:<,|&(]\s*|\bas\s+|\bextends\s+|=\s*)any\b(?!\s*[:(?'.])|\bany\[\]/g,
    breaks: ['let a: any', 'const a = b as any', 'function f(a: any[]) {}', 'let a: Map<string, any>', 'type A = any'],
    keeps: ['const any = 1', "const a = 'x: any'", 'let many: Many', 'f({ any: 1 })', 'const { any } = all'],
  },
  {
    name: 'no-bang',
    why: 'what may be undefined is looked at, not sworn away',
    in: isCode,
    pattern: /[\w)\]]!(?![=\w])/g,
    breaks: ['const a = b!', 'a.b!.c()', 'f()!.x', 'a[0]![1]'],
    keeps: ['if (!a) b()', 'a !== b', 'a != b', "const a = 'now!'", 'return !a'],
  },
  {
    name: 'no-enum-no-namespace',
    why: 'only what can be erased: the sources run as they are',
    in: isCode,
    pattern: /^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?(?:enum|namespace)\s+\w/gm,
    breaks: ['enum Kind { A }', 'export const enum Kind { A }', 'namespace A {}'],
    keeps: ["const a = z.enum(['A'])", 'const namespace = 1', 'type Enum = 1'],
  },
  {
    name: 'no-default-export',
    why: 'a thing has one name, the same everywhere',
    in: isCode,
    pattern: /\bexport\s+default\b|\bas\s+default\b/g,
    breaks: ['export default 1', 'export { a as default }'],
    keeps: ['export const a = 1', "const a = 'export default'"],
  },
  {
    name: 'no-private-words',
    why: 'what is private is #private, where the language keeps it so',
    in: isCode,
    pattern: /^\s*(?:private|protected|public)\s+(?!constructor\b)(?:static\s+|readonly\s+|async\s+)*\w+/gm,
    breaks: ['  private a = 1', '  protected readonly a: string', '  public async run() {}'],
    keeps: ['  #a = 1', '  private constructor() {}', '  { private: true }', '  private: true,'],
  },
  {
    name: 'no-inheritance',
    why: 'what is alike shares a function, not an ancestor; errors alone extend Error',
    in: isCode,
    pattern: /\bclass\s+\w*\s*(?:<[^{]*?>)?\s*extends\s+(?!Error\b)/g,
    breaks: ['class A extends B {}', 'export class A<T> extends B<T> {}'],
    keeps: ['class Fault extends Error {}', 'interface A extends B {}', 'class A implements B {}'],
  },
  {
    name: 'no-double-cast',
    why: 'a cast through unknown proves nothing: where the compiler cannot follow, the reason stands in the list of exceptions',
    in: (path) => isProduct(path) || path.startsWith('examples/'),
    pattern: /\bas\s+unknown\s+as\b/g,
    breaks: ['const a = b as unknown as C'],
    keeps: ['const a = b as unknown', 'const a = b as C'],
  },
  {
    name: 'no-arrow-exports',
    why: 'an exported function is a declaration: it reads as one, and its helpers can stand below',
    in: isCode,
    pattern: /^export const \w+(?::[^=\n]+)? = (?:async )?(?:\([^()\n]*\)(?:: [^=\n]+)?|\w+) =>/gm,
    breaks: ['export const a = (b: string) => b', 'export const a = async (b: string): Promise<string> => b', 'export const a = b => b'],
    keeps: ['export const a = (1 + 2) * 3', 'const a = (b: string) => b', 'export const all = list.map((one) => one)'],
  },
  {
    name: 'no-top-level-await',
    why: 'a file that waits when it is loaded cannot be required from CommonJS',
    in: isProduct,
    pattern: /^(?!.*\basync\b)(?:export )?(?:(?:const|let) [^\n]*= )?await\b/gm,
    breaks: ["await import('a')", 'const a = await b', 'export const a = await b'],
    keeps: ['  await a', 'const a = async () => await b'],
  },
  {
    name: 'no-silenced-compiler',
    why: 'an error that is hushed is still there: a test of types says @ts-expect-error, a single line says which rule and why',
    in: isCode,
    over: 'text',
    pattern: new RegExp(word('@ts-', '(?:ignore|nocheck)|ox', 'lint-disable(?!-next-line [\\w/-]+: \\w.{10,})|es', 'lint-disable'), 'g'),
    breaks: [
      word('// @ts-', 'ignore'),
      word('// @ts-', 'nocheck'),
      word('// ox', 'lint-disable-next-line no-console'),
      word('/* ox', 'lint-disable */'),
    ],
    keeps: ['// @ts-expect-error: a number is no name', '// oxlint-disable-next-line no-console: this is a command'],
  },
  {
    name: 'nothing-left-for-later',
    why: 'what is to be done stands where work is planned, not in the code',
    in: (path) => isCode(path) || path.endsWith('.md') || path === '.ci/run',
    over: 'text',
    pattern: new RegExp(word('\\b(?:TO', 'DO|FIX', 'ME|XX', 'X|HA', 'CK)\\b'), 'g'),
    breaks: [word('// TO', 'DO: later'), word('/* FIX', 'ME */')],
    keeps: ['const todo = entry.todo'],
  },
  {
    name: 'no-test-left-out',
    why: 'every test runs, every time',
    in: isTest,
    pattern: /\b(?:test|it|describe|suite)(?:\.(?:only|skip|todo)\b|\([^{}\n]*\{[^{}\n]*\b(?:only|skip|todo):)|\bt\.(?:skip|todo)\(/g,
    breaks: ["test.only('a', f)", "test.skip('a', f)", "test('a', { skip: true }, f)", "describe.todo('a')", 't.skip()'],
    keeps: ['codes[one].todo', 'f(skip)', "look === 'skip'", 'run({ only: found })'],
    path: 'src/kit/a.test.ts',
  },
  {
    name: 'titles-state-facts',
    why: 'a title says what is so: given, when, then',
    in: isTest,
    over: 'text',
    pattern: new RegExp(word('\\b(?:test|it)\\(\\s*[\'"`][^\'"`\\n]*\\bsho', 'uld\\b'), 'g'),
    breaks: [word("test('it sho", "uld work', f)")],
    keeps: ["test('given a key, when it is asked, then it answers', f)"],
    path: 'src/kit/a.test.ts',
  },
  {
    name: 'no-clock-timer-chance',
    why: 'time and chance come in through the environment, so that a whole cluster runs from one seed',
    in: outsideTheMachine,
    pattern: oneOf(
      /\bDate\.now\b|\bnew Date\(\s*\)|(?<!new )\bDate\(\s*\)|\bperformance\.now\b|\bhrtime\b/,
      /(?<![.#\w])(?:setTimeout|setInterval|setImmediate)\b|\bAbortSignal\.timeout\b/,
      /\bMath\.random\b|\brandom(?:UUID(?:v7)?|Bytes|Int)\b|\bgetRandomValues\b/,
    ),
    breaks: [
      'const a = Date.now()',
      'const a = new Date()',
      'setTimeout(f, 1)',
      'await new Promise(setImmediate)',
      'Math.random()',
      'crypto.randomUUID()',
      'performance.now()',
      'AbortSignal.timeout(5)',
    ],
    keeps: ['new Date(ms)', 'environment.wait(5)', '// Date.now() is banned', 'environment.random()'],
    path: 'src/flow/a.ts',
  },
  {
    name: 'no-loop-of-its-own',
    why: 'what runs a little later goes through the environment too; only the simulation, which is one, asks the event loop',
    in: (path) => outsideTheMachine(path) && !path.startsWith('src/testing/'),
    pattern: /(?<![.#\w])queueMicrotask\b|\bnextTick\b/g,
    breaks: ['queueMicrotask(f)', 'process.nextTick(f)'],
    keeps: ['environment.soon(f)'],
    path: 'src/flow/a.ts',
  },
  {
    name: 'no-process-no-console',
    why: 'settings and logs come in through ports; only hosts and the command line know the process',
    in: (path) => quietPlaces(path) && !/^src\/(hosts|stores)\//.test(path),
    pattern: oneOf(
      /(?<![.\w])console\.\w+/,
      /(?<![.\w])process\.(?:env|argv|exit|exitCode|stdin|stdout|stderr|cwd|platform|memoryUsage|kill|versions|execPath)\b/,
    ),
    breaks: ["console.log('a')", 'const a = process.env.A'],
    keeps: ['const a = runtime.process.env', 'process.random()', "const a = 'console.log'"],
    path: 'src/flow/a.ts',
  },
  {
    name: 'names-explain-themselves',
    why: 'a name says what the thing is to a stranger',
    in: isCode,
    pattern:
      /\b(?:class|interface|type|function)\s+(?:\w*(?:Manager|Helper|Helpers|Utils?|Impl)\b|Abstract\w+|Base[A-Z]\w*|I[A-Z][a-z]\w*)/g,
    breaks: [
      'class LaneManager {}',
      'interface IStore {}',
      'class AbstractStore {}',
      'class BaseStore {}',
      'class StoreImpl {}',
      'function timeUtil() {}',
    ],
    keeps: ['interface Item {}', 'interface Store {}', 'class Based {}', 'interface InFlight {}'],
  },
  {
    name: 'speaks-of-itself',
    why: 'the project speaks of itself alone: no word of a machine, a registry, or how it came to be',
    in: ofOurs,
    over: 'text',
    pattern: new RegExp(
      [
        word('(?<![\\w.)/-])/wo', 'rk\\b'),
        word('/tmp/br', 'ief'),
        word('\\.\\./sha', 'red/(?:ref|DES|peers)'),
        word('registry\\.npm', 'js\\.org'),
        word('\\bcla', 'ude\\b'),
        word('\\banth', 'ropic\\b'),
        word('\\bA', 'I\\b'),
        word('\\bL', 'LM\\b'),
        word('\\b(?:sub|helper |coding |A', 'I )-?ag', 'ents?\\b'),
        word('\\bis', 'sues? #?\\d'),
        word('\\bDES', 'IGN(?:\\.md| \\d)'),
        word('\\bthe br', 'ief\\b'),
        word('\\bsta', 'ge \\d'),
      ].join('|'),
      'g',
    ),
    breaks: [
      word('see /wo', 'rk/main'),
      word('// as is', 'sue 10 says'),
      word('the sub', 'agent wrote'),
      word('written by A', 'I'),
      word('see DES', 'IGN 3'),
    ],
    keeps: ['a user agent', 'new Agent({ keepAlive: true })', 'http://localhost/work/orders', 'a framework'],
    path: 'docs/a.md',
  },
  {
    name: 'lines-fit',
    why: 'at most 140 characters a line',
    in: (path) => isCode(path) || path === '.ci/run',
    over: 'text',
    pattern: /^.{141,}$/gm,
    breaks: ['x'.repeat(141)],
    keeps: ['x'.repeat(140)],
  },
]

export const tokenRules: readonly Rule[] = bans.map((ban) => ({
  name: ban.name,
  why: ban.why,
  look: (house) => house.files.flatMap((file) => (ban.in(file.path) ? hits(ban, file) : [])),
  breaks: ban.breaks.map((line) => [sourceFile(ban.path ?? 'src/kit/a.ts', `\n${line}\n`)]),
  keeps: ban.keeps.map((line) => [sourceFile(ban.path ?? 'src/kit/a.ts', `\n${line}\n`)]),
}))

/** Several patterns as one, each on a line of its own. */
function oneOf(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join('|'), 'g')
}

function hits(ban: Ban, file: SourceFile): Complaint[] {
  const text = ban.over === 'text' ? file.text : file.code
  return [...text.matchAll(ban.pattern)].map((match) => ({
    path: file.path,
    line: lineOf(text, match.index),
    what: said(file.text, match),
  }))
}

function said(text: string, match: RegExpMatchArray): string {
  const start = match.index ?? 0
  return `says ${text
    .slice(start, start + match[0].length)
    .trim()
    .slice(0, 60)}`
}
