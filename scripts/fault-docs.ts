/** Writes docs/faults.md from the table of codes. What was written by hand below an entry's "what to do" stays. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codes } from '../src/kit/fault-codes.ts'
import type { Code } from '../src/kit/fault-codes.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const page = join(root, 'docs', 'faults.md')
const table = readFileSync(join(root, 'src', 'kit', 'fault-codes.ts'), 'utf8')

const opening = `# Faults

Every error that Millrace throws is a \`Fault\` with one of these codes. Over HTTP it is a problem document (RFC 9457)
with the status given here and the code in its \`code\`; in the log it stands under \`code\`, beside what it was about.
The detail says what happened this time; the code says what to do.
`

writeFileSync(page, [opening, ...groups().map(section)].join('\n'))

function section({ title, members }: { title: string; members: readonly Code[] }): string {
  const kept = existsSync(page) ? handWritten(readFileSync(page, 'utf8')) : new Map<string, string>()
  return [`## ${title}\n`, ...members.map((code) => entry(code, kept.get(code)))].join('\n')
}

function entry(code: Code, prose: string | undefined): string {
  const { status, title, todo } = codes[code]
  const lines = [`### ${code}`, '', `${title} (${status}).`, '', `**What to do:** ${todo}`, '']
  return [...lines, ...(prose === undefined ? [] : [prose, ''])].join('\n')
}

/** The table's comments name its groups, its rows are the members, in order. */
function groups(): { title: string; members: readonly Code[] }[] {
  const found: { title: string; members: Code[] }[] = []
  for (const [, comment, code] of table.matchAll(/^ {2}(?:\/\/ (.+)|([A-Z][A-Z0-9_]+): \{)/gm)) {
    if (comment !== undefined) found.push({ title: comment, members: [] })
    else if (code !== undefined && Object.hasOwn(codes, code)) found.at(-1)?.members.push(code as Code)
  }
  return found.filter(({ members }) => members.length > 0)
}

function handWritten(text: string): Map<string, string> {
  const parts = text.split(/^### /m).slice(1)
  return new Map(
    parts.flatMap((part) => {
      const below =
        part
          .split(/^\*\*What to do:\*\* .*$/m)[1]
          ?.split(/^## /m)[0]
          ?.trim() ?? ''
      return below === '' ? [] : [[part.split('\n')[0]?.trim() ?? '', below] as const]
    }),
  )
}
