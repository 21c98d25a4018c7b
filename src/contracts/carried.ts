/**
 * What JSON carries as it is. Data is handed on as it was validated, and read again from its text one day: both must be
 * the same. What only vanishes in the text (a member that is `undefined`, the sign of zero, a class) vanishes at once;
 * what the text would say otherwise (Infinity, a Date, a Map) is refused.
 */
import { asError, fault } from '../kit/fault.ts'
import { pointer } from './schema.ts'

/** As JSON; `what` names it in the fault NOT_JSON. */
export function jsonText(value: unknown, what: string): string {
  try {
    return JSON.stringify(value) ?? 'null'
  } catch (thrown) {
    // A BigInt is told by its place. What holds itself is not: one would go round in it.
    if (!/circular/i.test(asError(thrown).message)) refuseChanged(value, [], what)
    throw fault('NOT_JSON', `${what}: it can't be written as JSON`, { what, path: '' }, thrown)
  }
}

/** The value itself where its text says the same, else what that says; or NOT_JSON, with the place that would change. */
export function carried(value: unknown, text: string, what: string): unknown {
  if (isSame(value)) return value
  if (value !== undefined) refuseChanged(value, [], what)
  return JSON.parse(text)
}

/** For what is read from its text alone: or the fault NOT_JSON. */
export function mustCarry(value: unknown, what: string): void {
  if (!isSame(value)) refuseChanged(value, [], what)
}

/** On the way of every event: no path is kept, nothing is made. */
function isSame(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value) && (value !== 0 || 1 / value > 0)
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) if (!isSame(value[at])) return false
    return true
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  for (const name in value) if (!isSame((value as Readonly<Record<string, unknown>>)[name])) return false
  return true
}

function refuseChanged(value: unknown, path: readonly PropertyKey[], what: string): void {
  if (typeof value === 'number' ? !Number.isFinite(value) : typeof value !== 'string' && typeof value !== 'boolean' && !isPlain(value)) {
    const at = pointer(path)
    throw fault('NOT_JSON', `${what}: ${at === '' ? 'it' : at} is ${described(value)}, which JSON would change`, { what, path: at })
  }
  if (typeof value !== 'object' || value === null) return
  for (const [name, part] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
    if (part !== undefined || Array.isArray(value)) refuseChanged(part, [...path, name], what)
  }
}

/** Of any class that is written by its fields. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object') return false
  if (value === null || Array.isArray(value)) return true
  return Object.prototype.toString.call(value) === '[object Object]' && typeof Reflect.get(value, 'toJSON') !== 'function'
}

function described(value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'object' || value === null) return value === undefined ? 'undefined' : `a ${typeof value}`
  const kind = Object.prototype.toString.call(value).slice(8, -1)
  return kind === 'Object' ? 'an object with toJSON' : `a ${kind}`
}
