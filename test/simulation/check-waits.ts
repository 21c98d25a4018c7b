/**
 * A slow turn delays its key only: what waits behind it gets rows, so that reading goes on, while there is a place to run.
 * Held against one process that nothing has happened to: so that no lane of it is handed over, and no suspect has the
 * places.
 */
import type { Checks } from './checks.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { Life } from './life.ts'
import type { Seen } from './model.ts'
import type { TurnView } from './turns.ts'
import { Violation } from './violation.ts'

/** Everything that tells whether a process was left alone. */
export interface Still extends Checks {
  readonly lives: readonly (Life | undefined)[]
  readonly livesMade: number
  troubledUs(process: SimProcess): number
}

/** So long a lane may do nothing about it: a read, a commit and their answers. */
const leastUs = 600_000

/** As a turn ends, or its time is up. */
export function checkWaits(checks: Still, view: TurnView): void {
  const { sky, settings } = checks.schedule
  const hintsUs = sky.hints.late + sky.hints.lost > 0 ? sky.healMs * 2_000 + 1_500_000 : 0
  const longUs = leastUs + hintsUs + (sky.tail > 0 ? 6 * sky.tailUs : 0)
  const sinceUs = checks.nowUs - longUs
  if (view.startedUs > sinceUs || view.subscription.plan.keyless || !isStill(checks, view, sinceUs)) return
  const most = settings.holesMax ?? 1_000
  const open = openOf(checks, view, most + 1)
  const next = open[most]
  if (next === undefined || next.event.storedMs > checks.storeMs - longUs / 1_000) return
  const waits = open.slice(0, most).find((seen) => isBehind(view, seen))
  if (waits === undefined) return
  const [first] = view.seen
  throw new Violation(
    'waits',
    `${view.subscription.plan.name}: ${next.event.position} is not read, and ${waits.event.position}, which waits behind ` +
      `${first?.event.position}, gets no row`,
  )
}

/** Its owner is well, nothing has come or gone there, and there was a place to run all the time. */
function isStill(checks: Still, view: TurnView, sinceUs: number): boolean {
  const { mirror, turns, lives, livesMade, schedule } = checks
  const { process, subscription } = view
  const [first] = view.seen
  if (first === undefined || schedule.runtimes.length > 1 || livesMade > 1 || lives[0]?.stopping === true) return false
  if (checks.troubledUs(process) > sinceUs) return false
  const row = mirror.get('lane', subscription.id, subscription.lane(first))
  if (row === undefined || row.atUs > sinceUs || mirror.lane(subscription.id, row.key)?.token !== view.token) return false
  const control = mirror.get('control', '', subscription.id)
  if (control !== undefined && (control.atUs > sinceUs || (JSON.parse(control.value) as { paused: boolean }).paused)) return false
  const { concurrency } = subscription.plan.policy
  // One that has just ended had a place until now.
  const beside = turns.of(process, subscription).filter((other) => other !== view)
  if (beside.length + 1 >= concurrency || beside.some(({ startedUs }) => startedUs > sinceUs)) return false
  return !turns.bySerial.some(
    (other) => other !== view && other.process === process && other.subscription === subscription && other.endedUs > sinceUs,
  )
}

/** The first of its lane that have neither outcome nor row. */
function openOf({ model }: Checks, { subscription, seen: [first] }: TurnView, most: number): readonly Seen[] {
  const lane = first === undefined ? '' : subscription.lane(first)
  const open: Seen[] = []
  for (const seen of lane === '*' ? model.log : (model.lanes.get(lane) ?? [])) {
    if (open.length === most) break
    if (!subscription.status.has(seen.event.position) && subscription.wants(seen)) open.push(seen)
  }
  return open
}

function isBehind(view: TurnView, seen: Seen): boolean {
  const key = view.subscription.key(seen)
  return key !== undefined && view.keys.has(key) && view.seen.every(({ event }) => event.position < seen.event.position)
}
