/** What operators see of subscriptions and their lanes: how far each has come, what is held, and what stops it. */
import { decodeBreaker } from '../flow/breaker.ts'
import { decodeHold } from '../flow/holds.ts'
import { noCounts, type Counts } from '../flow/lane-record.ts'
import type { Subscription } from '../flow/subscription.ts'
import { controlKey, type Control } from '../flow/requests.ts'
import { timeText } from '../plan/stored-of.ts'
import { allRows, breathe, knownSubscriptions, lanesOf, partOf, readBy, type Known, type KnownLane, type Observed } from './observed.ts'

export interface LaneView {
  readonly subscription: string
  readonly lane: string
  /** The runtime that owns it; absent where nobody does. */
  readonly owner?: string
  readonly epoch: number
  readonly mark: string
  /** Taken and not settled, below the mark. */
  readonly holes: number
  readonly lag: Lag
  /** Keys that wait for their next attempt, or for one in front of them. */
  readonly held: number
  readonly parked: number
  /** Turns under way, where its owner is this process. */
  readonly running?: number
  readonly counts: Counts
}

/** Events that it wants and has still to settle. Without its app at hand nobody knows which it wants: then all count. */
export interface Lag {
  readonly events: number
  /** There are more: it was not counted further. */
  readonly more: boolean
}

export interface SubscriptionView {
  readonly name: string
  readonly kind: string
  /** What its rows are kept under: its first name. */
  readonly id: string
  /** A running app of this process has it. */
  readonly running: boolean
  readonly from?: string
  readonly paused?: { readonly by: string; readonly at: string; readonly why?: string }
  readonly breaker: 'closed' | 'open'
  /** When the open breaker lets a probe through. */
  readonly probesAt?: string
  /** It cannot go past this event. */
  readonly standsAt?: { readonly id: string; readonly type: string; readonly why: string }
  readonly lag: Lag
  readonly held: number
  readonly parked: number
  readonly counts: Counts
  readonly lanes: readonly LaneView[]
}

const lagMost = 10_000
/** To find out what is wanted, each event is looked at: a log in which little is would be read to its end. */
const lookedMost = 50_000

export async function subscriptionViews(observed: Observed): Promise<readonly SubscriptionView[]> {
  const views: SubscriptionView[] = []
  for (const known of await knownSubscriptions(observed)) views.push(await viewOf(observed, known))
  return views
}

export async function laneViews(observed: Observed): Promise<readonly LaneView[]> {
  return (await subscriptionViews(observed)).flatMap(({ lanes }) => lanes)
}

async function viewOf(observed: Observed, known: Known): Promise<SubscriptionView> {
  const { store } = observed
  const [control, breaker] = await store.get([controlKey(known.id), { kind: 'breaker', part: '', key: known.id }])
  const found = await lanesOf(observed, known)
  const lanes: LaneView[] = []
  for (const one of found) lanes.push(await laneView(observed, known, one))
  const stands = found.map(({ unit }) => unit?.runner.arrivals.stands).find((one) => one !== undefined)
  const from = known.crew?.subscription.from
  return {
    ...{ name: known.name, kind: known.kind, id: known.id, running: known.crew !== undefined },
    ...(from === undefined ? {} : { from: typeof from === 'number' ? timeText(from) : from }),
    ...pausedOf(control?.value),
    ...breakerOf(breaker?.value),
    ...(stands === undefined ? {} : { standsAt: { id: stands.event.id, type: stands.event.type, why: stands.why } }),
    lag: { events: sum(lanes.map(({ lag }) => lag.events)), more: lanes.some(({ lag }) => lag.more) },
    held: sum(lanes.map(({ held }) => held)),
    parked: sum(lanes.map(({ parked }) => parked)),
    counts: lanes.reduce((total, { counts }) => added(total, counts), noCounts),
    lanes,
  }
}

export function pausedOf(value: string | undefined): Pick<SubscriptionView, 'paused'> {
  if (value === undefined) return {}
  const { paused, by, atMs, why } = JSON.parse(value) as Control
  return paused ? { paused: { by, at: timeText(atMs), ...(why === undefined ? {} : { why }) } } : {}
}

export function breakerOf(value: string | undefined): Pick<SubscriptionView, 'breaker' | 'probesAt'> {
  if (value === undefined) return { breaker: 'closed' }
  const breaker = decodeBreaker(value)
  return breaker.phase === 'open' ? { breaker: 'open', probesAt: timeText(breaker.untilMs) } : { breaker: 'closed' }
}

async function laneView(observed: Observed, known: Known, { lane, record, unit }: KnownLane): Promise<LaneView> {
  const { held, parked } = await holdsOf(observed, partOf(known, lane))
  const lag = await lagOf(observed, lane, record.mark, known.crew?.subscription)
  const { owner, epoch, mark, holes, counts } = record
  return {
    ...{ subscription: known.name, lane },
    ...(owner === '' ? {} : { owner }),
    ...{ epoch, mark, holes: holes.length, lag: { ...lag, events: lag.events + holes.length }, held, parked },
    ...(unit === undefined ? {} : { running: unit.runner.lane.attempts.size }),
    counts,
  }
}

async function holdsOf(observed: Observed, part: string): Promise<{ readonly held: number; readonly parked: number }> {
  let held = 0
  let parked = 0
  for await (const row of allRows(observed, { kind: 'hold', part })) {
    if (decodeHold(row).state === 'parked') parked += 1
    else held += 1
  }
  return { held, parked }
}

async function lagOf(observed: Observed, lane: string, mark: string, of: Pick<Subscription, 'types' | 'look'> | undefined): Promise<Lag> {
  let [events, looked] = [0, 0]
  const goesOn = (): boolean => events <= lagMost && looked < lookedMost
  for (const name of readBy(observed.store, lane)) {
    for (let after = mark; goesOn();) {
      const cursor = { of: 'lane', name, after, ...(of === undefined ? {} : { types: of.types }) } as const
      const [slice] = await observed.store.read([cursor], { events: 1_000, bytes: 8 * 1_048_576 })
      if (slice === undefined || slice.upTo === after) break
      looked += slice.events.length
      events += of === undefined ? slice.events.length : slice.events.filter((event) => of.look(event).is !== 'skip').length
      after = slice.upTo
      if (slice.events.length > 0) await breathe(observed)
    }
  }
  return { events: Math.min(events, lagMost), more: !goesOn() }
}

function added(a: Counts, b: Counts): Counts {
  return {
    done: a.done + b.done,
    skipped: a.skipped + b.skipped,
    failed: a.failed + b.failed,
    parked: a.parked + b.parked,
    discarded: a.discarded + b.discarded,
    once: a.once + b.once,
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
