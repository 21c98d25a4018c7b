/** Turns that lost to a row that all of a lane share: they run again one after another, each until its commit. */
import type { SubscriptionModel } from './model.ts'
import type { Schedule } from './schedule.ts'
import type { TurnView } from './turns.ts'
import { Violation } from './violation.ts'

export class Contention {
  readonly #schedule: Schedule
  /** Of each event of a subscription the turn that ran it last. */
  readonly #last = new Map<SubscriptionModel, Map<string, TurnView>>()
  /** Turns that run again, by the token of their lane's owner. */
  readonly #again = new Map<string, Set<TurnView>>()

  constructor(schedule: Schedule) {
    this.#schedule = schedule
  }

  started(view: TurnView): void {
    if (!this.#sharesOneRow(view)) return
    const { subscription, seen, token } = view
    const last = this.#last.get(subscription) ?? new Map<string, TurnView>()
    this.#last.set(subscription, last)
    const lost = seen.some(({ event }) => isLost(last.get(event.position), view))
    for (const { event } of seen) last.set(event.position, view)
    if (!lost) return
    const again = this.#again.get(token) ?? new Set<TurnView>()
    this.#again.set(token, again)
    for (const other of again) if (this.#isOver(other)) again.delete(other)
    const [beside] = again
    if (beside !== undefined)
      throw new Violation(
        'contention',
        `${subscription.plan.name} in ${view.process.name}: ${seen[0]?.event.position} runs again beside ` +
          `${beside.seen[0]?.event.position}, and both lost to one row`,
      )
    again.add(view)
  }

  /** It stands in the way of no other: its effects stand, it failed, was called off, has run once more, or was given a row. */
  #isOver(view: TurnView): boolean {
    if (view.committed || (view.state !== 'running' && (view.state !== 'returned' || !view.inTime))) return true
    if (view.state === 'running' && !view.turn.open) return true
    const last = this.#last.get(view.subscription)
    return view.seen.some(({ event }) => last?.get(event.position) !== view)
  }

  /** The only row that any turn of it reads, where neither an operator nor a limit of the store makes one run again. */
  #sharesOneRow({ subscription: { plan } }: TurnView): boolean {
    const { acts, sky } = this.#schedule
    return plan.shares && !plan.folds && !plan.once && plan.batch === undefined && acts.length === 0 && sky.items >= 10_000
  }
}

/** It returned in time, the owner is the same, and its effects do not stand: its commit was refused for what it read. */
function isLost(before: TurnView | undefined, now: TurnView): boolean {
  return before?.process === now.process && before.token === now.token && before.state === 'returned' && before.inTime && !before.committed
}
