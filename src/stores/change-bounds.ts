/**
 * What every store refuses before it looks at what it keeps: a change that is too large, malformed, or meant for another life of the
 * store.
 */
import { fault } from '../kit/fault.ts'
import { slotCount } from '../kit/slot.ts'
import type { Append, Change, Key, StoreLimits } from '../ports/store.ts'
import { laneRanges } from './lane-ranges.ts'

export function storeLimits(lanes: number, native: boolean, smaller: Partial<StoreLimits> = {}): StoreLimits {
  return {
    items: 10_000,
    bytes: 16 * 1_048_576,
    rowBytes: 1_048_576,
    keyBytes: 1_024,
    eventBytes: 1_048_576,
    lanes: laneRanges(lanes),
    writers: 'one',
    order: 'global',
    native,
    healMs: 1_000,
    ...smaller,
  }
}

export function checkChange(change: Change, limits: StoreLimits, incarnation: string): void {
  if (change.incarnation !== incarnation) {
    throw fault('INCARNATION_OTHER', `made for ${change.incarnation}, the store is ${incarnation}`, {
      made: change.incarnation,
      store: incarnation,
    })
  }
  if (change.native.length > 0 && !limits.native) throw fault('NATIVE_UNSUPPORTED')
  const items = change.checks.length + change.appends.length + change.puts.length + change.deletes.length
  if (items > limits.items) throw tooLarge('items', items, limits.items)
  let units = 0
  for (const check of change.checks) units += checkKey(check, limits)
  for (const key of change.deletes) units += checkKey(key, limits)
  for (const put of change.puts) units += checkKey(put, limits) + checkText(put.value, limits.rowBytes, 'rowBytes')
  for (const append of change.appends) units += checkAppend(append, limits)
  // A unit of UTF-16 is at most three bytes: whatever is far below the limit is not counted exactly.
  if (units * 3 > limits.bytes) checkBytes(change, limits.bytes)
}

function checkAppend({ event, streams }: Append, limits: StoreLimits): number {
  if (!(event.slot >= 0 && event.slot < slotCount && Number.isInteger(event.slot))) throw invalid(`there is no slot ${event.slot}`)
  const { source, id, type, key, time, data } = event
  const units = source.length + id.length + type.length + key.length + time.length + data.length + (event.extra?.length ?? 0)
  if (units * 3 > limits.eventBytes) {
    const bytes = eventTexts(event).reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    if (bytes > limits.eventBytes) throw tooLarge('eventBytes', bytes, limits.eventBytes)
  }
  if (!isKeepableEvent(event)) throw invalid('an event holds half a surrogate pair, or NUL')
  if (streams.length > 0) for (const stream of streams) checkText(stream, limits.keyBytes, 'keyBytes')
  return units
}

function checkKey(key: Key, limits: StoreLimits): number {
  if (!/^[a-z]+$/.test(key.kind)) throw invalid(`'${key.kind}' is no kind`)
  return key.kind.length + checkText(key.part, limits.keyBytes, 'keyBytes') + checkText(key.key, limits.keyBytes, 'keyBytes')
}

function checkText(text: string, limit: number, name: 'keyBytes' | 'rowBytes'): number {
  if (text.length * 3 > limit) {
    const bytes = Buffer.byteLength(text)
    if (bytes > limit) throw tooLarge(name, bytes, limit)
  }
  if (!isKeepable(text)) throw invalid('a text holds half a surrogate pair, or NUL')
  return text.length
}

/** Engines keep UTF-8, and some end a text at NUL. JSON writes both as escapes, so only keys and names can hold them. */
function isKeepable(text: string | undefined): boolean {
  return text === undefined || (text.isWellFormed() && !text.includes('\u0000'))
}

/** One by one: a list of them for each event would cost more than to look. */
function isKeepableEvent(event: Append['event']): boolean {
  const { tenant, source, id, type, key, time, data, subject, cause, correlation, extra, tags } = event
  if (!(isKeepable(tenant) && isKeepable(source) && isKeepable(id) && isKeepable(type) && isKeepable(key))) return false
  if (!(isKeepable(time) && isKeepable(data) && isKeepable(subject) && isKeepable(cause))) return false
  return isKeepable(correlation) && isKeepable(extra) && (tags === undefined || tags.every(isKeepable))
}

function checkBytes(change: Change, limit: number): void {
  let bytes = 0
  const add = (text: string): void => void (bytes += Buffer.byteLength(text))
  for (const key of [...change.checks, ...change.deletes, ...change.puts]) for (const text of [key.kind, key.part, key.key]) add(text)
  for (const put of change.puts) add(put.value)
  for (const { event } of change.appends) eventTexts(event).forEach(add)
  if (bytes > limit) throw tooLarge('bytes', bytes, limit)
}

function eventTexts(event: Append['event']): string[] {
  const { tenant, source, id, type, key, time, data, subject = '', cause = '', correlation = '', extra = '', tags } = event
  const texts = [tenant, source, id, type, key, time, data, subject, cause, correlation, extra]
  return tags === undefined ? texts : [...texts, ...tags]
}

function tooLarge(limit: string, is: number, max: number): Error {
  return fault('CHANGE_TOO_LARGE', `${limit}: ${is}, at most ${max}`, { limit, is, max })
}

function invalid(detail: string): Error {
  return fault('CHANGE_INVALID', detail)
}
