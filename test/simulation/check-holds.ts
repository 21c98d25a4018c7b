/** Held keys: who may leave a hold and why one parks, attempts that the checker caused itself, due times, and requests carried out once. */
import type { Request } from '../../src/flow/requests.ts'
import type { Put } from '../../src/ports/store.ts'
import { nameOf, positionOf, type UnitCommit } from './unit-commit.ts'
import type { Seen } from './model.ts'
import { readHeldName, type HeldRow, type HoldRow } from './rows.ts'
import { doingOf } from './subjects.ts'
import { Violation } from './violation.ts'

export function checkHolds(commit: UnitCommit): void {
  const requests = executed(commit)
  for (const put of commit.unit.puts) if (put.kind === 'held') checkHeldPut(commit, put, requests)
  for (const { kind, key } of commit.unit.deletes) if (kind === 'held') checkHeldDelete(commit, key, requests)
  for (const put of commit.unit.puts) if (put.kind === 'hold') checkHold(commit, put, requests)
  checkCap(commit)
}

/** The requests that it carries out: each stands, and is taken away by it. */
function executed(commit: UnitCommit): readonly Request[] {
  const { checks, unit, change, subscription } = commit
  const requests: Request[] = []
  for (const { kind, part, key } of unit.deletes) {
    if (kind !== 'request') continue
    const row = checks.mirror.get(kind, part, key)
    if (row === undefined) throw new Violation('requests', `${nameOf(checks, unit)}: request ${key} is carried out a second time`)
    if (!change.puts.some((put) => put.kind === 'operation' && put.key === key))
      throw new Violation('requests', `${nameOf(checks, unit)}: request ${key} leaves no record`)
    const request = JSON.parse(row.value) as Request
    requests.push(request)
    checkRecord(commit, request, change.puts.find((put) => put.kind === 'operation' && put.key === key)?.value ?? '{}')
    if (request.op === 'discard' && request.position === undefined) checkWholeDiscard(commit, request, row.atUs)
    // Without a key it means the event that the subscription stands at.
    if (request.key === undefined) subscription.discardStanding(checks.model.log)
  }
  return [...requests, ...begun(commit)]
}

/** Of a key that is discarded whole no row is left that it had when that was asked for. */
function checkWholeDiscard({ checks, unit, change }: UnitCommit, request: Request, askedUs: number): void {
  if (change.puts.some(({ kind, value }) => kind === 'operation' && value.includes('"refused"'))) return
  const gone = new Set(unit.deletes.map(({ kind, key }) => `${kind} ${key}`))
  for (const { kind, key, atUs } of checks.mirror.of('held', unit.part)) {
    const held = readHeldName(key)
    if (held.key !== request.key || atUs > askedUs || gone.has(`${kind} ${key}`)) continue
    throw new Violation('requests', `${nameOf(checks, unit)}: key ${held.key} is discarded, and ${held.position} of it is left`)
  }
}

/** A key may have more rows than one commit takes away: then the request stands until the last step, and each is written down. */
function begun({ checks, unit, change }: UnitCommit): readonly Request[] {
  const steps = change.puts.flatMap(({ kind, key }) => (kind === 'operation' && key.includes(' ') ? [key.slice(0, key.indexOf(' '))] : []))
  return steps.map((id) => {
    const row = checks.mirror.get('request', unit.part, id)
    const request = row === undefined ? undefined : (JSON.parse(row.value) as Request)
    if (request?.op !== 'discard' || request.position !== undefined)
      throw new Violation(
        'requests',
        `${nameOf(checks, unit)}: ${id} is carried out in steps, and is no discard of a whole key that stands`,
      )
    return request
  })
}

