/**
 * Holds the breakers of the one process that there is against what its turns' outcomes say: where nothing has gone wrong
 * with it yet, it has heard of all of them, and nobody else of any.
 */
import type { SimProcess } from '../../src/testing/sim-process.ts'
import { BreakerModel } from './breaker-model.ts'
import type { Model, Seen, SubscriptionModel } from './model.ts'
import type { Mirror } from './rows.ts'
import type { Schedule } from './schedule.ts'
import type { Turns, TurnView } from './turns.ts'
import { Violation } from './violation.ts'

interface Where {
  readonly schedule: Schedule
  readonly model: Model
  readonly mirror: Mirror
  readonly turns: Turns
  readonly nowUs: number
  readonly storeMs: number
  readonly livesMade: number
  troubledUs(process: SimProcess): number
}

interface Told {
  readonly model: BreakerModel
  /** How often its row said that it opened. */
  opened: number
  /** Of keys that could be asked: how often one was asked again meanwhile. */
  readonly passedOver: Map<string, number>
}

/** A key's rows may have to be read first: so often another is asked instead. */
const passesMax = 2
/** How long a commit may wait for the one before it. */
const commitUs = 250_000

export class Outcomes {
  readonly #where: Where
  readonly #told = new Map<SubscriptionModel, Told>()

  constructor(where: Where) {
    this.#where = where
    if (where.schedule.runtimes.length > 1) return
    for (const subscription of where.model.subscriptions) {
      const { breaker } = subscription.plan.policy
      if (breaker !== false)
        this.#told.set(subscription, { model: new BreakerModel(breaker), opened: 0, passedOver: new Map<string, number>() })
    }
  }

  /** Whether each of its turns is to be told of when its time is up. */
  follows(process: SimProcess, subscription: SubscriptionModel): boolean {
    return this.#known(process, subscription) !== undefined
  }

  /** A turn has ended while it was open, or its time is up; a batch that fails is halved, and no outcome. */
  ended(view: TurnView, well: boolean): void {
    const told = this.#known(view.process, view.subscription)
    if (told === undefined || (!well && view.seen.length > 1)) return
    told.model.ended({ atUs: this.#where.nowUs, key: [...view.keys][0] ?? '', well })
  }

  /** A turn starts. */
  starts(process: SimProcess, subscription: SubscriptionModel, seen: readonly Seen[]): void {
    const [first] = seen
    const key = first === undefined ? undefined : subscription.key(first)
    if (first === undefined || key === undefined) return
    const told = this.#known(process, subscription)
    const untilUs = told?.model.restsUntilUs(this.#where.nowUs)
    if (told === undefined || untilUs === undefined) return
    const restUs = untilUs - this.#where.nowUs
    if (restUs > this.#lagUs())
      throw new Violation(
        'breaker',
        `${subscription.plan.name}: a turn of ${key} starts, and after its last outcomes the breaker rests for ` +
          `${Math.round(restUs / 1_000)} ms`,
      )
    this.#stands(subscription, told)
    this.#rotates(process, subscription, told, key, subscription.lane(first))
  }

  /** Its row says that it has opened. */
  opens(process: SimProcess, subscription: SubscriptionModel): void {
    const told = this.#known(process, subscription)
    if (told === undefined) return
    told.model.hear(this.#where.nowUs + 1)
    told.opened += 1
    if (told.opened > told.model.openings)
      throw new Violation('breaker', `${subscription.plan.name} opens, and its last outcomes are no reason for it`)
  }

  /** What opened it has its own commit, at the latest, which makes that durable. */
  #stands({ id, plan }: SubscriptionModel, { model }: Told): void {
    const { mirror, nowUs } = this.#where
    if (nowUs - model.openedUs < this.#lagUs() + commitUs || mirror.get('breaker', '', id)?.value.includes('"open"') === true) return
    throw new Violation(
      'breaker',
      `${plan.name} is open for ${Math.round((nowUs - model.openedUs) / 1_000)} ms, and its row does not say so`,
    )
  }

  /** A key that failed is not asked again and again while another one of its lane waits to be. */
  #rotates(process: SimProcess, subscription: SubscriptionModel, { model, passedOver }: Told, asked: string, lane: string): void {
    if (model.probed.size === 0) passedOver.clear()
    passedOver.delete(asked)
    if (!model.probed.has(asked)) return
    for (const key of subscription.queues.keys()) {
      if (key === asked || model.probed.has(key) || !this.#couldBeAsked(process, subscription, key, lane)) continue
      const passed = (passedOver.get(key) ?? 0) + 1
      passedOver.set(key, passed)
      if (passed > passesMax)
        throw new Violation(
          'breaker',
          `${subscription.plan.name}: ${asked} is asked again, and ${key} waits to be asked for the first time`,
        )
    }
  }

  /** For long enough that its owner must know it. */
  #couldBeAsked(process: SimProcess, subscription: SubscriptionModel, key: string, lane: string): boolean {
    const { mirror, turns, nowUs, storeMs } = this.#where
    const head = subscription.head(key)
    if (head === undefined || subscription.lane(head) !== lane || subscription.status.get(head.event.position) !== 'row') return false
    const part = `${subscription.id}/${lane}`
    const row = mirror.get('hold', part, key)
    const hold = mirror.hold(part, key)
    const longUs = this.#lagUs() + 500_000
    if (row === undefined || hold === undefined || row.atUs > nowUs - longUs || mirror.count('request', part) > 0) return false
    if (mirror.lane(subscription.id, lane)?.owner !== process.name) return false
    const due = hold.state === 'ready' || (hold.state === 'wait' && hold.dueMs < storeMs - longUs / 1_000)
    return due && !turns.of(process, subscription).some((view) => view.keys.has(key))
  }

  /** How far behind the store's clock its owner may be: the way of an answer, after its flush. */
  #lagUs(): number {
    const { wayUs, flushUs, tail, tailUs } = this.#where.schedule.sky
    return 4 * (wayUs + flushUs) + (tail > 0 ? 4 * tailUs : 0) + 5_000
  }

  #known(process: SimProcess, subscription: SubscriptionModel): Told | undefined {
    if (this.#where.livesMade > 1 || this.#where.troubledUs(process) > 0) return undefined
    return this.#told.get(subscription)
  }
}
