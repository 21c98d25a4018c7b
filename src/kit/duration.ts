/** '200ms', '30s', '5m', '12h', '14d'. */
import { fault } from './fault.ts'

export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Stricter than the type, which lets '-5m', '1e3s' and ' 5m' through. */
export function milliseconds(duration: Duration): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration) ?? []
  const each = unit === undefined ? undefined : unitMs[unit]
  if (digits === undefined || each === undefined) throw fault('NOT_A_DURATION', `'${duration}' is not a duration`, { duration })
  return Number(digits) * each
}