/** Who asked for what is written down, with the events that it was for: a redrive begins at the head of its key. */
function checkRecord({ checks, unit, subscription }: UnitCommit, request: Request, value: string): void {
  const record = JSON.parse(value) as { readonly by?: string; readonly positions?: readonly string[] }
  if (record.by !== request.by)
    throw new Violation('requests', `${nameOf(checks, unit)}: who asked is '${record.by ?? ''}', not '${request.by}'`)
  if (request.op !== 'redrive' || checks.mirror.hold(unit.part, request.key) === undefined) return
  // A turn under way may be in front of the rows.
  const head = subscription.queues.get(request.key)?.find(({ event }) => subscription.status.get(event.position) === 'row')?.event.position
  if (record.positions?.[0] !== head)
    throw new Violation(
      'requests',
      `${nameOf(checks, unit)}: a redrive of ${request.key} begins at ${record.positions?.[0]}, its head is ${head}`,
    )
}

function checkHeldPut({ checks, unit, subscription }: UnitCommit, put: Put, requests: readonly Request[]): void {
  const { key, position } = readHeldName(put.key)
  const name = `${nameOf(checks, unit)}: ${position}`
  const seen = checks.model.byPosition.get(position)
  if (seen === undefined || subscription.key(seen) !== key) throw new Violation('holds', `${name} is held under ${key}`)
  const before = checks.mirror.held(unit.part, key, position)
  const next = JSON.parse(put.value) as HeldRow
  const status = subscription.status.get(position)
  if (before === undefined) {
    if (status !== undefined) throw new Violation('holds', `${name} is ${status}, and gets a row`)
    if (next.run !== 0 || next.data !== undefined) throw new Violation('holds', `${name} gets a row of run ${next.run}`)
    subscription.mark(position, 'row')
    return
  }
  if (next.run === before.run && next.data === before.data) return
  const edit = requests.find((request) => request.op === 'edit' && request.key === key && request.position === position)
  if (edit === undefined || next.run !== before.run + 1) throw new Violation('edit', `${name} is edited, and nobody asked for it`)
}

function checkHeldDelete({ checks, unit, subscription }: UnitCommit, name: string, requests: readonly Request[]): void {
  const { key, position } = readHeldName(name)
  const status = subscription.status.get(position)
  if (status === 'done') return
  const asked = requests.some(
    (request) => request.op === 'discard' && request.key === key && (request.position === undefined || request.position === position),
  )
  if (!asked) throw new Violation('holds', `${nameOf(checks, unit)}: the row of ${position} (${key}) goes, and it has no effect`)
  if (status !== 'row') throw new Violation('holds', `${nameOf(checks, unit)}: ${position} is discarded, and has no row`)
  subscription.mark(position, 'discarded')
}

function checkHold(commit: UnitCommit, put: Put, requests: readonly Request[]): void {
  const { checks, unit, subscription } = commit
  const before = checks.mirror.hold(unit.part, put.key)
  const next = JSON.parse(put.value) as HoldRow
  const name = `${nameOf(checks, unit)}: key ${put.key}`
  const redriven = requests.some((request) => request.op === 'redrive' && request.key === put.key && isFor(request, before))
  if (redriven) for (const seen of subscription.queues.get(put.key) ?? []) checks.turns.forgive(subscription, seen.event.position)
  const head = subscription.head(put.key)
  if (head === undefined) throw new Violation('holds', `${name} is held, and all of it is done`)
  if (before === undefined && next.state !== 'ready') checkWhole(commit, put.key, name)
  if (next.attempt > 0) checkAttempts(commit, head, next, name)
  if (next.state === 'wait' && next.dueMs !== before?.dueMs) checkBackoff(commit, next, name)
  if (redriven && (next.state !== 'ready' || next.attempt !== 0))
    throw new Violation('redrive', `${name} is redriven, and is ${next.state} at attempt ${next.attempt}`)
  if (next.state === 'parked' && before?.state !== 'parked') {
    checkPark(commit, head, next, name)
    checks.parks.note(checks, subscription)
    if (next.error?.code === 'CRASHED_THRICE')
      checks.parks.accuse(checks, unit.part, put.key, checks.startersOf(subscription, head.event.position))
  }
  if (next.state === 'version' && head.event.version <= 1)
    throw new Violation('versions', `${name} waits for a version, and its head is of version ${head.event.version}`)
  if (before?.state === 'parked' && next.state !== 'parked' && requests.length === 0)
    throw new Violation('holds', `${name} was parked, and nobody redrove it`)
}

