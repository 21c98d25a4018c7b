/** A fact as it is stored: validated where its event did not make it, with its envelope and its place among slots. */
import { carried, jsonText } from '../contracts/carried.ts'
import type { Fact } from '../contracts/fact.ts'
import { madeBy } from '../contracts/made-fact.ts'
import { validate } from '../contracts/schema.ts'
import type { AnyEvent } from '../define/event.ts'
import { fault } from '../kit/fault.ts'
import { slotOf } from '../kit/slot.ts'
import type { Stored } from '../ports/store.ts'

export interface Envelope {
  /** Made of the data's text where it depends on it. */
  readonly id: string | ((data: string) => string)
  readonly source: string
  /** RFC 3339. */
  readonly time: string
  readonly key?: string
  readonly subject?: string
  readonly cause?: string
  readonly correlation?: string
  /** Other CloudEvents attributes, as JSON text. */
  readonly extra?: string
}

export function storedOf(fact: Fact, event: AnyEvent, envelope: Envelope): Stored {
  const valid = madeBy(fact) === event ? fact.data : validate(event.schema, fact.data, event.type)
  const data = jsonText(valid, event.type)
  const parsed = carried(valid, data, event.type)
  const id = typeof envelope.id === 'string' ? envelope.id : envelope.id(data)
  const key = keyable(event.keyOf(parsed) ?? envelope.key ?? id, event)
  const stored = {
    tenant: '',
    source: envelope.source,
    id,
    type: event.type,
    version: event.version,
    key,
    slot: slotOf(key),
    time: envelope.time,
    data,
    parsed,
  }
  const { subject, cause, correlation, extra } = envelope
  if (subject === undefined && cause === undefined && extra === undefined && correlation === undefined) return stored
  return {
    ...stored,
    ...(subject === undefined ? {} : { subject }),
    ...(cause === undefined ? {} : { cause }),
    ...(correlation === undefined ? {} : { correlation }),
    ...(extra === undefined ? {} : { extra }),
  }
}

/** What engines can keep as a key. */
function keyable(key: string, event: AnyEvent): string {
  if (key.isWellFormed() && !key.includes('\u0000')) return key
  throw fault('KEY_INVALID', `event ${event.name}: its key holds half a surrogate pair, or NUL`, { what: `event ${event.name}` })
}

let lastMs = Number.NaN
let lastText = ''

/** RFC 3339 of milliseconds since 1970; the same one is asked for many times over. */
export function timeText(ms: number): string {
  if (ms === lastMs) return lastText
  lastText = new Date(ms).toISOString()
  lastMs = ms
  return lastText
}
