/**
 * What an operator does, in the operator's own terms: by the ids that lists show, or by a filter. Everything leaves a
 * request or a row; nothing here touches what an owner owns.
 */
import { heldKey, decodeHeld } from '../flow/holds.ts'
import { controlKey, type Control, type Request } from '../flow/requests.ts'
import { fault } from '../kit/fault.ts'
import { validate } from '../contracts/schema.ts'
import type { AnyEvent } from '../define/event.ts'
import { ask, forget, setPaused, untilDone, type DoneOperation, type Operating } from '../runtime/operations.ts'
import { deadLettersOf, deadLettersWithId, type DeadLetterFilter, type FoundDeadLetter } from './dead-letters.ts'
import { eventsWithId } from './find-event.ts'
import { lanesOf, knownSubscriptions, partOf, subscriptionNamed, type Known, type Observed } from './observed.ts'

export interface Operator extends Observed, Operating {
  /** How long an answer waits for the owner. @default 5,000 */
  readonly waitMs?: number
  /** Of the running app: edited data must be what their schemas ask for. */
  readonly events?: readonly AnyEvent[]
}

export interface Chosen extends DeadLetterFilter {
  /** Of events. */
  readonly ids?: readonly string[]
  /** Whatever the filter leaves, all of it where there is none. */
  readonly all?: boolean
}

export interface Settled {
  readonly subscription: string
  readonly key: string
  readonly id: string
  readonly operation: string
  /** `left`: it waits for the owner of its lane. `refused`: no commit can carry it out. */
  readonly outcome: 'done' | 'left' | 'refused'
  readonly why?: string
}

interface Wanted {
  readonly known: Known
  readonly lane: string
  readonly id: string
  readonly request: Request
}

export async function redrive(operator: Operator, chosen: Chosen, by: string): Promise<readonly Settled[]> {
  const found = await choose(operator, chosen)
  return settle(
    operator,
    found.map(({ letter, known }) => ({
      known,
      lane: letter.lane,
      id: letter.id,
      request: { op: 'redrive', key: letter.key, by, atMs: operator.environment.nowMs() },
    })),
  )
}

/** The event alone, or with all that waits behind it. What a merged subscription stands at can be discarded too. */
export async function discard(operator: Operator, chosen: Chosen, by: string, wholeKey = false): Promise<readonly Settled[]> {
  const standing = await standingAt(operator, chosen)
  const atMs = operator.environment.nowMs()
  if (standing.length > 0)
    return settle(
      operator,
      standing.map(({ known, lane, id, position }) => ({ known, lane, id, request: { op: 'discard', position, by, atMs } })),
    )
  const found = await choose(operator, chosen)
  return settle(
    operator,
    found.map(({ letter, known, head }) => {
      const request: Request = { op: 'discard', key: letter.key, ...(wholeKey ? {} : { position: head.position }), by, atMs }
      return { known, lane: letter.lane, id: letter.id, request }
    }),
  )
}

export interface Edit {
  readonly id: string
  readonly subscription?: string
  /** The whole data, as JSON text. */
  readonly data: string
  readonly redrive?: boolean
}

/** A new run with other data; of a parked event, or one that waits behind it. */
export async function edit(
  operator: Operator,
  { id, subscription, data, redrive: again = false }: Edit,
  by: string,
): Promise<readonly Settled[]> {
  const found = await heldWithId(operator, id, subscription)
  const [first] = found
  if (first === undefined || found.length > 1) {
    throw fault('OPERATION_INVALID', `${id} is parked in ${found.map(({ known }) => known.name).join(' and ')}: name the subscription`, {
      id,
    })
  }
  const { known, lane, key, position } = first
  if (known.kind === 'projection') throw fault('EDIT_REFUSED', `${known.name} is a projection`, { subscription: known.name })
  await mustBeTaken(operator, known, { id, position }, data)
  const edited = await settle(operator, [
    { known, lane, id, request: { op: 'edit', key, position, data, by, atMs: operator.environment.nowMs() } },
  ])
  if (!again) return edited
  return [
    ...edited,
    ...(await settle(operator, [{ known, lane, id, request: { op: 'redrive', key, by, atMs: operator.environment.nowMs() } }])),
  ]
}

export async function pause(
  operator: Operator,
  name: string,
  by: string,
  why?: string,
): Promise<{ readonly subscription: string; readonly paused: boolean; readonly changed: boolean }> {
  return setTo(operator, name, true, by, why)
}

export async function resume(
  operator: Operator,
  name: string,
  by: string,
): Promise<{ readonly subscription: string; readonly paused: boolean; readonly changed: boolean }> {
  return setTo(operator, name, false, by, undefined)
}

/** Whatever a removed subscription has kept. Tells how many rows went. */
export async function forgetRemoved(
  operator: Operator,
  name: string,
  by: string,
): Promise<{ readonly subscription: string; readonly rows: number }> {
  const known = await subscriptionNamed(operator, name)
  if (known.crew !== undefined) throw fault('SUBSCRIPTION_RUNS', `'${name}'`, { subscription: name })
  return { subscription: name, rows: await forget(operator, known, by) }
}

