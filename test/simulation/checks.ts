/** What every check can look at. */
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { Deployments } from './deployments.ts'
import type { Journal } from './journal.ts'
import type { Model, SubscriptionModel } from './model.ts'
import type { Outcomes } from './outcomes.ts'
import type { Owners } from './owners.ts'
import type { Parks } from './parks.ts'
import type { Mirror } from './rows.ts'
import type { Schedule } from './schedule.ts'
import type { Turns } from './turns.ts'

export interface Checks {
  readonly schedule: Schedule
  readonly model: Model
  readonly mirror: Mirror
  readonly journal: Journal
  readonly turns: Turns
  readonly outcomes: Outcomes
  /** Which runtime a process is, in this life of it. */
  runtimeOf(process: SimProcess): string
  /** Of each runtime how long it did not beat, each time it did again. */
  readonly beats: Map<string, { readonly endedUs: number; readonly lastedUs: number }[]>
  readonly parks: Parks
  /** Of each lane of a subscription: commits in a row that changed nothing. */
  readonly idle: Map<string, number>
  readonly deployments: Deployments
  /** Of each process, by lane, the last event that was flushed when it began to open. */
  readonly headsAtOpening: ReadonlyMap<SimProcess, ReadonlyMap<string, string>>
  readonly owners: Owners
  /** Recorded starts of an event whose owners are dead, or live and have not had the time to take them back. */
  deadStarts(subscription: SubscriptionModel, position: string): { readonly count: number; readonly silent: boolean }
  /** Owners that have recorded a start of an event, dead or not. */
  startersOf(subscription: SubscriptionModel, position: string): readonly SimProcess[]
  readonly nowUs: number
  readonly storeMs: number
}
