/** CloudEvents in HTTP's binary mode: attributes as `ce-` headers, the data as the body. */
import { fault } from '../kit/fault.ts'
import { parsedJson } from '../kit/json-text.ts'
import type { Stored } from '../ports/store.ts'
import { attributesOf, envelopeOf, isJsonType, isTextType, refuse, type Data, type Envelope, type Problem } from './envelope.ts'

export interface BinaryMessage {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export function toBinary(event: Stored): BinaryMessage {
  const { datacontenttype, ...attributes } = attributesOf(event)
  const contentType = String(datacontenttype)
  const headers: Record<string, string> = { 'content-type': contentType }
  for (const [name, value] of Object.entries(attributes)) headers[`ce-${name}`] = toHeader(String(value))
  return { headers, body: isJsonType(contentType) ? event.data : textOf(event.data) }
}

/** Headers have no types: an extension's number or boolean arrives as the text of it. */
export function fromBinary(headers: Iterable<readonly [string, string]>, body: Uint8Array): Envelope {
  const attributes = new Map<string, unknown>()
  const problems: Problem[] = []
  for (const [header, value] of headers) {
    const name = header.toLowerCase()
    if (name === 'content-type') attributes.set('datacontenttype', value)
    if (!name.startsWith('ce-')) continue
    const text = fromHeader(value)
    const pointer = `/${name.slice(3)}`
    if (name === 'ce-datacontenttype') problems.push({ pointer, message: 'belongs into the Content-Type header' })
    else if (text === undefined) problems.push({ pointer, message: 'is no percent-encoded UTF-8' })
    else attributes.set(name.slice(3), text)
  }
  const contentType = attributes.get('datacontenttype')
  const judged = envelopeOf(attributes, dataOf(body, typeof contentType === 'string' ? contentType : 'application/json'))
  if (judged.ok && problems.length === 0) return judged.envelope
  const known = new Set(problems.map(({ pointer }) => pointer))
  refuse([...problems, ...(judged.ok ? [] : judged.problems.filter(({ pointer }) => !known.has(pointer)))])
}

/** Space, `"`, `%`, and all that is outside of U+0021 to U+007E. */
export function toHeader(value: string): string {
  return value.replace(/[^!#$&-~]/gu, (letter) => encodeURIComponent(letter.isWellFormed() ? letter : '\ufffd'))
}

/** `undefined`: it is no UTF-8. Older senders put the whole value in double quotes. */
export function fromHeader(value: string): string | undefined {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value)?.[1]
  const plain = quoted === undefined ? value : quoted.replace(/\\(.)/g, '$1')
  if (/[^\t -~]/.test(plain)) return undefined
  try {
    return decodeURIComponent(plain)
  } catch {
    return undefined
  }
}

function dataOf(body: Uint8Array, contentType: string): Data {
  if (body.length === 0) return isTextType(contentType) ? { data: '""', parsed: '' } : { data: 'null', parsed: null }
  const json = isJsonType(contentType)
  if (!json && !isTextType(contentType))
    throw fault('CONTENT_TYPE_UNKNOWN', `data of '${contentType}' is not kept: send JSON or text`, { contentType })
  const text = utf8Text(body)
  const parsed = json ? parsedJson(text) : text
  return { data: JSON.stringify(parsed), parsed }
}

/** Bytes that are no UTF-8 are broken JSON: no JSON is written in anything else. */
export function utf8Text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw fault('JSON_BROKEN', 'the body is no UTF-8', { position: 0 })
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Data of a text type is kept as a JSON text. */
function textOf(data: string): string {
  const value: unknown = JSON.parse(data)
  return typeof value === 'string' ? value : data
}
