/** More of what must be true when a handler is called: of its code, of who runs beside it after a crash, and of the breaker. */
import type { Turn } from '../../src/flow/turn.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { Checks } from './checks.ts'
import type { Body, Seen, SubscriptionModel } from './model.ts'
import { hasStartRow } from './check-start.ts'
import { doingOf, partsOf } from './subjects.ts'
import { Violation } from './violation.ts'

/** What its code does not know, or cannot decode, is not given to a handler. */
export function checkCode({ plan }: SubscriptionModel, turn: Turn, knows: number): void {
  for (const { event, parts } of turn.taken) {
    if (event.version > knows)
      throw new Violation('versions', `${plan.name}: ${event.position} of version ${event.version} runs in code that knows ${knows}`)
    // As it was edited, where it was.
    const body = parts[0] as Body | undefined
    if (body !== undefined && parts.length !== partsOf(body).length)
      throw new Violation('split', `${plan.name}: ${event.position} is given in ${parts.length} parts, of ${partsOf(body).length}`)
    if (body === undefined || doingOf(plan, body)?.do === 'broken')
      throw new Violation('decoding', `${plan.name}: ${event.position} cannot be decoded, and runs`)
  }
}

/** Who was started before and did not finish runs alone in its process, so that the next crash accuses nobody else. */
export function checkAlone(checks: Checks, process: SimProcess, subscription: SubscriptionModel, seen: readonly Seen[]): void {
  const accused = seen.find((one) => startedBefore(checks, process, subscription, one))
  for (const view of checks.turns.running.get(process) ?? []) {
    if (!view.turn.open) continue
    const other = view.seen.find((one) => startedBefore(checks, process, view.subscription, one))
    if (accused === undefined && other === undefined) continue
    const [who, beside] = accused === undefined ? [other, seen[0]] : [accused, view.seen[0]]
    throw new Violation(
      'alone',
      `${process.name}: ${who?.event.position} was started before and did not finish; it runs beside ${beside?.event.position}`,
    )
  }
}

/** Its own record says so: not that of an owner after it, which it does not know of. */
function startedBefore({ mirror, owners }: Checks, process: SimProcess, subscription: SubscriptionModel, seen: Seen): boolean {
  const row = mirror.get('start', `${subscription.id}/${subscription.lane(seen)}`, seen.event.position)
  if (row === undefined) return false
  const tokens = JSON.parse(row.value) as readonly string[]
  return tokens.length > 1 && owners.of(tokens.at(-1) ?? '') === process
}

/** While the breaker is open nothing runs before its rest is over, and then one turn at a time asks. */
export function checkProbe(
  checks: Checks,
  process: SimProcess,
  subscription: SubscriptionModel,
  seen: readonly Seen[],
  open: ReturnType<typeof surelyOpen>,
): void {
  if (open === undefined) return
  // A suspect's start was written meanwhile: it was let in before.
  const suspect = seen.some((one) => hasStartRow(checks, subscription, one))
  if (suspect) return
  const { name } = subscription.plan
  const earlyMs = open.untilMs - checks.storeMs
  if (earlyMs > 0) throw new Violation('breaker', `${name}: a turn starts ${earlyMs} ms before the breaker's rest is over`)
  for (const view of checks.turns.of(process, subscription)) {
    if (view.breakerOpen && view.turn.open && view.startedUs > open.atUs)
      throw new Violation('breaker', `${name}: two turns ask at once while the breaker is open`)
  }
}

/**
 * Whether the breaker is open not only by its row: what was under way when it opened may have gone well since, and then it
 * is closed already, its row not written yet.
 * With several runtimes one of them may not know.
 */
export function surelyOpen(
  { mirror, turns, schedule }: Checks,
  subscription: SubscriptionModel,
): { readonly untilMs: number; readonly atUs: number } | undefined {
  const row = mirror.get('breaker', '', subscription.id)
  if (row === undefined || schedule.runtimes.length > 1) return undefined
  const { phase, untilMs } = JSON.parse(row.value) as { readonly phase: string; readonly untilMs?: number }
  if (phase !== 'open') return undefined
  const well = turns.bySerial.some(
    (view) => view.subscription === subscription && view.state === 'returned' && view.endedUs >= row.atUs - 1_000_000,
  )
  return well ? undefined : { untilMs: untilMs ?? 0, atUs: row.atUs }
}
