/** What must be true when a handler is called: of its event, its key, its process and its subscription. */
import type { Turn } from '../../src/flow/turn.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { Checks } from './checks.ts'
import type { Seen, SubscriptionModel } from './model.ts'
import type { TurnView } from './turns.ts'
import { Violation } from './violation.ts'

/** How late an owner may know of a row that somebody else has put, where nothing stands still. */
export interface Slack {
  readonly pausedUs: number
  /** When a call of this process last went wrong, or it stood still. */
  troubledUs(process: SimProcess): number
}

export function checkStart(
  checks: Checks,
  slack: Slack,
  process: SimProcess,
  subscription: SubscriptionModel,
  turn: Turn,
  flushed: (seen: Seen) => boolean,
): readonly Seen[] {
  const name = `${subscription.plan.name} in ${process.name}`
  const seen = turn.taken.map(({ event }) => {
    const one = checks.model.byPosition.get(event.position)
    if (one === undefined || !flushed(one))
      throw new Violation('flushed', `${name}: a handler sees ${event.position}, which is not flushed`)
    if (one.event.id !== event.id) throw new Violation('flushed', `${name}: a handler sees another event at ${event.position}`)
    return one
  })
  checkShape(subscription, turn, seen, name)
  checkBeside(checks, slack, process, subscription, turn, name)
  checkAbandoned(checks, process, subscription, seen, name)
  checkOpen(checks, process, subscription, seen, name)
  if (ownsAll(checks, process, subscription, seen)) checkHeldKeys(checks, subscription, turn, seen, name)
  const stands = subscription.standsAt(checks.model.log)
  const after = stands === undefined ? undefined : seen.find(({ event }) => event.position > stands.event.position)
  if (after !== undefined)
    throw new Violation('stands', `${name}: ${after.event.position} runs, and nobody knows the key of ${stands?.event.position}`)
  checkPaused(checks, slack, process, subscription, name)
  return seen
}

function checkShape({ plan }: SubscriptionModel, turn: Turn, seen: readonly Seen[], name: string): void {
  if (seen.length === 0) throw new Violation('batches', `${name}: a turn without an event`)
  if (seen.length > (plan.batch?.size ?? 1))
    throw new Violation('batches', `${name}: ${seen.length} events in a turn of at most ${plan.batch?.size ?? 1}`)
  for (let at = 1; at < seen.length; at++) {
    const [before, next] = [seen[at - 1], seen[at]]
    if ((before?.event.position ?? '') >= (next?.event.position ?? ''))
      throw new Violation('batches', `${name}: a batch is not in the order of its lane`)
  }
  if (turn.attempt > plan.policy.retry.attempts)
    throw new Violation('attempts', `${name}: attempt ${turn.attempt} of ${plan.policy.retry.attempts} at ${seen[0]?.event.position}`)
}

/** One turn at a time for each order key, and no more turns in one process than it may have. */
function checkBeside(checks: Checks, slack: Slack, process: SimProcess, subscription: SubscriptionModel, turn: Turn, name: string): void {
  const { policy } = subscription.plan
  let open = 0
  for (const [other, views] of checks.turns.running) {
    for (const view of views) {
      if (view.subscription !== subscription) continue
      if (other === process && view.turn.open) open += 1
      const shared = turn.taken.find(({ key }) => view.keys.has(key))
      if (shared === undefined) continue
      if (other === process) checkSame(checks, view, shared, name)
      else if (
        other.state === 'running' &&
        view.turn.open &&
        slack.troubledUs(other) < view.startedUs - (checks.schedule.settings.leaseMs ?? 0) * 1_000 &&
        slack.troubledUs(process) < checks.nowUs - 2_000_000
      ) {
        throw new Violation('one turn a key', `${name}: key ${shared.key} also runs in ${other.name}, which is well`)
      }
    }
  }
  if (open >= policy.concurrency) throw new Violation('concurrency', `${name}: ${open + 1} turns of at most ${policy.concurrency}`)
}

