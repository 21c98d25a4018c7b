/** What every part of one process's flow works with. */
import type { Environment } from '../ports/environment.ts'
import type { Store } from '../ports/store.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import type { Alarm } from './alarm.ts'
import type { Gate } from './gate.ts'
import type { Settings } from './settings.ts'
import type { StoreClock } from './store-clock.ts'
import type { Watch } from './watch.ts'

export interface Ports {
  readonly store: Store
  readonly environment: Environment
  readonly telemetry: Telemetry
}

export interface FlowContext extends Ports {
  /** Of this runtime, in this life of it. */
  readonly id: string
  readonly settings: Settings
  readonly alarm: Alarm
  readonly watch: Watch
  readonly gate: Gate
  readonly clock: StoreClock
  /** Unique over all lives of all runtimes, and growing. */
  changeId(): string
  /** A random text of an ownership. */
  token(): string
}