/** One that is meant for a key parked for a reason leaves it alone where it is not. */
function isFor({ onlyIf }: Extract<Request, { op: 'redrive' }>, before: HoldRow | undefined): boolean {
  return onlyIf === undefined || (before?.state === 'parked' && before.error?.code === onlyIf)
}

/**
 * The commit that holds a key gives a row to every event of it that was taken: none may stay a hole, which an owner after
 * this one would run first.
 */
function checkWhole({ checks, subscription, next }: UnitCommit, key: string, name: string): void {
  for (const hole of next.holes) {
    const seen = checks.model.byPosition.get(positionOf(hole))
    if (seen !== undefined && subscription.key(seen) === key)
      throw new Violation('held whole', `${name} is held, and ${seen.event.position} of it is a hole`)
  }
}

/**
 * The very commit that parks the last key that may pauses the subscription, and none does that parks fewer: whoever dies
 * between two commits, and whatever an operator has said before, nothing of it is lost.
 */
function checkCap({ checks, change, unit, subscription }: UnitCommit): void {
  const { mirror, schedule, model } = checks
  const before = new Set<string>()
  for (const { key } of mirror.of('hold', unit.part)) if (mirror.hold(unit.part, key)?.state === 'parked') before.add(key)
  const after = new Set(before)
  for (const { kind, key } of unit.deletes) if (kind === 'hold') after.delete(key)
  for (const { kind, key, value } of unit.puts) {
    if (kind !== 'hold') continue
    if ((JSON.parse(value) as HoldRow).state === 'parked') after.add(key)
    else after.delete(key)
  }
  const control = change.puts.find(({ kind, key }) => kind === 'control' && model.byId(key) === subscription)
  const pauses = control !== undefined && (JSON.parse(control.value) as { readonly paused: boolean }).paused
  const full = after.size >= (schedule.settings.parkedMax ?? 1_000)
  const parks = [...after].some((key) => !before.has(key))
  if (parks ? pauses !== full : pauses && !full)
    throw new Violation(
      'parked cap',
      `${nameOf(checks, unit)}: ${after.size} keys are parked, and it ${pauses ? 'pauses' : 'does not pause'}`,
    )
}

function checkAttempts({ checks, subscription }: UnitCommit, head: Seen, hold: HoldRow, name: string): void {
  const failures = checks.turns.failures(subscription, head.event.position)
  if (hold.attempt > failures)
    throw new Violation('attempts', `${name}: ${hold.attempt} attempts of ${head.event.position}, which has failed ${failures} times`)
}

/** No later than the longest that its attempt may wait. */
function checkBackoff({ checks, subscription }: UnitCommit, hold: HoldRow, name: string): void {
  const { fromMs, toMs } = subscription.plan.policy.retry
  const most = Math.min(toMs, fromMs * 2 ** Math.max(0, hold.attempt - 1))
  if (hold.dueMs > checks.storeMs + most + 1)
    throw new Violation('backoff', `${name}: attempt ${hold.attempt} waits ${hold.dueMs - checks.storeMs} ms, at most ${most}`)
}

function checkPark({ checks, subscription }: UnitCommit, head: Seen, hold: HoldRow, name: string): void {
  const { position } = head.event
  if (doingOf(subscription.plan, head.body)?.do === 'broken') return
  if (checks.turns.failures(subscription, position) >= subscription.plan.policy.retry.attempts) return
  // It may have been in flight, was started again, and died alone: the third time it is not tried. Nobody is accused of what ran beside it.
  const { count: deaths, silent } = checks.deadStarts(subscription, position)
  if (deaths >= 2 && (silent || checks.turns.diedAlone(subscription, position))) return
  if (deaths >= 2)
    throw new Violation(
      'parking',
      `${name} parks at ${position}, beside which others ran when its process died: ${hold.error?.message ?? ''}`,
    )
  throw new Violation(
    'parking',
    `${name} parks at ${position} after ${hold.attempt} attempts and ${deaths} starts that a death ended: ${hold.error?.message ?? ''}`,
  )
}
