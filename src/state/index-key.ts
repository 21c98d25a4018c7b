/**
 * Texts that order as values do, by UTF-8 bytes: so an index is a range of keys.
 *
 *   nothing < false < true < numbers < texts        each column ends before the next begins
 */
import { fault } from '../kit/fault.ts'

/** Of one column. */
export function encodeColumn(value: unknown): string {
  if (isNothing(value)) return '0'
  if (typeof value === 'boolean') return value ? '2' : '1'
  if (typeof value === 'number' && !Number.isNaN(value)) return `3${encodeNumber(value)}`
  if (typeof value === 'string') return `4${encodeText(value)}${end}`
  throw fault('ROW_INVALID', 'an indexed column holds text, numbers, booleans or nothing', { value })
}

/** What a row leaves out is what it has as null. */
export function isNothing(value: unknown): value is undefined | null {
  return value === undefined || value === null
}

/** Above nothing, and not above anything else. */
export const something = '1'

/** `\u0001` ends a text: what is not above it is written with `\u0002` in front. */
const end = '\u0001'

function encodeText(text: string): string {
  if (!text.isWellFormed()) throw fault('ROW_INVALID', 'an indexed text has half a surrogate pair', {})
  return /[\u0000-\u0002]/.test(text)
    ? text.replace(/[\u0000-\u0002]/g, (character) => `\u0002${String.fromCharCode(character.charCodeAt(0) + 1)}`)
    : text
}

const number = new Float64Array(1)
const halves = new Uint32Array(number.buffer)

/** The bits of a double, turned so that they order as it does, as 16 hexadecimal digits. */
function encodeNumber(value: number): string {
  number[0] = value === 0 ? 0 : value
  const low = halves[0] ?? 0
  const high = halves[1] ?? 0
  const negative = high >>> 31 === 1
  const first = negative ? ~high >>> 0 : (high | 0x80000000) >>> 0
  const second = negative ? ~low >>> 0 : low
  return first.toString(16).padStart(8, '0') + second.toString(16).padStart(8, '0')
}
