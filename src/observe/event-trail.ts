/** The way of one event: for each subscription whether it is done, was not wanted, waits, is held or parked, and why. */
import { decodeHeld, decodeHold, holdKey, heldKey, heldRange, type Held, type Hold } from '../flow/holds.ts'
import { allLanes } from '../flow/lane-record.ts'
import { controlKey } from '../flow/requests.ts'
import { timeText } from '../plan/stored-of.ts'
import type { Placed } from '../ports/store.ts'
import { readable } from './dead-letters.ts'
import { causedBy, findEvent } from './find-event.ts'
import { allRows, knownSubscriptions, lanesOf, partOf, type Known, type KnownLane, type Observed } from './observed.ts'
import { operationsOn } from './operation-log.ts'
import { breakerOf, pausedOf } from './subscription-views.ts'

export interface EventView {
  readonly id: string
  readonly type: string
  readonly version: number
  readonly source: string
  readonly key: string
  readonly subject?: string
  readonly time: string
  readonly storedAt: string
  readonly lane: string
  readonly position: string
  readonly cause?: string
  readonly correlation?: string
  readonly data: unknown
}

export interface Station {
  readonly subscription: string
  readonly kind: string
  /** `passed`: done or not wanted; only the app's code could tell which. */
  readonly state:
    | 'done'
    | 'discarded'
    | 'filtered'
    | 'before'
    | 'running'
    | 'waiting'
    | 'held'
    | 'parked'
    | 'not reached'
    | 'stands'
    | 'passed'
  readonly why?: string
  readonly key?: string
  readonly attempts?: number
  readonly dueAt?: string
  readonly error?: string
  readonly code?: string
}

export interface Trail {
  readonly event: EventView
  readonly stations: readonly Station[]
  readonly caused: readonly { readonly id: string; readonly type: string; readonly key: string; readonly position: string }[]
  /** The log was not read to its end for what it caused. */
  readonly causedMore: boolean
}

const causedMost = 20_000

export async function eventTrail(observed: Observed, id: string, source?: string): Promise<Trail> {
  const event = await findEvent(observed, id, source)
  const stations: Station[] = []
  for (const known of await knownSubscriptions(observed)) stations.push(await stationOf(observed, known, event))
  const caused = await causedBy(observed, event, causedMost)
  return {
    event: eventView(event),
    stations,
    caused: caused.events.map(({ id: one, type, key, position }) => ({ id: one, type, key, position })),
    causedMore: caused.more,
  }
}

export function eventView(event: Placed): EventView {
  const { id, type, version, source, key, subject, time, storedMs, lane, position, cause, correlation, data } = event
  return {
    ...{ id, type, version, source, key },
    ...(subject === undefined ? {} : { subject }),
    ...{ time, storedAt: timeText(storedMs), lane, position },
    ...(cause === undefined ? {} : { cause }),
    ...(correlation === undefined ? {} : { correlation }),
    data: readable(data),
  }
}

async function stationOf(observed: Observed, known: Known, event: Placed): Promise<Station> {
  const { name: subscription, kind, crew } = known
  const of = { subscription, kind }
  const lanes = await lanesOf(observed, known)
  const lane = lanes.find((one) => one.lane === event.lane) ?? lanes.find((one) => one.lane === allLanes)
  if (lane === undefined) return { ...of, state: 'not reached', why: 'it has no lane for it' }
  const wanted = crew?.subscription.types.has(event.type) ?? true
  if (!wanted) return { ...of, state: 'filtered', why: `it takes no ${event.type}` }
  const held = await heldStation(observed, known, lane, event)
  if (held !== undefined) return { ...of, ...held }
  const look = crew?.subscription.look(event)
  if (look?.is === 'skip') return { ...of, state: 'filtered', why: 'its `where` does not match' }
  const key = look?.key
  if (isOpen(lane, event)) return { ...of, ...(await openStation(observed, known, lane, event, key)) }
  if (event.storedMs < known.deployed.sinceMs || beganAfter(known, lane, event))
    return { ...of, state: 'before', why: 'it was stored before this subscription began' }
  const discarded = (await operationsOn(observed, known.id)).find(
    ({ op, positions }) => op === 'discard' && positions.includes(event.position),
  )
  if (discarded !== undefined) return { ...of, state: 'discarded', why: `by ${discarded.by} at ${discarded.at}` }
  if (crew === undefined) return { ...of, state: 'passed', why: 'it is done, or was not wanted: the app that could tell does not run here' }
  return { ...of, state: 'done', ...(key === undefined ? {} : { key }) }
}

function beganAfter({ deployed }: Known, { lane }: KnownLane, event: Placed): boolean {
  const begins = deployed.begins?.[lane]
  return begins !== undefined && event.position <= begins
}

function isOpen({ record, lane }: KnownLane, event: Placed): boolean {
  const hole = lane === allLanes ? `${event.lane}/${event.position}` : event.position
  return event.position > record.mark || record.holes.includes(hole)
}

