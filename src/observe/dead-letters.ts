/** Keys that are parked: what failed, why, after how many attempts, and what waits behind it. */
import { decodeHeld, decodeHold, keyOfHold, heldRange, type Held, type Hold } from '../flow/holds.ts'
import { closest } from '../kit/closest.ts'
import { fault } from '../kit/fault.ts'
import { timeText } from '../plan/stored-of.ts'
import type { Placed } from '../ports/store.ts'
import { allRows, knownSubscriptions, lanesOf, partOf, subscriptionNamed, type Known, type Observed } from './observed.ts'

export interface DeadLetter {
  readonly subscription: string
  readonly kind: string
  readonly lane: string
  /** The order key that is held because of it. */
  readonly key: string
  /** Of the event. */
  readonly id: string
  readonly type: string
  readonly position: string
  readonly attempts: number
  readonly code?: string
  readonly error: string
  readonly parkedAt: string
  /** Events of the key that wait behind it. */
  readonly behind: number
  /** How often an operator put other data in its place. */
  readonly edits: number
}

export interface DeadLetterInFull extends DeadLetter {
  readonly source: string
  readonly time: string
  readonly stack?: string
  readonly heldSince: string
  /** As it will run: edited, where it was. */
  readonly data: unknown
  /** As it was published, where it was edited. */
  readonly original?: unknown
  readonly waiting: readonly { readonly id: string; readonly type: string; readonly position: string }[]
}

export interface DeadLetterFilter {
  readonly subscription?: string
  readonly key?: string
  readonly type?: string
  readonly code?: string
  /** Parked then or later, milliseconds since 1970. */
  readonly sinceMs?: number
}

/** One with what a request for it needs to know. */
export interface FoundDeadLetter {
  readonly letter: DeadLetter
  readonly known: Known
  readonly hold: Hold
  readonly head: Held
}

const waitingMost = 50

export async function deadLettersOf(observed: Observed, filter: DeadLetterFilter = {}): Promise<readonly FoundDeadLetter[]> {
  const { subscription, key, type, code, sinceMs = 0 } = filter
  const known = subscription === undefined ? await knownSubscriptions(observed) : [await subscriptionNamed(observed, subscription)]
  const found: FoundDeadLetter[] = []
  for (const one of known) {
    for (const { lane } of await lanesOf(observed, one)) {
      for await (const row of allRows(observed, { kind: 'hold', part: partOf(one, lane) })) {
        const hold = decodeHold(row)
        const orderKey = keyOfHold(row)
        if (hold.state !== 'parked' || (key !== undefined && orderKey !== key)) continue
        if ((code !== undefined && hold.error?.code !== code) || (hold.error?.atMs ?? hold.sinceMs) < sinceMs) continue
        const letter = await headOf(observed, one, lane, orderKey, hold)
        if (letter !== undefined && (type === undefined || letter.head.type === type)) found.push(letter)
      }
    }
  }
  return found.sort((a, b) => (a.letter.parkedAt < b.letter.parkedAt ? -1 : 1))
}

/** All whose event has this id: one for each subscription that parked it. */
export async function deadLettersWithId(
  observed: Observed,
  id: string,
  filter: DeadLetterFilter = {},
): Promise<readonly FoundDeadLetter[]> {
  const all = await deadLettersOf(observed, filter)
  const found = all.filter(({ letter }) => letter.id === id)
  if (found.length > 0) return found
  const ids = [...new Set(all.map(({ letter }) => letter.id))]
  const begun = ids.filter((one) => id.length > 3 && one.startsWith(id))
  const near = begun.length > 0 ? begun.slice(0, 3) : closest(id, ids)
  const hint =
    near.length > 0 ? `did you mean ${near.join(', ')}?` : all.length === 0 ? 'nothing is parked' : `${all.length} others are parked`
  throw fault(
    'DEAD_LETTER_UNKNOWN',
    `no event '${id}' is parked${filter.subscription === undefined ? '' : ` in ${filter.subscription}`}; ${hint}`,
    { id, near },
  )
}

export async function inFull(observed: Observed, { letter, known, hold, head }: FoundDeadLetter): Promise<DeadLetterInFull> {
  const { store } = observed
  const [slice] = await store.read([{ of: 'place', name: head.lane, at: head.position }], { events: 1, bytes: Number.MAX_SAFE_INTEGER })
  const event: Placed | undefined = slice?.events[0]
  const range = heldRange(partOf(known, letter.lane), letter.key, waitingMost + 1)
  const rows = (await store.scan(range)).map(decodeHeld)
  const stack = hold.error?.stack
  return {
    ...letter,
    source: event?.source ?? '',
    time: event?.time ?? '',
    ...(stack === undefined ? {} : { stack }),
    heldSince: timeText(hold.sinceMs),
    data: readable(head.data ?? event?.data),
    ...(head.data === undefined ? {} : { original: readable(event?.data) }),
    waiting: rows.filter(({ position }) => position !== head.position).map(({ id, type, position }) => ({ id, type, position })),
  }
}

/** The first row of the key is what failed. */
async function headOf({ store }: Observed, known: Known, lane: string, key: string, hold: Hold): Promise<FoundDeadLetter | undefined> {
  const [row] = await store.scan(heldRange(partOf(known, lane), key, 1))
  if (row === undefined) return undefined
  const head = decodeHeld(row)
  const { error } = hold
  const letter: DeadLetter = {
    ...{
      subscription: known.name,
      kind: known.kind,
      lane,
      key,
      id: head.id,
      type: head.type,
      position: head.position,
      attempts: hold.attempt,
    },
    ...(error?.code === undefined ? {} : { code: error.code }),
    error: error?.message ?? '',
    parkedAt: timeText(error?.atMs ?? hold.sinceMs),
    behind: hold.count - 1,
    edits: head.run,
  }
  return { letter, known, hold, head }
}

/** Kept as text; what is no JSON is shown as it is. */
export function readable(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