async function setTo(
  operator: Operator,
  name: string,
  paused: boolean,
  by: string,
  why: string | undefined,
): Promise<{ subscription: string; paused: boolean; changed: boolean }> {
  const known = await subscriptionNamed(operator, name)
  const [row] = await operator.store.get([controlKey(known.id)])
  const was = row !== undefined && (JSON.parse(row.value) as Control).paused
  if (was !== paused) await setPaused(operator, known.id, paused, by, why)
  return { subscription: name, paused, changed: was !== paused }
}

async function choose(observed: Observed, { ids = [], all = false, ...filter }: Chosen): Promise<readonly FoundDeadLetter[]> {
  if (ids.length === 0) {
    if (!all && Object.values(filter).every((value) => value === undefined))
      throw fault('OPERATION_INVALID', 'name events, or a filter, or all')
    return deadLettersOf(observed, filter)
  }
  const found: FoundDeadLetter[] = []
  for (const id of ids) found.push(...(await deadLettersWithId(observed, id, filter)))
  return found
}

async function standingAt(
  observed: Observed,
  { ids = [], subscription }: Chosen,
): Promise<readonly { known: Known; lane: string; id: string; position: string }[]> {
  const found: { known: Known; lane: string; id: string; position: string }[] = []
  for (const known of await knownSubscriptions(observed)) {
    if (known.crew === undefined || (subscription ?? known.name) !== known.name) continue
    for (const { lane, unit } of await lanesOf(observed, known)) {
      const event = unit?.runner.arrivals.stands?.event
      if (event !== undefined && ids.includes(event.id)) found.push({ known, lane, id: event.id, position: event.position })
    }
  }
  return found
}

interface HeldEvent {
  readonly known: Known
  readonly lane: string
  readonly key: string
  readonly position: string
}

/** Parked itself, or behind one that is: then its key is that one's. */
async function heldWithId(observed: Observed, id: string, subscription: string | undefined): Promise<readonly HeldEvent[]> {
  const filter = subscription === undefined ? {} : { subscription }
  const all = await deadLettersOf(observed, filter)
  const heads = all.filter(({ letter }) => letter.id === id)
  if (heads.length > 0)
    return heads.map(({ letter, known, head }) => ({ known, lane: letter.lane, key: letter.key, position: head.position }))
  const { events: exact, near } = all.length === 0 ? { events: [], near: [] } : await eventsWithId(observed, id)
  const events = exact.length > 0 ? exact : near.filter((event) => event.id.startsWith(id))
  const behind: HeldEvent[] = []
  for (const { letter, known } of all) {
    const rows = await observed.store.get(events.map(({ position }) => heldKey(partOf(known, letter.lane), letter.key, position)))
    for (const row of rows)
      if (row !== undefined) behind.push({ known, lane: letter.lane, key: letter.key, position: decodeHeld(row).position })
  }
  if (behind.length > 0) return behind
  return (await deadLettersWithId(observed, id, filter)).map(({ letter, known, head }) => ({
    known,
    lane: letter.lane,
    key: letter.key,
    position: head.position,
  }))
}

/** What its schema would refuse would only park again. */
async function mustBeTaken(
  operator: Operator,
  { crew, name }: Known,
  { id, position }: { readonly id: string; readonly position: string },
  data: string,
): Promise<void> {
  let parsed: unknown
  try {
    parsed = JSON.parse(data)
  } catch (error) {
    throw fault('EDIT_NOT_JSON', `for ${id}`, {}, error)
  }
  if (crew === undefined) return
  const { events, near } = await eventsWithId(operator, id)
  const event = [...events, ...near].find((one) => one.position === position)
  if (event === undefined) return
  const shape = operator.events?.find(({ type, version }) => type === event.type && version === event.version)
  if (shape !== undefined) validate(shape.schema, parsed, event.type)
  const look = crew.subscription.look({ ...event, data, parsed: undefined })
  if (look.is === 'fault')
    throw fault(
      look.fault.code,
      `${name} could not take it: ${look.fault.message.slice(look.fault.code.length + 2)}`,
      look.fault.data,
      look.fault,
    )
}

async function settle(operator: Operator, wanted: readonly Wanted[]): Promise<readonly Settled[]> {
  const left: string[] = []
  for (let at = 0; at < wanted.length; at += 100) {
    const asked = await Promise.all(wanted.slice(at, at + 100).map(({ known, lane, request }) => ask(operator, known.id, lane, request)))
    left.push(...asked.map(({ operation }) => operation))
  }
  const owned = left.filter((_, i) => wanted[i]?.known.crew !== undefined)
  const done = owned.length === 0 ? new Map<string, DoneOperation>() : await untilDone(operator, owned, operator.waitMs ?? 5_000)
  return wanted.map(({ known, id, request }, i): Settled => {
    const operation = left[i] ?? ''
    const of = { subscription: known.name, key: request.key ?? '', id, operation }
    const { refused } = done.get(operation) ?? {}
    if (refused !== undefined) return { ...of, outcome: 'refused', why: refused.message }
    if (done.has(operation)) return { ...of, outcome: 'done' }
    return {
      ...of,
      outcome: 'left',
      why:
        known.crew === undefined
          ? 'no running app has this subscription: it is done at its next start'
          : 'it waits for the owner of its lane',
    }
  })
}
