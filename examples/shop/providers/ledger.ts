/** What a provider has done, by idempotency key: a line of JSON each, so that it knows after a restart what it was asked before. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'

export interface Answer {
  readonly status: number
  readonly body: object
}

export interface Line {
  readonly key: string
  readonly path: string
  readonly orderId: string
  readonly answer: Answer
}

export interface Ledger {
  of(key: string): Answer | undefined
  count(): number
  /** A second line of the same key is none. */
  keep(line: Line): void
}

export function openLedger(path: string | undefined): Ledger {
  const lines = new Map(readLedger(path).map((line) => [line.key, line]))
  return {
    of: (key) => lines.get(key)?.answer,
    count: () => lines.size,
    keep(line) {
      if (lines.has(line.key)) return
      if (path !== undefined) appendFileSync(path, `${JSON.stringify(line)}\n`)
      lines.set(line.key, line)
    },
  }
}

export function readLedger(path: string | undefined): Line[] {
  if (path === undefined || !existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Line)
}
