/** Compares what stands in a store with what was acknowledged, and its effects with its log. */
import { addCounted, addForwarded, type Counted, emptyTotal, isMoody, type Made, publishOf, type Total, takes } from './counting-app.ts'
import type { LoggedEvent, Snapshot } from './store-snapshot.ts'

/** By life, then by loop: the last `n` that was acknowledged, -1 where none was. */
export type Acknowledged = readonly (readonly number[])[]

export interface Case {
  readonly acknowledged: Acknowledged
  readonly textBytes: number
  /** Everything must have been done with. */
  readonly complete: boolean
}

interface Read extends LoggedEvent {
  readonly counted?: Counted
  readonly made?: Made
}

export function judge(snapshot: Snapshot, { acknowledged, textBytes, complete }: Case): readonly string[] {
  const events = snapshot.events.map(read)
  return [
    ...positionsOf(events),
    ...publishesOf(events, acknowledged, textBytes),
    ...effectsOf(snapshot, events, 'forward', 'forwarded', () => true),
    ...effectsOf(snapshot, events, 'moody', 'settled', ({ n }) => isMoody(n)),
    ...rowsOf(snapshot, events),
    ...snapshot.parked.map((who) => `parked, and innocent: ${who}`),
    ...(complete ? leftOver(snapshot, events) : []),
  ]
}

/** Handlers that were started for an event that had had its effect before this life began. */
export function startedAgain(before: Snapshot, starts: ReadonlyMap<string, number>): readonly string[] {
  const done = new Set<string>()
  for (const event of before.events) {
    if (event.type === 'counted') continue
    const { of } = JSON.parse(event.data) as Made
    done.add(`${event.type === 'forwarded' ? 'forward' : 'moody'} ${of}`)
  }
  return [...starts].flatMap(([who, times]) => {
    if (done.has(who)) return [`${who} was started again after its effect`]
    return times > (who.startsWith('moody') ? 2 : 1) ? [`${who} was started ${times} times in one life`] : []
  })
}

function read(event: LoggedEvent): Read {
  const data: unknown = JSON.parse(event.data)
  return event.type === 'counted' ? { ...event, counted: data as Counted } : { ...event, made: data as Made }
}

function positionsOf(events: readonly Read[]): readonly string[] {
  const at = events.findIndex(({ position }, i) => position !== i + 1)
  return at < 0 ? [] : [`position ${events[at]?.position} stands at ${at + 1}`]
}

/** Each loop's publishes stand whole, once, in their order, up to what was acknowledged, and at most one that was on its way. */
function publishesOf(events: readonly Read[], acknowledged: Acknowledged, textBytes: number): readonly string[] {
  const complaints: string[] = []
  const found = new Map<string, number>()
  const newest = new Map<number, number>()
  let open: { readonly ids: readonly string[]; readonly facts: readonly Counted[]; at: number } | undefined
  for (const { counted, id, key, position } of events) {
    if (open !== undefined && counted === undefined) complaints.push(`a publish is torn at ${position}`)
    if (counted === undefined) continue
    const { life, loop, n } = counted
    if (open === undefined) {
      const publish = publishOf(life, loop, n, textBytes)
      open = { ids: publish.facts.map((_, at) => (at === 0 ? publish.id : `${publish.id}/${at}`)), facts: publish.facts, at: 0 }
      const before = found.get(`${life} ${loop}`) ?? -1
      if (n !== before + 1) complaints.push(`loop ${loop} of life ${life}: ${n} stands behind ${before}`)
      found.set(`${life} ${loop}`, n)
      if (life < (newest.get(loop) ?? 0)) complaints.push(`loop ${loop}: life ${life} stands behind a later one`)
      newest.set(loop, Math.max(life, newest.get(loop) ?? 0))
    }
    const fact = open.facts[open.at]
    const whole = id === open.ids[open.at] && key === fact?.account && JSON.stringify(fact) === JSON.stringify(counted)
    if (!whole) complaints.push(`${id} at ${position} is not what was published`)
    open.at += 1
    if (open.at >= open.facts.length) open = undefined
  }
  if (open !== undefined) complaints.push('the last publish is not whole')
  for (const [life, loops] of acknowledged.entries()) {
    for (const [loop, n] of loops.entries()) {
      const last = found.get(`${life} ${loop}`) ?? -1
      if (last < n) complaints.push(`loop ${loop} of life ${life}: acknowledged up to ${n}, in the log up to ${last}`)
      if (last > n + 1) complaints.push(`loop ${loop} of life ${life}: acknowledged up to ${n}, and yet ${last} is in the log`)
    }
  }
  return complaints
}

