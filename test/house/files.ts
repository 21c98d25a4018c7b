/** Rules about files and the package: how they are named, how they open, and what is published. */
import { isCode, isProduct, sourceFile } from './source.ts'
import type { Complaint, House, Rule, SourceFile } from './source.ts'

const empty = new Set(
  'util utils helper helpers type types misc common shared manager managers base core lib stuff interfaces constants index'.split(' '),
)
/** Those that say nothing behind another word either: `string-helpers`. */
const clinging = new Set('util utils helper helpers types manager managers misc common'.split(' '))
const permissive = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Unlicense',
  'BlueOak-1.0.0',
  'MIT-0',
  'CC0-1.0',
])

export const fileRules: readonly Rule[] = [
  {
    name: 'file-names',
    why: 'a file is named by a noun in kebab-case that says what is in it',
    look: (house) => house.files.filter(({ path }) => isCode(path)).flatMap(({ path }) => whyBadName(path)),
    breaks: [
      'src/flow/utils.ts',
      'src/kit/string-helpers.ts',
      'src/flow/LaneRecord.ts',
      'src/flow/index.ts',
      'src/flow/lane_record.ts',
      'src/common/a.ts',
    ].map((path) => [sourceFile(path, '')]),
    keeps: [
      'src/flow/lane-record.ts',
      'src/flow/lane-record.test.ts',
      'src/entry/index.ts',
      'scripts/setup.mjs',
      'test/types/shop.ts',
      'src/event/type-name.ts',
    ].map((path) => [sourceFile(path, '')]),
  },
  {
    name: 'opens-with-a-sentence',
    why: 'a file says in its first line what it is for',
    look: (house) =>
      house.files.flatMap(({ path, text }) =>
        isProduct(path) && !/^(?:#!.*\n)?\/\*\*(?:\s*\n \*)? [`'"A-Z0-9][^\n]{12,}/.test(text)
          ? [{ path, line: 1, what: 'does not open with /** and a sentence that says what it is for' }]
          : [],
      ),
    breaks: [
      ["import { a } from './a.ts'\n"],
      ['// What this is for, in a sentence.\n'],
      ['/** */\n'],
      ['const a = 1\n/** What this is for, in a sentence. */\n'],
    ].map(([text = '']) => [sourceFile('src/kit/a.ts', text)]),
    keeps: [
      [sourceFile('src/kit/a.ts', '/** What this is for, in a sentence. */\n')],
      [sourceFile('src/kit/a.ts', '/**\n * What this is for, in a sentence.\n */\n')],
      [sourceFile('src/cli/main.ts', '#!/usr/bin/env node\n/** What this is for, in a sentence. */\n')],
    ],
  },
  {
    name: 'lock-names-no-registry',
    why: 'the lock file holds for any registry: what it pins is the content',
    look: (house) =>
      locks(house).flatMap(({ path, packages }) =>
        Object.entries(packages).flatMap(([name, { resolved }]) =>
          resolved?.startsWith('http') === true ? [{ path, line: 1, what: `${name} names a host` }] : [],
        ),
      ),
    breaks: [[lockOf({ 'node_modules/a': { resolved: 'https://example.org/a.tgz', license: 'MIT' } })]],
    keeps: [[lockOf({ 'examples/a': { resolved: 'examples/a' } })]],
  },
  {
    name: 'dependencies-install-silently',
    why: 'what is published needs no install script, and only permissive licences',
    look: (house) =>
      locks(house).flatMap(({ path, packages }) =>
        Object.entries(packages).flatMap(([name, one]) => whyBadDependency(name, one).map((what) => ({ path, line: 1, what }))),
      ),
    breaks: [
      [lockOf({ 'node_modules/a': { license: 'MIT', hasInstallScript: true } })],
      [lockOf({ 'node_modules/a': { license: 'AGPL-3.0' } })],
      [lockOf({ 'node_modules/a': {} })],
    ],
    keeps: [
      [
        lockOf({
          'node_modules/a': { license: 'MIT' },
          'node_modules/b': { dev: true, hasInstallScript: true },
          'node_modules/millrace': { link: true },
        }),
      ],
    ],
  },
  {
    name: 'exports-lead-to-sources',
    why: 'each published entry is one source, with its types and its built file under the same name',
    look: (house) => house.files.filter(({ path }) => path === 'package.json').flatMap((file) => exportFaults(house, file)),
    breaks: [
      [packageWith({ '.': entry('entry/index') })],
      [packageWith({ '.': { ...entry('entry/index'), types: './dist/entry/other.d.ts' } }), sourceFile('src/entry/index.ts', '')],
      [packageWith({ '.': { default: './dist/entry/index.js' } }), sourceFile('src/entry/index.ts', '')],
    ],
    keeps: [[packageWith({ '.': entry('entry/index'), './package.json': './package.json' }), sourceFile('src/entry/index.ts', '')]],
  },
  {
    name: 'commands-exist',
    why: 'a script of package.json starts a file that is there',
    look: (house) => house.files.filter(({ path }) => /(^|\/)package\.json$/.test(path)).flatMap((file) => scriptFaults(house, file)),
    breaks: [[sourceFile('package.json', '{"scripts":{"soak":"node scripts/gone.ts"}}')]],
    keeps: [
      [
        sourceFile('package.json', '{"scripts":{"soak":"node --conditions=millrace-source scripts/soak.ts"}}'),
        sourceFile('scripts/soak.ts', ''),
      ],
    ],
  },
]

function whyBadName(path: string): Complaint[] {
  const parts = path.split('/')
  const name = (parts.at(-1) ?? '').replace(/(\.test)?(\.d)?\.(ts|mts|mjs|js)$/, '')
  const isEntry = path === 'src/entry/index.ts'
  const folders = path.startsWith('src/') ? parts.slice(0, -1) : []
  const last = name.split('-').at(-1) ?? ''
  const says = [...folders, name, ...(clinging.has(last) && last !== name ? [last] : [])].filter((word) => empty.has(word) && !isEntry)
  const isKebab = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z]+)?$/.test(name)
  const what = [...says.map((word) => `"${word}" says nothing`), ...(isKebab ? [] : ['is not kebab-case'])]
  return what.map((one) => ({ path, line: 1, what: one }))
}

