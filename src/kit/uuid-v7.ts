/**
 * Ids that order by time: UUIDv7. Minted ones never repeat and never go back; made ones are the same whenever they are made of the same.
 *
 *   tttttttt-tttt-7ccc-vccc-rrrrrrrrrrrr     t milliseconds   c counter   r random, drawn anew each millisecond
 *   tttttttt-tttt-7hhh-vhhh-hhhhhhhhhhhh     t milliseconds   h 74 bits of a SHA-256
 */
import { hash } from 'node:crypto'

/** `nowMs`: of a caller that has just asked for it. */
export type IdMint = (nowMs?: number) => string

/** What an id is made of; an Environment has both. */
export interface TimeAndChance {
  nowMs(): number
  /** From 0 up to 1, 1 excluded. */
  random(): number
}

/** Each id is greater than the one before, whatever the clock does: where it stands or goes back, time is borrowed from what comes. */
export function idMint(environment: TimeAndChance, counterEnd: number = 2 ** 26): IdMint {
  let lastMs = -1
  let counter = 0
  let head = ''
  let tail = ''
  const refill = (nowMs: number): void => {
    if (nowMs > lastMs || counter >= counterEnd) {
      lastMs = Math.max(nowMs, lastMs + 1)
      // The lower half only, so that a millisecond has room for 33 million ids.
      counter = Math.floor(environment.random() * (counterEnd / 2 / perHead)) * perHead
      tail = hex(Math.floor(environment.random() * 2 ** 48), 12)
    }
    const high = counter >>> 14
    const middle = 0x80 | ((counter >>> 8) & 0x3f)
    head = `${timeHead(lastMs)}${hex(high, 3)}-${hex(middle, 2)}`
  }
  return (nowMs = environment.nowMs()) => {
    if (nowMs > lastMs || counter % perHead === 0) refill(Math.floor(nowMs))
    const low = bytes[counter % perHead] ?? ''
    counter += 1
    return `${head}${low}-${tail}`
  }
}

/** The UUIDv7 of a time and of what is hashed: parts in their order, their borders included. */
export function uuidV7From(timeMs: number, parts: readonly (string | number)[]): string {
  let text = ''
  for (const part of parts) {
    const one = String(part)
    text += `${one.length}:${one}`
  }
  const digest = hash('sha256', text, 'hex')
  const variant = variants[parseInt(digest.charAt(3), 16)] ?? '8'
  return `${timeHead(timeMs)}${digest.slice(0, 3)}-${variant}${digest.slice(4, 7)}-${digest.slice(7, 19)}`
}

/** The time in a UUIDv7, `undefined` of any other text. */
export function timeOfUuidV7(id: string): number | undefined {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)) return undefined
  return parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

/** So many ids share their first 20 digits, which are written once. */
const perHead = 256
const bytes = Array.from({ length: perHead }, (_, byte) => hex(byte, 2))
/** The two bits that say RFC 9562, above two of the hash. */
const variants = '89ab89ab89ab89ab'
const lastTimeMs = 2 ** 48 - 1

/** The last one is kept: many ids are made of one time. */
let written = { timeMs: 0, head: '00000000-0000-7' }

function timeHead(timeMs: number): string {
  if (timeMs !== written.timeMs) {
    const digits = hex(Math.min(lastTimeMs, Math.max(0, Math.floor(timeMs))), 12)
    written = { timeMs, head: `${digits.slice(0, 8)}-${digits.slice(8)}-7` }
  }
  return written.head
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
