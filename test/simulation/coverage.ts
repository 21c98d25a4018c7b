/** Which fault hit which kind of operation, and how often: what was never hit was never tried. */
import { commitKinds } from './operations.ts'

export const operationKinds = [...commitKinds, 'get', 'scan', 'read'] as const
export const processFaults = ['crash', 'pause', 'cut', 'jump'] as const
export const storeFaults = ['full', 'failed', 'lost', 'missed', 'silent', 'mute', 'slow', 'stray'] as const

export class Coverage {
  readonly counts = new Map<string, number>()
  readonly operations = new Map<string, number>()
  /** Of anything else that a run should reach. */
  readonly reached = new Map<string, number>()

  hit(fault: string, operation: string): void {
    bump(this.counts, `${fault} × ${operation}`)
  }

  did(operation: string): void {
    bump(this.operations, operation)
  }

  reach(what: string): void {
    bump(this.reached, what)
  }

  add(other: Coverage): void {
    for (const [of, count] of other.counts) bump(this.counts, of, count)
    for (const [of, count] of other.operations) bump(this.operations, of, count)
    for (const [of, count] of other.reached) bump(this.reached, of, count)
  }

  /** Pairs hit less often than `least`. */
  short(least: number): readonly string[] {
    return pairs()
      .filter(([fault, operation]) => (this.counts.get(`${fault} × ${operation}`) ?? 0) < least)
      .map((pair) => pair.join(' × '))
  }

  table(): string {
    const faults = [...processFaults, ...storeFaults]
    const head = ['', 'calls', ...faults]
    const lines = operationKinds.map((operation) => [
      operation,
      String(this.operations.get(operation) ?? 0),
      ...faults.map((fault) => (applies(fault, operation) ? String(this.counts.get(`${fault} × ${operation}`) ?? 0) : '-')),
    ])
    const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => (line[column] ?? '').length)))
    return [head, ...lines]
      .map((line) =>
        line.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '),
      )
      .join('\n')
  }
}

function pairs(): (readonly [string, string])[] {
  return [...processFaults, ...storeFaults].flatMap((fault) =>
    operationKinds.filter((operation) => applies(fault, operation)).map((operation) => [fault, operation] as const),
  )
}

/** What only looks has nothing to apply, and nothing to be full. */
function applies(fault: string, operation: string): boolean {
  if (fault === 'stray' && operation.startsWith('publish')) return false
  // Of operators, who have no process of their own here.
  if ((fault === 'crash' || fault === 'pause' || fault === 'jump') && (operation === 'ask' || operation === 'control')) return false
  const looks = operation === 'get' || operation === 'scan' || operation === 'read'
  return (
    !looks ||
    fault === 'crash' ||
    fault === 'pause' ||
    fault === 'cut' ||
    fault === 'jump' ||
    fault === 'failed' ||
    fault === 'slow' ||
    fault === 'silent'
  )
}

function bump(map: Map<string, number>, key: string, by = 1): void {
  map.set(key, (map.get(key) ?? 0) + by)
}