/** Nobody is let in beside as many handlers that hang as may. A suspect was let in before its start row was written. */
function checkAbandoned(checks: Checks, process: SimProcess, subscription: SubscriptionModel, seen: readonly Seen[], name: string): void {
  const abandoned = checks.turns.abandoned(process, subscription)
  const most = checks.schedule.settings.abandonedMax ?? 100
  if (abandoned < most || seen.some((one) => hasStartRow(checks, subscription, one))) return
  throw new Violation('abandoned', `${name}: a turn starts beside ${abandoned} handlers that go on after their time, of at most ${most}`)
}

/** Of each lane so many events at most are taken and have neither outcome nor row. */
function checkOpen(checks: Checks, process: SimProcess, subscription: SubscriptionModel, seen: readonly Seen[], name: string): void {
  const most = checks.schedule.settings.holesMax ?? 1_000
  const lane = seen[0] === undefined ? '' : subscription.lane(seen[0])
  const token = seen[0] === undefined ? '' : tokenOf(checks, subscription, seen[0])
  const open = new Set<string>()
  const add = (one: Seen): void => {
    if (!subscription.status.has(one.event.position) && subscription.lane(one) === lane) open.add(one.event.position)
  }
  for (const one of seen) add(one)
  for (const view of checks.turns.open.get(process) ?? [])
    if (view.subscription === subscription && view.token === token) for (const one of view.seen) add(one)
  if (open.size > most) throw new Violation('holes', `${name}: ${open.size} events of ${lane} are under way, of at most ${most}`)
}

export function hasStartRow({ mirror }: Checks, subscription: SubscriptionModel, seen: Seen): boolean {
  return mirror.get('start', `${subscription.id}/${subscription.lane(seen)}`, seen.event.position) !== undefined
}

function checkSame(checks: Checks, view: TurnView, { key, event }: Turn['taken'][number], name: string): void {
  if (view.turn.open) throw new Violation('one turn a key', `${name}: key ${key} has a turn under way`)
  const seen = checks.model.byPosition.get(event.position)
  if (view.closedUs === undefined || seen === undefined || tokenOf(checks, view.subscription, seen) !== view.token) return
  const { graceMs } = view.subscription.plan.policy
  const restUs = view.closedUs + graceMs * 1_000 - checks.nowUs
  // An alarm that was rung for another reason may be early by the fraction of a millisecond that timers leave out.
  if (restUs > 1_000)
    throw new Violation(
      'grace',
      `${name}: key ${key} is tried again ${Math.round(restUs / 1_000)} ms before its grace is over, and its handler still runs`,
    )
}

export function tokenOf({ mirror }: Checks, subscription: SubscriptionModel, seen: Seen): string {
  return mirror.lane(subscription.id, subscription.lane(seen))?.token ?? ''
}

function checkHeldKeys(
  { mirror, storeMs, model }: Checks,
  subscription: SubscriptionModel,
  turn: Turn,
  seen: readonly Seen[],
  name: string,
): void {
  for (const [at, { key }] of turn.taken.entries()) {
    const one = seen[at]
    if (one === undefined) continue
    const part = `${subscription.id}/${subscription.lane(one)}`
    const hold = mirror.hold(part, key)
    if (hold === undefined) continue
    if (hold.state === 'wait' && storeMs < hold.dueMs)
      throw new Violation('due times', `${name}: ${one.event.position} of key ${key} runs ${hold.dueMs - storeMs} ms early`)
    if (hold.state === 'parked') throw new Violation('holds', `${name}: ${one.event.position} of key ${key} runs, and the key is parked`)
  }
  void model
}

/** Whether the record of each lane that it needs says that this process owns it. */
function ownsAll(checks: Checks, process: SimProcess, subscription: SubscriptionModel, seen: readonly Seen[]): boolean {
  const me = checks.runtimeOf(process)
  return seen.every((one) => checks.mirror.lane(subscription.id, subscription.lane(one))?.owner === me)
}

function checkPaused({ mirror, nowUs }: Checks, slack: Slack, process: SimProcess, subscription: SubscriptionModel, name: string): void {
  const row = mirror.get('control', '', subscription.id)
  if (row === undefined) return
  const { paused } = JSON.parse(row.value) as { paused: boolean }
  const since = Math.max(row.atUs, slack.troubledUs(process))
  if (paused && nowUs - since > slack.pausedUs)
    throw new Violation('pause', `${name}: a handler starts ${Math.round((nowUs - row.atUs) / 1_000)} ms after it was paused`)
}
