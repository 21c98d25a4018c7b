/**
 * What travels: CloudEvents 1.0.2. This file holds the attributes, their rules, and which of ours is which; the two formats stand beside
 * it.
 *
 *   ours          theirs            ours          theirs
 *   id            id                version       eventversion     (an Integer)
 *   source        source            key           partitionkey
 *   type          type              cause         causationid
 *   subject       subject           correlation   correlationid
 *   time          time              streamVersion sequence         (19 digits; going out only)
 *   extra         every other attribute, as JSON text, `datacontenttype` and `dataschema` among them
 *
 * What we keep is JSON. So data of a text type is kept as a JSON text and goes out as itself, and binary data is refused, unless it is
 * JSON written as base64.
 */
import { canonicalJson } from '../kit/canonical-json.ts'
import { fault } from '../kit/fault.ts'
import type { Stored } from '../ports/store.ts'

/** What came in: not yet a fact, for its type, its key and its data are for the app to judge. */
export interface Envelope {
  readonly id: string
  readonly source: string
  readonly type: string
  /** Absent: today's. */
  readonly version?: number
  /** Absent: the declared one, else the id. */
  readonly key?: string
  readonly subject?: string
  readonly time?: string
  readonly cause?: string
  readonly correlation?: string
  /** Other attributes, as canonical JSON text. */
  readonly extra?: string
  /** JSON text, and what it says. Absent data is null. */
  readonly data: string
  readonly parsed: unknown
}

export type Attribute = string | number | boolean

/** Something wrong, and where: a JSON pointer into the event. */
export interface Problem {
  readonly pointer: string
  readonly message: string
}

export type Data = { readonly data: string; readonly parsed: unknown }

export type Judged = { readonly ok: true; readonly envelope: Envelope } | { readonly ok: false; readonly problems: readonly Problem[] }

/** The envelope of attributes as they came, or everything that is wrong with them. */
export function envelopeOf(attributes: ReadonlyMap<string, unknown>, data: Data, at = ''): Judged {
  const problems: Problem[] = []
  const extra: Record<string, Attribute> = {}
  let extras = 0
  for (const [name, value] of attributes) {
    const message = problemOf(name, value)
    if (message !== undefined) problems.push({ pointer: `${at}/${pointed(name)}`, message })
    else if (!ours.has(name) && !isPlainJson(name, value)) {
      extra[name] = value as Attribute
      extras += 1
    }
  }
  for (const name of required) if (!attributes.has(name)) problems.push({ pointer: `${at}/${name}`, message: 'is required' })
  if (problems.length > 0) return { ok: false, problems }
  const text = (name: string): string => String(attributes.get(name))
  const version = attributes.get('eventversion')
  const envelope = {
    id: text('id'),
    source: text('source'),
    type: text('type'),
    ...(version === undefined ? {} : { version: Number(version) }),
    ...(attributes.has('partitionkey') ? { key: text('partitionkey') } : {}),
    ...(attributes.has('subject') ? { subject: text('subject') } : {}),
    ...(attributes.has('time') ? { time: text('time') } : {}),
    ...(attributes.has('causationid') ? { cause: text('causationid') } : {}),
    ...(attributes.has('correlationid') ? { correlation: text('correlationid') } : {}),
    ...(extras === 0 ? {} : { extra: canonicalJson(extra) }),
    data: data.data,
    parsed: data.parsed,
  }
  return { ok: true, envelope }
}

/** The attributes of a stored fact, as they go out. */
export function attributesOf(event: Stored): Record<string, Attribute> {
  const extra = event.extra === undefined ? {} : extraOf(event.extra)
  return {
    specversion: '1.0',
    id: event.id,
    source: event.source,
    type: event.type,
    time: event.time,
    ...(event.subject === undefined ? {} : { subject: event.subject }),
    datacontenttype: 'application/json',
    ...(event.key === '' ? {} : { partitionkey: event.key }),
    eventversion: event.version,
    ...(event.cause === undefined ? {} : { causationid: event.cause }),
    ...(event.correlation === undefined ? {} : { correlationid: event.correlation }),
    ...extra,
    ...(event.streamVersion === undefined ? {} : { sequence: String(event.streamVersion).padStart(19, '0') }),
  }
}

