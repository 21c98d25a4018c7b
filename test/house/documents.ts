/**
 * Rules about what is written for people: one heading a page, links that lead somewhere, a changelog in its form, and
 * an entry for every fault.
 */
import { dirname, join } from 'node:path/posix'
import { codes } from '../../src/kit/fault-codes.ts'
import { isProduct, lineOf, sourceFile } from './source.ts'
import type { Complaint, House, Rule, SourceFile } from './source.ts'

const pages = (house: House): readonly SourceFile[] => house.files.filter(({ path }) => path.endsWith('.md'))
const kinds = new Set(['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'])
const folded = '```'

export const documentRules: readonly Rule[] = [
  {
    name: 'one-heading',
    why: 'a page has one title, and begins with it',
    look: (house) =>
      pages(house).flatMap(({ path, text }) => {
        const count = prose(text).match(/^# /gm)?.length ?? 0
        return count === 1 && text.startsWith('# ') ? [] : [{ path, line: 1, what: `has ${count} titles, or does not begin with one` }]
      }),
    breaks: [
      [sourceFile('docs/a.md', 'no title\n')],
      [sourceFile('docs/a.md', '# One\n\n# Two\n')],
      [sourceFile('docs/a.md', 'text\n\n# Late\n')],
    ],
    keeps: [[sourceFile('docs/a.md', `# One\n\n## Part\n\n${folded}sh\n# a comment\n${folded}\n`)]],
  },
  {
    name: 'links-lead-somewhere',
    why: 'a link within the house leads to a file, and to a heading that is in it',
    look: (house) => pages(house).flatMap((page) => deadLinks(house, page)),
    breaks: [
      [sourceFile('docs/a.md', '# A\n\nSee [b](b.md).\n')],
      [sourceFile('docs/a.md', '# A\n\nSee [b](#nowhere).\n')],
      [sourceFile('docs/a.md', '# A\n\nSee [b](b.md#nowhere).\n'), sourceFile('docs/b.md', '# B\n')],
      [sourceFile('docs/a.md', '# A\n\nSee [b].\n\n[b]: ./b.md\n')],
    ],
    keeps: [
      [
        sourceFile('docs/a.md', '# A\n\n[b](b.md#the-end), [x](https://example.org/y.md), [up](../README.md), [src](../src/)\n'),
        ...someFiles(),
      ],
      [sourceFile('docs/a.md', `# A\n\n${folded}\n[b](gone.md)\n${folded}\n\nand \`[b](gone.md)\`\n`)],
    ],
  },
  {
    name: 'changelog-form',
    why: 'people and programs read the changelog: Keep a Changelog, newest first',
    look: (house) => house.files.filter(({ path }) => path === 'CHANGELOG.md').flatMap(changelogFaults),
    breaks: [
      ['# Changelog\n\n## [0.1.0] - 2026-01-01\n'],
      ['# Changelog\n\n## [Unreleased]\n\n### Improved\n'],
      ['# Changelog\n\n## [Unreleased]\n\n## 0.1.0\n'],
      ['# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-01-01\n\n## [0.2.0] - 2026-02-01\n'],
      ['# Changes\n\n## [Unreleased]\n'],
    ].map(([text = '']) => [sourceFile('CHANGELOG.md', text)]),
    keeps: [
      [sourceFile('CHANGELOG.md', '# Changelog\n\n## [Unreleased]\n\n### Added\n\n## [0.10.0] - 2026-02-01\n\n## [0.9.0] - 2026-01-01\n')],
    ],
  },
  {
    name: 'faults-are-documented',
    why: 'every code has an entry that says what to do, and no entry speaks of a code that is gone',
    look: (house) => house.files.filter(({ path }) => path === 'docs/faults.md').flatMap(faultEntries),
    breaks: [[sourceFile('docs/faults.md', '# Faults\n')], [sourceFile('docs/faults.md', '# Faults\n\n### NO_SUCH_FAULT\n')]],
  },
  {
    name: 'faults-are-thrown',
    why: 'a code that nothing throws is a promise about nothing',
    look: (house) => {
      const table = house.files.filter(({ path }) => path === 'src/kit/fault-codes.ts')
      const said = house.files.filter(({ path }) => isProduct(path) && path !== 'src/kit/fault-codes.ts').map(({ text }) => text)
      return table.flatMap(({ path }) =>
        Object.keys(codes).flatMap((code) =>
          said.some((text) => text.includes(`'${code}'`)) ? [] : [{ path, line: 1, what: `nothing throws ${code}` }],
        ),
      )
    },
    breaks: [[sourceFile('src/kit/fault-codes.ts', '')]],
  },
]

/** Without what stands in code blocks and code spans, line for line. */
function prose(text: string): string {
  let inside = false
  const lines = text.split('\n').map((line) => {
    const isFence = line.trimStart().startsWith(folded)
    if (isFence) inside = !inside
    return isFence || inside ? '' : line.replace(/`[^`]*`/g, (span) => ' '.repeat(span.length))
  })
  return lines.join('\n')
}

function deadLinks(house: House, page: SourceFile): Complaint[] {
  const text = prose(page.text)
  const links = [...text.matchAll(/\]\(([^)\s]+)[^)]*\)|^\[[^\]]+\]:\s*(\S+)/gm)]
  return links.flatMap((match) => {
    const link = match[1] ?? match[2] ?? ''
    if (/^[a-z]+:/.test(link) || leadsSomewhere(house, page, link)) return []
    return [{ path: page.path, line: lineOf(text, match.index), what: `leads to ${link}, where nothing is` }]
  })
}

function leadsSomewhere(house: House, page: SourceFile, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page.path : join(dirname(page.path), path).replace(/\/$/, '')
  if (target !== '.' && !house.has(target)) return false
  const file = house.files.find((one) => one.path === target)
  return anchor === undefined || file === undefined || !target.endsWith('.md') || headings(file.text).has(anchor)
}

function headings(text: string): Set<string> {
  const lines = text.split('\n').filter((line) => /^#{1,6} /.test(line))
  const said = lines.map((line) => line.replace(/^#+ /, '').toLowerCase())
  return new Set(said.map((line) => line.replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-')))
}

function changelogFaults({ path, text }: SourceFile): Complaint[] {
  const at = (line: number, what: string): Complaint => ({ path, line, what })
  const lines = text.split('\n')
  const releases = lines.flatMap((line, index) => (line.startsWith('## ') ? [{ line, number: index + 1 }] : []))
  const badKinds = lines.flatMap((line, index) =>
    line.startsWith('### ') && !kinds.has(line.slice(4)) ? [at(index + 1, `knows no ${line.slice(4)}`)] : [],
  )
  const badForm = releases.slice(1).filter(({ line }) => !/^## \[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}$/.test(line))
  const versions = releases.slice(1).map(({ line }) => (/\d+\.\d+\.\d+/.exec(line)?.[0] ?? '').split('.').map(Number))
  const disordered = versions.some((version, index) => index > 0 && !isBefore(version, versions[index - 1] ?? []))
  return [
    ...(lines[0] === '# Changelog' ? [] : [at(1, 'does not begin with # Changelog')]),
    ...(releases[0]?.line === '## [Unreleased]' ? [] : [at(1, 'does not open with ## [Unreleased]')]),
    ...badForm.map(({ line, number }) => at(number, `${line} is not ## [x.y.z] - date`)),
    ...(disordered ? [at(1, 'is not newest first')] : []),
    ...badKinds,
  ]
}

function isBefore(left: readonly number[], right: readonly number[]): boolean {
  for (const [place, number] of left.entries()) if (number !== right[place]) return number < (right[place] ?? 0)
  return false
}

function faultEntries({ path, text }: SourceFile): Complaint[] {
  const parts = text.split(/^### /m).slice(1)
  const entries = new Map(parts.map((part) => [part.split('\n')[0]?.trim() ?? '', part]))
  const strange = [...entries.keys()].filter((code) => !Object.hasOwn(codes, code))
  const missing = Object.entries(codes).filter(([code, { status, title, todo }]) => {
    const entry = entries.get(code)
    return entry === undefined || !entry.includes(todo) || !entry.includes(title) || !entry.includes(String(status))
  })
  return [
    ...strange.map((code) => ({ path, line: 1, what: `speaks of ${code}, which is no code` })),
    ...missing.map(([code]) => ({ path, line: 1, what: `lacks ${code} as the table has it: npm run faults` })),
  ]
}

function someFiles(): SourceFile[] {
  return [sourceFile('docs/b.md', '# B\n\n## The end\n'), sourceFile('README.md', '# R\n'), sourceFile('src/kit/a.ts', '')]
}
