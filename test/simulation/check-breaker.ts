/** The breaker: it opens only when enough outcomes failed over enough keys, and a total outage parks few. */
import type { Change } from '../../src/ports/store.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { Checks } from './checks.ts'
import { Violation } from './violation.ts'

interface BreakerRow {
  readonly phase: 'closed' | 'open'
  readonly untilMs?: number
}

export function checkBreakers({ mirror, model, turns, storeMs, outcomes }: Checks, process: SimProcess, change: Change): void {
  for (const put of change.puts) {
    if (put.kind !== 'breaker') continue
    const subscription = model.byId(put.key)
    if (subscription === undefined) throw new Violation('breaker', `${put.key} is no subscription`)
    const policy = subscription.plan.policy.breaker
    if (policy === false) throw new Violation('breaker', `${subscription.plan.name} has none`)
    const row = mirror.get('breaker', '', put.key)
    const before = row === undefined ? undefined : (JSON.parse(row.value) as BreakerRow)
    const next = JSON.parse(put.value) as BreakerRow
    if (next.phase !== 'open') continue
    if ((next.untilMs ?? 0) > storeMs + policy.restMs + 1)
      throw new Violation('breaker', `${subscription.plan.name} rests until ${next.untilMs}, longer than it may`)
    if (before?.phase === 'open') continue
    outcomes.opens(process, subscription)
    turns.countTimeouts(subscription)
    const failed = new Set<string>()
    for (const view of turns.bySerial) {
      if (view.subscription !== subscription || (view.state !== 'threw' && !view.counted)) continue
      for (const key of view.keys) failed.add(key)
    }
    if (failed.size < policy.keys)
      throw new Violation(
        'breaker',
        `${subscription.plan.name} opens over ${failed.size} keys that ever failed, of at least ${policy.keys}`,
      )
  }
}