/** Of the log, and not settled. */
async function openStation(
  observed: Observed,
  known: Known,
  { unit, record }: KnownLane,
  event: Placed,
  key: string | undefined,
): Promise<Omit<Station, 'subscription' | 'kind'>> {
  const keyed = key === undefined ? {} : { key }
  const stopped = await whyStopped(observed, known)
  if (unit === undefined)
    return {
      state: record.owner === '' || known.crew === undefined ? 'not reached' : 'waiting',
      ...keyed,
      why: stopped ?? 'nothing here runs it',
    }
  const {
    lane,
    arrivals: { stands },
  } = unit.runner
  if (stands?.event.position === event.position) return { state: 'stands', why: stands.why }
  for (const attempt of lane.attempts) {
    if (attempt.work.entries.some((entry) => entry.event.position === event.position))
      return { state: 'running', ...keyed, attempts: attempt.work.attempt }
  }
  if (stands !== undefined && stands.event.position < event.position)
    return { state: 'not reached', ...keyed, why: `it stands at ${stands.event.id}: ${stands.why}` }
  const queue = key === undefined ? undefined : lane.keys.get(key)
  const before = [...(queue?.waiting ?? [])].findIndex((entry) => entry.event.position === event.position)
  if (before < 0) return { state: 'not reached', ...keyed, why: stopped ?? 'it is read soon' }
  return {
    state: 'waiting',
    ...keyed,
    why:
      stopped ??
      (before > 0 || queue?.busy === true
        ? `${before + (queue?.busy === true ? 1 : 0)} of its key are before it`
        : 'it runs as soon as a place is free'),
  }
}

async function whyStopped({ store }: Observed, known: Known): Promise<string | undefined> {
  const [control, breaker] = await store.get([controlKey(known.id), { kind: 'breaker', part: '', key: known.id }])
  const { paused } = pausedOf(control?.value)
  if (paused !== undefined) return `paused by ${paused.by} at ${paused.at}${paused.why === undefined ? '' : `: ${paused.why}`}`
  const { probesAt } = breakerOf(breaker?.value)
  return probesAt === undefined ? undefined : `its breaker is open until ${probesAt}`
}

async function heldStation(
  observed: Observed,
  known: Known,
  { lane, unit }: KnownLane,
  event: Placed,
): Promise<Omit<Station, 'subscription' | 'kind'> | undefined> {
  const part = partOf(known, lane)
  const found = await heldRow(observed, known, part, event)
  if (found === undefined) return undefined
  const { key, row: held } = found
  const [row] = await observed.store.get([holdKey(part, key)])
  if (row === undefined) return undefined
  const hold = decodeHold(row)
  const [first] = await observed.store.scan(heldRange(part, key, 1))
  const head = first === undefined ? held : decodeHeld(first)
  const running = [...(unit?.runner.lane.attempts ?? [])].find(({ work }) =>
    work.entries.some((entry) => entry.event.position === event.position),
  )
  if (running !== undefined) return { state: 'running', key, attempts: running.work.attempt }
  return head.position === held.position ? headStation(hold, key) : { state: 'waiting', key, why: behind(hold, head) }
}

function headStation(hold: Hold, key: string): Omit<Station, 'subscription' | 'kind'> {
  const { state, attempt, dueMs, error } = hold
  const failure = error === undefined ? {} : { error: error.message, ...(error.code === undefined ? {} : { code: error.code }) }
  if (state === 'parked') return { state: 'parked', key, attempts: attempt, ...failure, why: 'until it is redriven, edited or discarded' }
  if (state === 'wait') return { state: 'held', key, attempts: attempt, dueAt: timeText(dueMs), ...failure, why: 'it is tried again then' }
  if (state === 'version') return { state: 'held', key, why: 'until code runs that knows its version' }
  return { state: 'waiting', key, why: 'it runs as soon as a place is free' }
}

function behind(hold: Hold, head: Held): string {
  const what =
    hold.state === 'parked'
      ? 'which is parked'
      : hold.state === 'wait'
        ? `which is tried again at ${timeText(hold.dueMs)}`
        : hold.state === 'version'
          ? 'which no code here knows'
          : 'which runs soon'
  return `behind ${head.type} ${head.id}, ${what}`
}

/** By its order key, where that can be computed; else its own, else a look through all that is held. */
async function heldRow(
  observed: Observed,
  known: Known,
  part: string,
  event: Placed,
): Promise<{ readonly key: string; readonly row: Held } | undefined> {
  const look = known.crew?.subscription.look(event)
  const keys = [
    ...new Set([
      ...(look !== undefined && 'key' in look && look.key !== undefined ? [look.key] : []),
      event.key,
      `${event.source} ${event.id}`,
    ]),
  ]
  const rows = await observed.store.get(keys.map((key) => heldKey(part, key, event.position)))
  for (const [i, row] of rows.entries()) if (row !== undefined) return { key: keys[i] ?? '', row: decodeHeld(row) }
  if (known.crew !== undefined) return undefined
  for await (const row of allRows(observed, { kind: 'held', part })) {
    const held = decodeHeld(row)
    if (held.position === event.position) return { key: decodeURIComponent(row.key.slice(0, row.key.lastIndexOf(' '))), row: held }
  }
  return undefined
}
