/** Rules about who sees whom: the ladder of folders, cycles, re-exports, packages, and files that nothing reaches. */
import { dirname, join } from 'node:path/posix'
import { isCode, isProduct, isTest, lineOf, sourceFile } from './source.ts'
import type { Complaint, House, Rule, SourceFile } from './source.ts'

/** A folder sees only those that stand before it. */
const ladder = ['kit', 'ports', 'event', 'contracts', 'rules', 'flow', 'state', 'define', 'plan', 'runtime', 'observe', 'testing']
/** Each sees the core, and none sees another. */
const edges = ['stores', 'transports', 'hosts', 'describe', 'deploy', 'console']
const top = ['entry', 'cli']
/** Where the machine may be touched. */
const onTheMachine = new Set(['hosts', 'stores', 'transports', 'deploy', 'cli', 'testing'])
/** What of Node every runtime has, for ids, digests and signatures. */
const everywhere = new Set(['node:crypto', 'node:util'])
const mayDigest = new Set(['kit', 'event'])

export interface Import {
  readonly from: SourceFile
  readonly specifier: string
  /** Where it leads, if it is a file of ours. */
  readonly to: string | undefined
  readonly line: number
  readonly isReExport: boolean
}

export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = []
  const statement = /\b(?:(import|export)\b(?:(?![;()]|\b(?:import|export)\b)[^'"])*?\bfrom\s*|import\s*\(\s*|import\s+)(['"])/g
  for (const match of file.code.matchAll(statement)) {
    const start = match.index + match[0].length
    const specifier = file.text.slice(start, file.text.indexOf(match[2] ?? "'", start))
    const to = specifier.startsWith('.') ? join(dirname(file.path), specifier) : undefined
    found.push({ from: file, specifier, to, line: lineOf(file.text, match.index), isReExport: match[1] === 'export' })
  }
  return found
}

export const importRules: readonly Rule[] = [
  {
    name: 'ladder',
    why: 'a folder sees only what stands before it, no edge sees another, and nothing sees the command line',
    look: (house) => productImports(house).flatMap((one) => whyNotSeen(one) ?? []),
    breaks: [
      [sourceFile('src/kit/slot.ts', "import { run } from '../flow/runner.ts'\n")],
      [sourceFile('src/stores/sqlite.ts', "import { serve } from '../hosts/node.ts'\n")],
      [sourceFile('src/runtime/start.ts', "import type { Store } from '../stores/memory.ts'\n")],
      [sourceFile('src/testing/given.ts', "const sqlite = await import('../stores/sqlite.ts')\n")],
      [sourceFile('src/entry/index.ts', "export { main } from '../cli/main.ts'\n")],
      [sourceFile('src/define/fn.ts', "import { given } from '../testing/given.ts'\n")],
      [sourceFile('src/plan/lower.ts', "import { given } from '../../test/given.ts'\n")],
      [sourceFile('src/plan/lower.ts', "import { given } from './other.test.ts'\n")],
      [sourceFile('src/define/fn.ts', "import { start } from 'millrace'\n")],
    ],
    keeps: [
      [sourceFile('src/flow/runner.ts', "import type { Store } from '../ports/store.ts'\nimport { turn } from './turn.ts'\n")],
      [sourceFile('src/testing/given.ts', "import { memoryStore } from '../stores/memory.ts'\n")],
      [
        sourceFile(
          'src/kit/slot.ts',
          "/** As in: import { a } from '../cli/main.ts' */\nconst text = `import { a } from '../cli/main.ts'`\n",
        ),
      ],
      [sourceFile('src/kit/slot.test.ts', "import { memoryStore } from '../stores/memory.ts'\n")],
      [sourceFile('src/cli/main.ts', "import { serve } from '../hosts/node.ts'\n")],
    ],
  },
  {
    name: 'two-levels',
    why: 'a source is always src/folder/file.ts, and the folder is one of the ladder',
    look: (house) =>
      house.files.flatMap(({ path }) =>
        path.startsWith('src/') && !isInLadder(path) ? complaint(path, 'is not src/folder/file.ts of the ladder') : [],
      ),
    breaks: [[sourceFile('src/main.ts', '')], [sourceFile('src/flow/lanes/lease.ts', '')], [sourceFile('src/services/shop.ts', '')]],
    keeps: [[sourceFile('src/flow/lease.ts', '')]],
  },
  {
    name: 'no-cycles',
    why: 'two files that need each other are one file, or three; type imports count',
    look: cycles,
    breaks: [
      [sourceFile('src/kit/a.ts', "import { b } from './b.ts'\n"), sourceFile('src/kit/b.ts', "import type { A } from './a.ts'\n")],
      [
        sourceFile('test/a.ts', "import { b } from './b.ts'\n"),
        sourceFile('test/b.ts', "import { c } from './c.ts'\n"),
        sourceFile('test/c.ts', "const a = () => import('./a.ts')\n"),
      ],
    ],
    keeps: [
      [
        sourceFile('src/kit/a.ts', "import { b } from './b.ts'\nimport { c } from './c.ts'\n"),
        sourceFile('src/kit/b.ts', "import { c } from './c.ts'\n"),
      ],
    ],
  },
  {
    name: 'no-barrels',
    why: 'only the published entries pass on what others made: barrels are where cycles come from',
    look: (house) =>
      imports(house).flatMap((one) =>
        one.isReExport && !one.from.path.startsWith('src/entry/') ? at(one, 'passes on what another file exports') : [],
      ),
    breaks: [
      [sourceFile('src/flow/all.ts', "export * from './turn.ts'\n")],
      [sourceFile('src/stores/sqlite.ts', "export { open } from './open.ts'\n")],
    ],
    keeps: [[sourceFile('src/entry/index.ts', "export { fn } from '../define/fn.ts'\n")]],
  },
  {
    name: 'import-form',
    why: 'the sources run as they are: relative imports end in .ts, and what is of Node says node:',
    look: (house) => imports(house).flatMap((one) => whyBadForm(one) ?? []),
    breaks: [
      [sourceFile('src/kit/a.ts', "import { b } from './b'\n")],
      [sourceFile('src/kit/a.ts', "import { b } from './b.js'\n")],
      [sourceFile('test/a.ts', "import { readFileSync } from 'fs'\n")],
    ],
    keeps: [[sourceFile('test/a.ts', "import { readFileSync } from 'node:fs'\nimport { places } from './setup.mjs'\n")]],
  },
  {
    name: 'node-stays-outside',
    why: 'the core runs on every runtime: only hosts, stores, the command line and the testing kit touch the machine',
    look: (house) => productImports(house).flatMap((one) => (touchesNode(one) ? at(one, `takes ${one.specifier}`) : [])),
    breaks: [
      [sourceFile('src/flow/runner.ts', "import { readFileSync } from 'node:fs'\n")],
      [sourceFile('src/define/fn.ts', "import { hash } from 'node:crypto'\n")],
    ],
    keeps: [
      [
        sourceFile('src/kit/slot.ts', "import { hash } from 'node:crypto'\n"),
        sourceFile('src/hosts/node.ts', "import { createServer } from 'node:http'\n"),
      ],
    ],
  },
  {
    name: 'packages-as-declared',
    why: 'a published file takes only packages that the published package depends on, and all of those are taken',
    look: packagesAsDeclared,
    breaks: [
      [manifest({ hono: '^4' }), sourceFile('src/runtime/http.ts', "import { z } from 'zod'\nimport { Hono } from 'hono'\n")],
      [manifest({ hono: '^4', leftover: '^1' }), sourceFile('src/runtime/http.ts', "import { Hono } from 'hono/tiny'\n")],
    ],
    keeps: [
      [
        manifest({ '@hono/node-server': '^2' }),
        sourceFile('src/hosts/node.ts', "const { serve } = await import('@hono/node-server/serve')\n"),
      ],
    ],
  },
  {
    name: 'no-dead-files',
    why: 'every source is reached from a published entry, the command line or a test of the whole; a port may wait for its engine',
    look: deadFiles,
    breaks: [
      [
        manifest({}),
        sourceFile('src/entry/index.ts', "export { a } from '../kit/a.ts'\n"),
        sourceFile('src/kit/a.ts', ''),
        sourceFile('src/kit/lost.ts', ''),
      ],
    ],
    keeps: [
      [
        manifest({}),
        sourceFile('src/entry/index.ts', "export { a } from '../kit/a.ts'\n"),
        sourceFile('src/kit/a.ts', "const b = () => import('./b.ts')\n"),
        sourceFile('src/kit/b.ts', ''),
      ],
    ],
  },
]

function imports(house: House): Import[] {
  return house.files.filter(({ path }) => isCode(path)).flatMap(importsOf)
}

function productImports(house: House): Import[] {
  return house.files.filter(({ path }) => isProduct(path)).flatMap(importsOf)
}

function folderOf(path: string): string {
  return path.split('/')[1] ?? ''
}

function isInLadder(path: string): boolean {
  const parts = path.split('/')
  return parts.length === 3 && [...ladder, ...edges, ...top].includes(parts[1] ?? '')
}

function whyNotSeen(one: Import): Complaint | undefined {
  if (one.specifier === 'millrace' || one.specifier.startsWith('millrace/')) return at(one, 'takes the package that it is part of')
  if (one.to === undefined) return undefined
  if (!one.to.startsWith('src/')) return at(one, `takes ${one.to} from outside of src`)
  if (isTest(one.to)) return at(one, `takes the test ${one.to}`)
  return sees(folderOf(one.from.path), one.to) ? undefined : at(one, `${folderOf(one.from.path)} may not see ${one.to}`)
}

function sees(from: string, path: string): boolean {
  const to = folderOf(path)
  if (from === to || from === 'cli') return true
  if (from === 'entry') return to !== 'cli'
  if (edges.includes(from)) return ladder.includes(to)
  if (from === 'testing' && path.startsWith('src/stores/memory')) return true
  return ladder.includes(to) && ladder.indexOf(to) < ladder.indexOf(from)
}

function whyBadForm(one: Import): Complaint | undefined {
  if (one.specifier.startsWith('.')) return /\.(ts|mjs|json)$/.test(one.specifier) ? undefined : at(one, `${one.specifier} lacks its .ts`)
  return builtins.has(one.specifier.split('/')[0] ?? '') ? at(one, `${one.specifier} lacks its node:`) : undefined
}

const builtins = new Set(
  [
    'assert async_hooks buffer child_process cluster crypto dgram dns events fs http http2 https module net os path',
    'perf_hooks process readline stream timers tls url util v8 vm worker_threads zlib',
  ].flatMap((line) => line.split(' ')),
)

function touchesNode(one: Import): boolean {
  if (!one.specifier.startsWith('node:') || onTheMachine.has(folderOf(one.from.path))) return false
  return !(mayDigest.has(folderOf(one.from.path)) && everywhere.has(one.specifier))
}

function cycles(house: House): Complaint[] {
  const graph = new Map<string, string[]>()
  for (const file of house.files)
    if (isCode(file.path))
      graph.set(
        file.path,
        importsOf(file).flatMap(({ to }) => (to === undefined ? [] : [to])),
      )
  const done = new Set<string>()
  const found: Complaint[] = []
  const walk = (path: string, trail: readonly string[]): void => {
    const seen = trail.indexOf(path)
    if (seen !== -1) found.push({ path, line: 1, what: `goes in a circle: ${[...trail.slice(seen), path].join(' > ')}` })
    if (seen !== -1 || done.has(path)) return
    for (const to of graph.get(path) ?? []) walk(to, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) walk(path, [])
  return found
}

function packagesAsDeclared(house: House): Complaint[] {
  const { dependencies, peerDependencies } = packageOf(house)
  const declared = new Set([...Object.keys(dependencies ?? {}), ...Object.keys(peerDependencies ?? {})])
  const taken = productImports(house).filter(({ specifier }) => !/^(\.|node:|millrace)/.test(specifier))
  const unknown = taken.flatMap((one) =>
    declared.has(packageName(one.specifier)) ? [] : at(one, `takes ${one.specifier}, which is no dependency`),
  )
  const used = new Set(taken.map(({ specifier }) => packageName(specifier)))
  const idle = Object.keys(dependencies ?? {}).filter((name) => !used.has(name))
  return [...unknown, ...idle.flatMap((name) => complaint('package.json', `depends on ${name}, which nothing takes`))]
}

function deadFiles(house: House): Complaint[] {
  const byPath = new Map(house.files.map((file) => [file.path, file]))
  const { exports } = packageOf(house)
  const starts = Object.values(exports ?? {}).flatMap((one) =>
    typeof one === 'string' ? [] : [one['millrace-source']?.replace('./', '') ?? ''],
  )
  const reached = new Set<string>()
  const walk = (path: string): void => {
    const file = byPath.get(path)
    if (file === undefined || reached.has(path)) return
    reached.add(path)
    for (const { to } of importsOf(file)) if (to !== undefined) walk(to)
  }
  const around = [...byPath.keys()].filter((path) => isCode(path) && /^(test|scripts|bench)\//.test(path))
  for (const path of [...starts, 'src/cli/main.ts', ...around]) walk(path)
  return house.files.flatMap(({ path }) =>
    isProduct(path) && !path.startsWith('src/ports/') && !reached.has(path) ? complaint(path, 'is reached from nowhere') : [],
  )
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
}

function packageOf(house: House): Manifest {
  return JSON.parse(house.files.find(({ path }) => path === 'package.json')?.text ?? '{}')
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function manifest(dependencies: Readonly<Record<string, string>>): SourceFile {
  return sourceFile('package.json', JSON.stringify({ dependencies, exports: { '.': { 'millrace-source': './src/entry/index.ts' } } }))
}

function at(one: Import, what: string): Complaint {
  return { path: one.from.path, line: one.line, what }
}

function complaint(path: string, what: string): Complaint {
  return { path, line: 1, what }
}
