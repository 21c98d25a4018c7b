/** One commit of one lane of a subscription: who may write it, how far its mark goes, and what became of each event that it settles. */
import type { Change } from '../../src/ports/store.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import { checkEffects } from './check-effects.ts'
import { checkHolds } from './check-holds.ts'
import type { Checks } from './checks.ts'
import type { Seen, SubscriptionModel } from './model.ts'
import type { LaneRow } from './rows.ts'
import { nameOf, positionOf, type UnitChange, type UnitCommit } from './unit-commit.ts'
import { Violation } from './violation.ts'

export function checkUnit(checks: Checks, process: SimProcess, change: Change, unit: UnitChange, appended: readonly Seen[]): void {
  if (unit.record === undefined) throw new Violation('fence', `${nameOf(checks, unit)}: rows of the lane are written without its record`)
  const before = checks.mirror.lane(unit.id, unit.lane)
  const next = JSON.parse(unit.record) as LaneRow
  const subscription = checks.model.byId(unit.id)
  if (subscription === undefined) {
    // Its subscription is registered by this very change, or the record is made before it is.
    if (next.owner !== '' && !change.puts.some(({ kind }) => kind === 'subscription'))
      throw new Violation('fence', `a lane of an unknown subscription ${unit.id} gets an owner`)
    return
  }
  const commit: UnitCommit = { checks, process, change, unit, subscription, before, next, appended }
  checkOwner(commit)
  checkEffects(commit)
  checkHolds(commit)
  checkMark(commit)
  checkIdle(commit)
  if (before !== undefined && before.owner !== '' && next.owner === '') checkDrained(commit)
}

function checkOwner({ checks, process, change, unit, before, next }: UnitCommit): void {
  const name = nameOf(checks, unit)
  const row = checks.mirror.get('lane', unit.id, unit.lane)
  const check = change.checks.find(({ kind, part, key }) => kind === 'lane' && part === unit.id && key === unit.lane)
  if (check === undefined || check.rev !== (row?.rev ?? null))
    throw new Violation('fence', `${name}: the commit does not expect the lane's record as it stands`)
  if (before === undefined) return
  if (next.token === before.token) {
    const me = checks.runtimeOf(process)
    if (before.owner !== me) throw new Violation('fence', `${name}: ${me} commits, the owner is ${before.owner}`)
    if (next.epoch !== before.epoch) throw new Violation('fence', `${name}: an epoch changes under one token`)
    if (next.owner !== me && next.owner !== '') throw new Violation('fence', `${name}: ${me} gives the lane to ${next.owner}`)
    return
  }
  if (next.owner !== '') checkClaim(checks, process, unit, before, next)
}

function checkClaim(checks: Checks, process: SimProcess, unit: UnitChange, before: LaneRow, next: LaneRow): void {
  const name = nameOf(checks, unit)
  const me = checks.runtimeOf(process)
  if (next.owner !== me) throw new Violation('fence', `${name}: ${me} claims for ${next.owner}`)
  if (next.epoch <= before.epoch) throw new Violation('fence', `${name}: an owner comes, the epoch stays ${before.epoch}`)
  if (unit.puts.length > 0 || unit.deletes.length > 0) throw new Violation('fence', `${name}: a claim writes more than the record`)
  if (next.mark !== before.mark || String(next.holes) !== String(before.holes))
    throw new Violation('fence', `${name}: a claim moves the mark or its holes`)
  if (before.owner !== '' && before.owner !== me) checkLease(checks, name, before.owner, process.stoodUs)
  const newer = checks.deployments.newerThan(process, unit.id)
  if (newer !== undefined) throw new Violation('generations', `${name}: ${me} claims, and ${newer} with newer code is well`)
}

/**
 * Whoever is replaced has not beaten for a whole lease: time decides when, though never whether it is safe. What counts is
 * what the taker last saw: a beat that comes
 * between its look and its claim is too late, and it may have stood still there.
 */
