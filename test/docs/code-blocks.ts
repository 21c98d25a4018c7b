/**
 * Code in documents comes from files that run. A block says after its language where it is from, and is what stands there:
 *
 *   ```ts docs/snippets/inn.ts#inn        in the file: // #region inn … // #endregion
 */
export interface CodeBlock {
  readonly language: string
  /** `path#region`, or the path of a whole file; '' where the block does not say. */
  readonly from: string
  readonly text: string
  /** Of its first line of text, counted from 0. */
  readonly line: number
}

const fence = '```'
const code = new Set(['ts', 'typescript', 'js', 'javascript', 'mjs', 'tsx'])

export function codeBlocks(page: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { language: string; from: string; line: number; lines: string[] } | undefined
  for (const [index, line] of page.split('\n').entries()) {
    if (open !== undefined && line === fence) {
      blocks.push({ language: open.language, from: open.from, text: open.lines.join('\n'), line: open.line })
      open = undefined
    } else if (open !== undefined) open.lines.push(line)
    else if (line.startsWith(fence)) {
      const [language = '', from = ''] = line.slice(fence.length).trim().split(/\s+/)
      open = { language, from, line: index + 1, lines: [] }
    }
  }
  return blocks
}

/** What a block must say. Throws where its file has no such region, or several. */
export function regionOf(text: string, region: string | undefined): string {
  if (region === undefined) return text.trimEnd()
  const lines = text.split('\n')
  const begins = lines.flatMap((line, index) => (line.trim() === `// #region ${region}` ? [index] : []))
  const [begin] = begins
  if (begin === undefined || begins.length > 1) throw new Error(`region ${region} is there ${begins.length} times`)
  const end = lines.findIndex((line, index) => index > begin && line.trim() === '// #endregion')
  if (end === -1) throw new Error(`region ${region} has no end`)
  const inside = lines.slice(begin + 1, end)
  const indents = inside.filter((line) => line.trim() !== '').map((line) => /^ */.exec(line)?.[0].length ?? 0)
  const least = Math.min(...indents)
  return inside.map((line) => line.slice(least)).join('\n')
}

/** What is wrong with the code blocks of one page. `read` throws where there is no such file. */
export function wrongBlocks(page: string, read: (path: string) => string): readonly string[] {
  return codeBlocks(page).flatMap((block) => {
    if (block.from === '') return code.has(block.language) ? [`line ${block.line}: a block of code does not say which file it is from`] : []
    try {
      return block.text === expected(block.from, read) ? [] : [`line ${block.line}: differs from ${block.from}: node scripts/doc-code.ts`]
    } catch (error) {
      return [`line ${block.line}: ${block.from}: ${(error as Error).message}`]
    }
  })
}

/** The page with each block as its file has it. */
export function filled(page: string, read: (path: string) => string): string {
  const lines = page.split('\n')
  for (const { from, text, line } of codeBlocks(page).toReversed()) {
    if (from !== '')
      lines.splice(line, text === '' && lines[line] === fence ? 0 : text.split('\n').length, ...expected(from, read).split('\n'))
  }
  return lines.join('\n')
}

function expected(from: string, read: (path: string) => string): string {
  const [path = '', region] = from.split('#')
  return regionOf(read(path), region)
}