interface Locked {
  readonly resolved?: string
  readonly license?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly link?: boolean
  readonly hasInstallScript?: boolean
}

function locks(house: House): { path: string; packages: Readonly<Record<string, Locked>> }[] {
  const files = house.files.filter(({ path }) => path === 'package-lock.json')
  return files.map(({ path, text }) => ({ path, packages: (JSON.parse(text) as { packages: Readonly<Record<string, Locked>> }).packages }))
}

function whyBadDependency(name: string, { license, dev, link, hasInstallScript }: Locked): string[] {
  if (dev === true || link === true || !name.includes('node_modules/')) return []
  return [
    ...(hasInstallScript === true ? [`${name} has an install script`] : []),
    ...(license !== undefined && permissive.has(license) ? [] : [`${name} has the licence ${license ?? '(none)'}`]),
  ]
}

type Entry = Readonly<Record<string, string>>

function exportFaults(house: House, { path, text }: SourceFile): Complaint[] {
  const { exports = {} } = JSON.parse(text) as { exports?: Readonly<Record<string, string | Entry>> }
  const faults = Object.entries(exports).flatMap(([name, one]) => {
    if (typeof one === 'string') return []
    const stem = /^\.\/src\/(.+)\.ts$/.exec(one['millrace-source'] ?? '')?.[1]
    if (stem === undefined || !house.has(`src/${stem}.ts`)) return [`${name} leads to no source`]
    return one['types'] === `./dist/${stem}.d.ts` && one['default'] === `./dist/${stem}.js`
      ? []
      : [`${name}: types and default are not those of ${stem}`]
  })
  return faults.map((what) => ({ path, line: 1, what }))
}

function scriptFaults(house: House, { path, text }: SourceFile): Complaint[] {
  const folder = path.replace(/package\.json$/, '')
  const { scripts = {} } = JSON.parse(text) as { scripts?: Entry }
  return Object.entries(scripts).flatMap(([name, script]) => {
    const named = script.split(' ').filter((word) => /^[\w./-]+\.(ts|mjs)$/.test(word))
    return named.flatMap((word) =>
      house.has(folder + word) ? [] : [{ path, line: 1, what: `${name} starts ${word}, which is not there` }],
    )
  })
}

function lockOf(packages: Readonly<Record<string, Locked>>): SourceFile {
  return sourceFile('package-lock.json', JSON.stringify({ packages }))
}

function packageWith(exports: Readonly<Record<string, string | Entry>>): SourceFile {
  return sourceFile('package.json', JSON.stringify({ exports }))
}

function entry(stem: string): Entry {
  return { 'millrace-source': `./src/${stem}.ts`, types: `./dist/${stem}.d.ts`, default: `./dist/${stem}.js` }
}