function checkLease({ schedule, mirror, beats, nowUs }: Checks, name: string, owner: string, stoodUs: number): void {
  const beat = mirror.get('runtime', '', owner)
  if (beat === undefined) return
  const leaseUs = (schedule.settings.leaseMs ?? 0) * 1_000
  if (nowUs - beat.atUs >= leaseUs) return
  const gaps = beats.get(owner) ?? []
  if (gaps.some(({ endedUs, lastedUs }) => lastedUs >= leaseUs && nowUs - endedUs < 4_000_000 + stoodUs)) return
  throw new Violation('lease', `${name}: taken from ${owner}, whose beat is ${Math.round((nowUs - beat.atUs) / 1_000)} ms old`)
}

/** Commits that say what stands already are work for nothing: one may be, a row of them is a loop that nothing stops. */
function checkIdle({ checks, change, unit, before, next }: UnitCommit): void {
  const idle =
    change.puts.length + change.deletes.length + change.appends.length === 1 &&
    before !== undefined &&
    JSON.stringify(before) === JSON.stringify(next)
  const row = idle ? (checks.idle.get(unit.part) ?? 0) + 1 : 0
  checks.idle.set(unit.part, row)
  if (row > 3) throw new Violation('idle commits', `${nameOf(checks, unit)}: the record is written ${row} times as it stands`)
}

/** Turns under way have so long to end before they are called off. */
function checkDrained({ checks, process, unit, subscription }: UnitCommit): void {
  const drainMs = checks.schedule.settings.drainMs ?? 0
  for (const view of checks.turns.of(process, subscription)) {
    if (view.turn.open && view.seen.some((one) => subscription.lane(one) === unit.lane))
      throw new Violation('drain', `${nameOf(checks, unit)}: it is released, and a turn of it is under way`)
    if (view.closedUs === undefined || !view.closedWhy.includes('its runtime stops')) continue
    const ranMs = (view.closedUs - view.startedUs) / 1_000
    if (ranMs < drainMs - 30)
      throw new Violation('drain', `${nameOf(checks, unit)}: a turn is called off after ${Math.round(ranMs)} ms, a drain is ${drainMs}`)
  }
}

/** Nothing is passed that has neither effect, row, filter nor discard, and no more is left open than may be. */
function checkMark({ checks, unit, subscription, before, next }: UnitCommit): void {
  const name = nameOf(checks, unit)
  const mark = before?.mark ?? ''
  if (next.mark < mark) throw new Violation('mark', `${name}: it goes back from ${mark} to ${next.mark}`)
  const holes = new Set(next.holes.map(positionOf))
  const most = checks.schedule.settings.holesMax ?? 1_000
  if (holes.size > most) throw new Violation('holes', `${name}: ${holes.size} of at most ${most}`)
  for (const hole of holes) if (hole > next.mark) throw new Violation('mark', `${name}: a hole above it at ${hole}`)
  for (const seen of between(checks, unit, mark, next.mark)) if (!holes.has(seen.event.position)) mustBeSettled(subscription, seen, name)
  for (const hole of (before?.holes ?? []).map(positionOf)) {
    const seen = checks.model.byPosition.get(hole)
    if (!holes.has(hole) && seen !== undefined) mustBeSettled(subscription, seen, name)
  }
  for (const hole of holes) {
    if (hole <= mark && !(before?.holes ?? []).some((one) => positionOf(one) === hole))
      throw new Violation('mark', `${name}: ${hole} was settled, and is open again`)
  }
}

function mustBeSettled(subscription: SubscriptionModel, seen: Seen, name: string): void {
  if (!subscription.wants(seen) || subscription.status.has(seen.event.position)) return
  throw new Violation(
    'mark',
    `${name}: it passes ${seen.event.position} (${seen.event.type}, key ${seen.event.key}), which has neither effect nor row`,
  )
}

function* between({ model }: Checks, unit: UnitChange, after: string, upTo: string): Generator<Seen> {
  if (upTo <= after) return
  const list = unit.lane === '*' ? model.log : (model.lanes.get(unit.lane) ?? [])
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list[middle]?.event.position ?? '') <= after) low = middle + 1
    else high = middle
  }
  for (let at = low; at < list.length; at++) {
    const seen = list[at]
    if (seen === undefined || seen.event.position > upTo) return
    yield seen
  }
}
