/** Keys that parked: how many in all, and how many of them during an outage, for no other reason. */
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { Journal } from './journal.ts'
import type { SubscriptionModel } from './model.ts'
import { doingOf } from './subjects.ts'

interface Where {
  readonly journal: Journal
  readonly nowUs: number
}

export class Parks {
  /** Parked while everything failed, and for no other reason, by subscription. */
  readonly duringOutage = new Map<string, number>()
  /** Parked in all; a power cut takes some back. */
  readonly counted = new Map<string, number>()

  /** Keys that parked because their head was started before and did not finish: by whom, by part and key. */
  readonly #accused = new Map<string, readonly SimProcess[]>()

  accuse({ journal }: Where, part: string, key: string, starters: readonly SimProcess[]): void {
    journal.set(this.#accused, `${part} ${key}`, starters)
  }

  /** Parked for crashes, and one of those who started it lives: it takes its start back, and the key goes on. */
  isAccusedOfNothing(part: string, key: string): boolean {
    return this.#accused.get(`${part} ${key}`)?.some((process) => process.alive) ?? false
  }

  note({ journal, nowUs }: Where, subscription: SubscriptionModel): void {
    const { name, outage } = subscription.plan
    journal.set(this.counted, name, (this.counted.get(name) ?? 0) + 1)
    const nowMs = nowUs / 1_000
    if (outage !== undefined && nowMs >= outage.fromMs && nowMs < outage.toMs && !this.#hasOtherTrouble(subscription)) {
      journal.set(this.duringOutage, name, (this.duringOutage.get(name) ?? 0) + 1)
    }
  }

  #hasOtherTrouble(subscription: SubscriptionModel): boolean {
    for (const queue of subscription.queues.values())
      for (const { body } of queue) if (doingOf(subscription.plan, body) !== undefined) return true
    return false
  }
}