/** What is wrong with one attribute, if anything. */
export function problemOf(name: string, value: unknown): string | undefined {
  if (!/^[a-z0-9]+$/.test(name)) return 'is no name of an attribute: lower-case letters and digits only'
  if (name.length > nameLengthMax) return `has a name of more than ${nameLengthMax} letters`
  if (typeof value === 'string') {
    if (value === '' && !mayBeEmpty(name)) return 'is empty'
    if (value.length > lengthMax) return `is longer than ${lengthMax} characters`
    if (forbidden.test(value)) return 'holds a control character, a lone surrogate or a noncharacter'
    return rules.get(name)?.(value)
  }
  if (name === 'eventversion' && typeof value === 'number') return isVersion(value) ? undefined : versionRule
  if (ours.has(name) || rules.has(name)) return 'is not a text'
  if (typeof value === 'boolean') return undefined
  if (typeof value !== 'number') return 'is neither a text, nor a whole number, nor a boolean'
  return Number.isInteger(value) && Math.abs(value + 0.5) < 2 ** 31 ? undefined : 'is no whole number of 32 bits'
}

export function refuse(problems: readonly Problem[]): never {
  const [first] = problems
  throw fault('ENVELOPE_INVALID', first === undefined ? '' : `${first.pointer} ${first.message}`, { errors: problems })
}

/** `application/json`, `text/json`, `application/vnd.shop+json; charset=utf-8` */
export function isJsonType(contentType: string): boolean {
  return /^[^/;\s]+\/(?:[^;\s]+\+)?json\s*(?:;|$)/i.test(contentType)
}

/** What a text can hold: `text/*` and XML, as UTF-8. */
export function isTextType(contentType: string): boolean {
  const charset = /;\s*charset="?([^";\s]+)/i.exec(contentType)?.[1] ?? 'utf-8'
  return /^(?:text\/[^;\s]+|[^/;\s]+\/(?:[^;\s]+\+)?xml)\s*(?:;|$)/i.test(contentType) && /^(?:utf-8|us-ascii)$/i.test(charset)
}

export function pointed(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

const required = ['specversion', 'id', 'source', 'type'] as const
const ours: ReadonlySet<string> = new Set([...required, 'subject', 'time', 'partitionkey', 'eventversion', 'causationid', 'correlationid'])
const nameLengthMax = 64
const lengthMax = 2_048
const forbidden = /[\p{Cc}\p{Cs}\p{NChar}]/u
const uriReference = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/
const versionRule = 'is no version: a whole number from 1 to 2147483647'

const rules: ReadonlyMap<string, (value: string) => string | undefined> = new Map(
  Object.entries({
    specversion: (value: string) => (value === '1.0' ? undefined : "is not '1.0'"),
    source: (value: string) => (uriReference.test(value) ? undefined : 'is no URI reference'),
    dataschema: (value: string) => (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(value) && uriReference.test(value) ? undefined : 'is no absolute URI'),
    datacontenttype: (value: string) => (/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\s*(?:;.*)?$/.test(value) ? undefined : 'is no media type'),
    time: (value: string) => (isTime(value) ? undefined : 'is no time as RFC 3339 has it'),
    eventversion: (value: string) => (/^[1-9]\d{0,9}$/.test(value) && isVersion(Number(value)) ? undefined : versionRule),
  } satisfies Record<string, (value: string) => string | undefined>),
)

/** Extensions may be: an empty text is one. */
function mayBeEmpty(name: string): boolean {
  return !ours.has(name) && !rules.has(name)
}

function isVersion(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value < 2 ** 31
}

/** A day that there is, and no second 60, which no clock of a computer shows. */
function isTime(value: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/.exec(
    value,
  )
  if (match === null) return false
  const [, year, month, day] = match.map(Number)
  if (year === undefined || month === undefined || day === undefined || month < 1 || month > 12 || day < 1) return false
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day <= ([31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0)
}

/** An event that does not name its type of data and one that says JSON are the same event. */
function isPlainJson(name: string, value: unknown): boolean {
  return name === 'datacontenttype' && typeof value === 'string' && value.toLowerCase() === 'application/json'
}

function extraOf(text: string): Record<string, Attribute> {
  const value: unknown = JSON.parse(text)
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
