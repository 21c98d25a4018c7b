/** The checks at the store's door: each commit is held against the rules as it is applied, whoever made it. */
import type { Change, Committed, Placed } from '../../src/ports/store.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import { checkRows } from './check-rows.ts'
import { checkUnit } from './check-unit.ts'
import type { Checks } from './checks.ts'
import type { Seen, SubscriptionModel } from './model.ts'
import { unitOf } from './rows.ts'
import type { UnitChange } from './unit-commit.ts'
import { Violation } from './violation.ts'

/** The change as it was applied, with its events in their places. */
export function checkCommit(checks: Checks, process: SimProcess, change: Change, committed: Extract<Committed, { ok: true }>): void {
  const { model, mirror } = checks
  const appended = change.appends.map(({ event }, at): Placed => {
    const place = committed.at[at]
    if (place === undefined) throw new Violation('all or nothing', `${event.id} has no place`)
    if (model.byPosition.has(place.position)) throw new Violation('positions', `${place.position} is given twice`)
    return { ...event, position: place.position, lane: place.lane, storedMs: committed.storeMs }
  })
  const seen: Seen[] = appended.map((event) => model.append(event))
  const units = unitsOf(change)
  for (const { kind, key } of change.puts) if (kind === 'runtime') noteBeat(checks, key)
  for (const unit of units.values()) checkUnit(checks, process, change, unit, seen)
  if (units.size === 0) noEffects(change)
  mirror.apply(change, checks.nowUs)
  register(checks, process, change)
  for (const unit of units.values()) checkRows(checks, unit)
}

function noteBeat({ mirror, beats, nowUs }: Checks, runtime: string): void {
  const before = mirror.get('runtime', '', runtime)
  if (before === undefined) return
  const gaps = beats.get(runtime) ?? []
  gaps.push({ endedUs: nowUs, lastedUs: nowUs - before.atUs })
  beats.set(runtime, gaps)
}

/** What of a change belongs to one lane of one subscription. */
function unitsOf(change: Change): Map<string, UnitChange> {
  const units = new Map<string, UnitChange>()
  const of = (id: string, lane: string): UnitChange => {
    const name = `${id}/${lane}`
    const there = units.get(name)
    if (there !== undefined) return there
    const unit: UnitChange = { id, lane, part: name, record: undefined, puts: [], deletes: [] }
    units.set(name, unit)
    return unit
  }
  for (const put of change.puts) {
    if (put.kind === 'lane') of(put.part, put.key).record = put.value
    else if (put.kind === 'hold' || put.kind === 'held' || put.kind === 'start') {
      const { id, lane } = unitOf(put.part)
      of(id, lane).puts.push(put)
    }
  }
  for (const key of change.deletes) {
    if (key.kind !== 'hold' && key.kind !== 'held' && key.kind !== 'start' && key.kind !== 'request') continue
    const { id, lane } = unitOf(key.part)
    of(id, lane).deletes.push(key)
  }
  return units
}

function noEffects(change: Change): void {
  for (const { kind, part, key } of change.puts) {
    if (kind === 'ledger' || kind === 'fold' || kind === 'shared' || kind === 'once')
      throw new Violation('fence', `an effect of ${part} (${kind} ${key}) without the lane's record`)
  }
}

function register({ model, mirror, headsAtOpening }: Checks, process: SimProcess, change: Change): void {
  for (const put of change.puts) {
    if (put.kind !== 'subscription') continue
    const subscription = model.byName(put.key)
    if (subscription.registered) continue
    const row = JSON.parse(put.value) as { id: string | number }
    const id = String(row.id)
    const starts = new Map(
      [...model.lanes.keys()].map((lane) => [lane, mirror.lane(id, subscription.plan.merged ? '*' : lane)?.mark ?? '']),
    )
    checkBeginning(subscription, starts, headsAtOpening.get(process), model.log.at(-1)?.event.position ?? '')
    subscription.register(id, (lane) => starts.get(lane) ?? '', model.log)
  }
}

/** Functions begin at their deployment: what was there when it began is before it, what came after it is not. */
function checkBeginning(
  { plan }: SubscriptionModel,
  starts: ReadonlyMap<string, string>,
  heads: ReadonlyMap<string, string> | undefined,
  last: string,
): void {
  for (const [lane, start] of starts) {
    const least = plan.from === 'now' ? (heads?.get(lane) ?? '') : ''
    if (start >= least && (plan.from === 'now' ? Number(start) <= Number(last) : start === '')) continue
    throw new Violation(
      'deployed',
      `${plan.name} begins at '${start}' in ${lane}, from ${plan.from}: not before '${least}', nor after '${last}'`,
    )
  }
}
