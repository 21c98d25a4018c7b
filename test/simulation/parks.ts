/** Keys that parked: how many of one lane at once, how many during an outage, and whether a subscription paused itself when it had to. */
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { Journal } from './journal.ts'
import type { SubscriptionModel } from './model.ts'
import type { Mirror } from './rows.ts'
import type { Schedule } from './schedule.ts'
import { doingOf } from './subjects.ts'

interface Where {
  readonly journal: Journal
  readonly mirror: Mirror
  readonly schedule: Schedule
  readonly nowUs: number
}

interface Full {
  readonly sinceUs: number
  readonly process: SimProcess
}

export class Parks {
  /** Parked while everything failed, and for no other reason, by subscription. */
  readonly duringOutage = new Map<string, number>()
  /** Parked in all; a power cut takes some back. */
  readonly counted = new Map<string, number>()
  /** Subscriptions that had as many parked keys in one lane as they may, and when. */
  readonly full = new Map<string, Full>()

  note({ journal, mirror, schedule, nowUs }: Where, process: SimProcess, subscription: SubscriptionModel, part: string): void {
    const { name, outage } = subscription.plan
    journal.set(this.counted, name, (this.counted.get(name) ?? 0) + 1)
    const nowMs = nowUs / 1_000
    if (outage !== undefined && nowMs >= outage.fromMs && nowMs < outage.toMs && !this.#hasOtherTrouble(subscription)) {
      journal.set(this.duringOutage, name, (this.duringOutage.get(name) ?? 0) + 1)
    }
    let parked = 1
    for (const row of mirror.of('hold', part)) if (mirror.hold(part, row.key)?.state === 'parked') parked += 1
    if (parked < (schedule.settings.parkedMax ?? 1_000) || this.full.has(name)) return
    journal.set(this.full, name, { sinceUs: nowUs, process })
  }

  #hasOtherTrouble(subscription: SubscriptionModel): boolean {
    for (const queue of subscription.queues.values())
      for (const { body } of queue) if (doingOf(subscription.plan, body) !== undefined) return true
    return false
  }
}