/** Settled or not, by the mark of its lane, the holes below it, and the rows of what is held. */
function isSettledBy(snapshot: Snapshot, subscription: string): (event: LoggedEvent) => boolean {
  const lanes = snapshot.lanes.get(subscription) ?? []
  const held = snapshot.held.get(subscription) ?? new Set<number>()
  return ({ position, slot }) => {
    const lane = lanes.find(({ from, to }) => slot >= from && slot <= to)
    return lane !== undefined && position <= lane.mark && !lane.holes.has(position) && !held.has(position)
  }
}

/**
 * Of what is settled there is exactly one effect, of what isn't there is none; and effects of one key stand in the
 * order of their causes.
 */
function effectsOf(
  snapshot: Snapshot,
  events: readonly Read[],
  subscription: string,
  type: string,
  wants: (data: Counted) => boolean,
): readonly string[] {
  const complaints: string[] = []
  const isSettled = isSettledBy(snapshot, subscription)
  const times = new Map<string, number>()
  const causeAt = new Map(events.map(({ id, position }) => [id, position]))
  const lastCause = new Map<string, number>()
  for (const { type: is, made, key, position } of events) {
    if (is !== type || made === undefined) continue
    times.set(made.of, (times.get(made.of) ?? 0) + 1)
    const cause = causeAt.get(made.of)
    if (cause === undefined || cause >= position)
      complaints.push(`${subscription} at ${position}: its cause ${made.of} does not stand before it`)
    if ((lastCause.get(key) ?? 0) > (cause ?? 0)) complaints.push(`${subscription} at ${position}: key ${key} is out of order`)
    lastCause.set(key, cause ?? 0)
  }
  for (const event of events) {
    if (event.counted === undefined) continue
    const is = times.get(event.id) ?? 0
    const expected = wants(event.counted) && isSettled(event) ? 1 : 0
    if (is !== expected)
      complaints.push(`${subscription}: ${event.id} at ${event.position} has ${is} effects, and ${expected} were expected`)
  }
  return complaints
}

/** The rows are the fold of what is settled, and what isn't stands behind it. */
function rowsOf(snapshot: Snapshot, events: readonly Read[]): readonly string[] {
  const complaints: string[] = []
  const isSettled = isSettledBy(snapshot, 'totals')
  const totals = new Map<string, Total>()
  const waiting = new Set<string>()
  for (const event of events) {
    const { counted, made, key, type } = event
    if (type === 'settled') continue
    if (!isSettled(event)) waiting.add(key)
    else if (waiting.has(key)) complaints.push(`totals: ${key} at ${event.position} is settled before what stands before it`)
    if (waiting.has(key)) continue
    const total = totals.get(key) ?? emptyTotal(key)
    if (counted !== undefined) totals.set(key, addCounted(total, counted))
    else if (made !== undefined) totals.set(key, addForwarded(total, made))
  }
  for (const key of new Set([...totals.keys(), ...snapshot.rows.keys()])) {
    const row = snapshot.rows.get(key)
    const is = row === undefined ? undefined : JSON.stringify((JSON.parse(row) as { row: Total }).row)
    const expected = JSON.stringify(totals.get(key))
    if (is !== expected) complaints.push(`totals: the row of ${key} is ${is}, and the log says ${expected}`)
  }
  return complaints
}

function leftOver(snapshot: Snapshot, events: readonly Read[]): readonly string[] {
  return Object.entries(takes).flatMap(([subscription, types]) => {
    const isSettled = isSettledBy(snapshot, subscription)
    const left = events.filter((event) => types.includes(event.type) && !isSettled(event))
    return left.length === 0 ? [] : [`${subscription} has ${left.length} left, the first at ${left[0]?.position}`]
  })
}
