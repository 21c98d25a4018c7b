/** Old and new code side by side: what each has, when it may be deployed, and whom newer code keeps from new leases. */
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { Life } from './life.ts'
import type { Model } from './model.ts'
import type { Schedule, SubscriptionPlan } from './schedule.ts'

interface Where {
  readonly schedule: Schedule
  readonly model: Model
  readonly lives: readonly (Life | undefined)[]
  readonly nowUs: number
  troubledUs(process: SimProcess): number
}

/** How long everybody has to hear of everybody else. */
const knownUs = 2_500_000

export class Deployments {
  readonly #where: Where
  /** Code that calls some subscription otherwise has been deployed. */
  #renaming = false

  constructor(where: Where) {
    this.#where = where
  }

  /**
   * Code whose subscriptions have other names is deployed as everywhere: it waits until the older code is up, and nobody
   * goes back behind a rename. `undefined`: not yet.
   */
  next(knows: number): number | undefined {
    const { model, lives, schedule, nowUs } = this.#where
    const renamed = model.subscriptions.filter(({ plan }) => plan.was !== undefined)
    if (renamed.length === 0) return knows
    if (this.#renaming) return 2
    if (knows < 2) return knows
    if (lives.some((life) => life !== undefined && life.knows < 2 && life.flow === undefined)) return undefined
    const late = nowUs / 1_000 > schedule.liveMs + 5_000
    this.#renaming = late || renamed.every(({ registered }) => registered)
    return this.#renaming ? knows : undefined
  }

  /** Who runs it with newer code than this process, is well, and must be known to it. */
  newerThan(process: SimProcess, id: string): string | undefined {
    const { schedule, model, lives, nowUs } = this.#where
    const me = lives.find((life) => life?.process === process)
    const plan = model.byId(id)?.plan
    if (me === undefined || plan === undefined) return undefined
    const sinceUs = nowUs - knownUs
    const longWell = (life: Life): boolean => life.startedUs < sinceUs && this.#where.troubledUs(life.process) < sinceUs
    if (this.#where.troubledUs(me.process) > sinceUs) return undefined
    return lives.find(
      (life) =>
        life?.flow !== undefined &&
        !life.stopping &&
        life.process.state === 'running' &&
        life.knows > me.knows &&
        plansOf(schedule, life).includes(plan) &&
        longWell(life),
    )?.process.name
  }
}

/** What one runtime runs. */
export function plansOf({ subscriptions }: Schedule, { plan, knows }: Life): readonly SubscriptionPlan[] {
  return subscriptions.filter(({ name, arrives }) => name !== plan.lacks && (arrives !== true || knows >= 2))
}

/** Of each lane the last event that is flushed. */
export function headsOf(model: Model, headFlushed: number): ReadonlyMap<string, string> {
  const heads = new Map<string, string>()
  for (const [lane, seen] of model.lanes) {
    const last = seen.findLast(({ event }) => Number(event.position) <= headFlushed)
    if (last !== undefined) heads.set(lane, last.event.position)
  }
  return heads
}
