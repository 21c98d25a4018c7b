/** CloudEvents as JSON: one (`application/cloudevents+json`), or several (`application/cloudevents-batch+json`). */
import { parsedJson } from '../kit/json-text.ts'
import type { Stored } from '../ports/store.ts'
import {
  attributesOf,
  envelopeOf,
  isJsonType,
  isTextType,
  refuse,
  type Data,
  type Envelope,
  type Judged,
  type Problem,
} from './envelope.ts'

export const structuredType = 'application/cloudevents+json'
export const batchType = 'application/cloudevents-batch+json'

export function toStructured(event: Stored): string {
  return `${JSON.stringify(attributesOf(event)).slice(0, -1)},"data":${event.data}}`
}

export function toBatch(events: readonly Stored[]): string {
  return `[${events.map(toStructured).join(',')}]`
}

export function fromStructured(text: string): Envelope {
  const judged = judge(parsedJson(text), '')
  if (!judged.ok) refuse(judged.problems)
  return judged.envelope
}

/** All, or a fault that names everything that is wrong with any. */
export function fromBatch(text: string): readonly Envelope[] {
  const all = parsedJson(text)
  if (!Array.isArray(all)) refuse([{ pointer: '', message: 'is no array, which a batch is' }])
  const judged = all.map((one: unknown, at) => judge(one, `/${at}`))
  const problems = judged.flatMap((one) => (one.ok ? [] : one.problems))
  if (problems.length > 0) refuse(problems)
  return judged.flatMap((one) => (one.ok ? [one.envelope] : []))
}

function judge(value: unknown, at: string): Judged {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { ok: false, problems: [{ pointer: at, message: 'is no object' }] }
  const attributes = new Map<string, unknown>()
  let data: unknown
  let base64: unknown
  for (const [name, member] of Object.entries(value)) {
    if (name === 'data') data = member
    else if (member === null) continue
    else if (name === 'data_base64') base64 = member
    else attributes.set(name, member)
  }
  const read = dataOf(data, base64, attributes.get('datacontenttype'), at)
  if ('pointer' in read) {
    const judged = envelopeOf(attributes, nothing, at)
    return { ok: false, problems: judged.ok ? [read] : [...judged.problems, read] }
  }
  return envelopeOf(attributes, read, at)
}

const nothing: Data = { data: 'null', parsed: null }

function dataOf(data: unknown, base64: unknown, contentType: unknown, at: string): Data | Problem {
  const declared = typeof contentType === 'string' ? contentType : undefined
  if (base64 !== undefined) {
    if (data !== undefined) return { pointer: `${at}/data_base64`, message: 'excludes data' }
    return fromBase64(base64, declared, `${at}/data_base64`)
  }
  if (declared === undefined || isJsonType(declared) || data === undefined)
    return { data: JSON.stringify(data ?? null), parsed: data ?? null }
  if (!isTextType(declared)) return { pointer: `${at}/datacontenttype`, message: 'is neither JSON nor text, and only these are kept' }
  if (typeof data !== 'string') return { pointer: `${at}/data`, message: `is not a text, which '${declared}' is` }
  return { data: JSON.stringify(data), parsed: data }
}

/** Only where it says that it is JSON: other bytes are not kept. */
function fromBase64(base64: unknown, contentType: string | undefined, pointer: string): Data | Problem {
  if (typeof base64 !== 'string' || !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64))
    return { pointer, message: 'is no base64' }
  if (contentType === undefined || !isJsonType(contentType))
    return { pointer, message: 'is binary data, which is not kept: send JSON or text' }
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64')))
    return { data: JSON.stringify(parsed), parsed }
  } catch {
    return { pointer, message: 'holds no JSON' }
  }
}
