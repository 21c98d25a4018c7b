/** How a stored event becomes what a consumer is given: today's facts, with their envelope. */
import { reading, type Reader } from '../contracts/versions.ts'
import type { Fact } from '../contracts/fact.ts'
import type { Received } from '../define/definition.ts'
import type { AnyEvent } from '../define/event.ts'
import type { Look } from '../flow/subscription.ts'
import { asError, fault, isFault } from '../kit/fault.ts'
import type { Placed } from '../ports/store.ts'
import type { Plan } from './plan.ts'

export function readerFor(plan: Plan, wanted: readonly AnyEvent[]): Reader {
  return reading(wanted, plan.events)
}

/** What `keep` leaves of today's facts, and the key that it gives them: all parts of an event have one. */
export function lookThrough<Part>(
  reader: Reader,
  event: Placed,
  what: string,
  keyOf: (event: Placed) => string | undefined,
  keep: (fact: Received) => readonly { readonly key: string; readonly part: Part }[],
): Look {
  const read = reader.readStored(event)
  const key = keyOf(event)
  if (read.is === 'newer') return { is: 'wait', key, why: read.why }
  if (read.is === 'fault') return { is: 'fault', key, fault: read.fault }
  try {
    const [only] = read.facts
    const kept =
      only !== undefined && read.places === undefined
        ? keep(received(event, only))
        : read.facts.flatMap((fact, at) => keep(placed(received(event, fact), read.places?.[at])))
    const [first] = kept
    if (first === undefined) return { is: 'skip' }
    if (kept.length === 1) return { is: 'run', key: first.key, parts: [first.part] }
    const other = kept.find((one) => one.key !== first.key)
    if (other !== undefined) throw fault('SPLIT_KEYS_DIFFER', `${what}: '${first.key}' and '${other.key}'`, { event: event.id })
    return { is: 'run', key: first.key, parts: kept.map(({ part }) => part) }
  } catch (thrown) {
    const cause = isFault(thrown) ? thrown : fault('KEY_INVALID', `${what}: ${asError(thrown).message}`, { event: event.id }, thrown)
    return { is: 'fault', key, fault: cause }
  }
}

/** Of an event that can't be read, by how its consumer is ordered: by the event's key, … */
export function eventKey({ key }: Pick<Placed, 'key'>): string {
  return key
}

/** … by none, so that each has one of its own, … */
export function ownKey({ source, id }: Pick<Placed, 'source' | 'id'>): string {
  return `${source} ${id}`
}

/** … or by a field, which nobody can read. */
export function unknownKey(): undefined {
  return undefined
}

/** Which part of its event it is: what it does outside goes by that, and must, whatever `where` leaves out of the others today. */
export function placeOf(fact: Received): string {
  return (fact as InPlace)[place] ?? '0'
}

/** Beside what the app sees of it, and without weight where an event is one fact. */
const place = Symbol('place')

interface InPlace extends Received {
  readonly [place]?: string
}

function placed(fact: Received, at: string | undefined): Received {
  return Object.defineProperty(fact, place, { value: at })
}

function received(event: Placed, fact: Fact): Received {
  const { id, source, time, key, version, subject } = event
  const rest = { type: fact.type, data: fact.data, id, source, time, key, version }
  return subject === undefined ? rest : { ...rest, subject }
}
