/** One commit of one lane of a subscription, taken apart for the checks. */
import type { Change, Key, Put } from '../../src/ports/store.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { Checks } from './checks.ts'
import type { Seen, SubscriptionModel } from './model.ts'
import type { LaneRow } from './rows.ts'

export interface UnitChange {
  readonly id: string
  readonly lane: string
  readonly part: string
  record: string | undefined
  readonly puts: Put[]
  readonly deletes: Key[]
}

/** Everything of a commit that the checks of one unit look at. */
export interface UnitCommit {
  readonly checks: Checks
  readonly process: SimProcess
  readonly change: Change
  readonly unit: UnitChange
  readonly subscription: SubscriptionModel
  readonly before: LaneRow | undefined
  readonly next: LaneRow
  readonly appended: readonly Seen[]
}

export function positionOf(hole: string): string {
  return hole.slice(hole.lastIndexOf('/') + 1)
}

export function nameOf({ model }: Checks, unit: { readonly id: string; readonly lane: string }): string {
  return `${model.byId(unit.id)?.plan.name ?? unit.id} in ${unit.lane}`
}
