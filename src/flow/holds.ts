/**
 * A key that is held: its failed, waiting or parked events, each a row by reference, and one row that says why. A key
 * is held whole: while the hold stands, every
 * event of the key gets a row behind it, so that nothing overtakes. Only the lane's owner writes them.
 *
 *   wait     until its head is due
 *   ready    runs as soon as the key is free: spilled, redriven or draining
 *   parked   until an operator redrives, edits or discards
 *   version  until an owner knows its version
 */
import { isFault } from '../kit/fault.ts'
import { uuidV7From } from '../kit/uuid-v7.ts'
import type { Key, Position, Row } from '../ports/store.ts'

export interface Hold {
  readonly state: 'wait' | 'ready' | 'parked' | 'version'
  /** Attempts of the head that counted. */
  readonly attempt: number
  /** By the store's clock. */
  readonly dueMs: number
  /** Rows of the key. */
  readonly count: number
  readonly sinceMs: number
  readonly error?: Failure
  /** The order key, where it cannot be a row's key. */
  readonly key?: string
}

/** What an operator sees of a failure. */
export interface Failure {
  readonly code?: string
  readonly message: string
  readonly stack?: string
  readonly atMs: number
}

export function failureOf(error: Error, atMs: number): Failure {
  const code = isFault(error) ? error.code : undefined
  const stack = cut(error.stack?.split('\n').slice(0, stackLines).join('\n') ?? '')
  return { ...(code === undefined ? {} : { code }), message: cut(error.message), ...(stack === '' ? {} : { stack }), atMs }
}

const stackLines = 8
const textMax = 4_000

/** Messages may hold whole payloads: a row keeps what a person reads of them. */
function cut(text: string): string {
  return (text.length <= textMax ? text : `${text.slice(0, textMax)} … ${text.length - textMax} more characters`).toWellFormed()
}

export interface Held {
  readonly lane: string
  readonly position: Position
  /** Of the event, for lists. */
  readonly id: string
  readonly type: string
  /** Grows with each edit. */
  readonly run: number
  /** What an operator put in place of the event's data. */
  readonly data?: string
}

export function holdKey(part: string, key: string): Key {
  return { kind: 'hold', part, key: short(key) }
}

/** The order key of a hold's row. */
export function keyOfHold(row: Row): string {
  return decodeHold(row).key ?? row.key
}

export function encodeHold(key: string, hold: Hold): string {
  return JSON.stringify(short(key) === key ? hold : { ...hold, key })
}

/** The key, written so that it holds no space, then the position: one key's rows are a range, in order. */
export function heldKey(part: string, key: string, position: Position): Key {
  return { kind: 'held', part, key: `${plain(key)} ${position}` }
}

/** The range of one key's rows. `!` is the character after the space. */
export function heldRange(
  part: string,
  key: string,
  limit: number,
): { kind: 'held'; part: string; from: string; to: string; limit: number } {
  return { kind: 'held', part, from: `${plain(key)} `, to: `${plain(key)}!`, limit }
}

export function decodeHold(row: Row): Hold {
  return JSON.parse(row.value) as Hold
}

export function decodeHeld(row: Row): Held {
  return JSON.parse(row.value) as Held
}

const keyMax = 256

/** A key that is too long for a row, or that no engine keeps as a text, is known by its beginning and a hash. */
function short(key: string): string {
  if (!key.isWellFormed() || key.includes('\u0000')) return `~${uuidV7From(0, [JSON.stringify(key)])}`
  return key.length <= keyMax ? key : `${key.slice(0, keyMax / 4)}~${uuidV7From(0, [key])}`
}

function plain(long: string): string {
  const key = short(long)
  return key.includes(' ') || key.includes('%') || key.includes('!')
    ? key.replaceAll('%', '%25').replaceAll(' ', '%20').replaceAll('!', '%21')
    : key
}
