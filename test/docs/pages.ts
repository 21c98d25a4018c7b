/** The documents, and the tables in them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../house/source.ts'

export function readPage(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** The rows of the first table whose head begins with this cell, each by its cells; code spans without their marks. */
export function tableOf(page: string, firstHead: string): readonly (readonly string[])[] {
  const lines = page.split('\n')
  const head = lines.findIndex((line) => cellsOf(line)[0] === firstHead)
  if (head === -1) return []
  const rows = lines.slice(head + 2)
  const end = rows.findIndex((line) => !line.startsWith('|'))
  return rows.slice(0, end === -1 ? undefined : end).map(cellsOf)
}

function cellsOf(line: string): readonly string[] {
  if (!line.startsWith('|')) return []
  return line
    .slice(1, line.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('`', '').replaceAll('\\|', '|'))
}
