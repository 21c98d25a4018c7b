/** One life of a runtime. */
import type { Flow } from '../../src/flow/flow.ts'
import type { SimEnvironment } from '../../src/testing/sim-environment.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { SimStore } from '../../src/testing/sim-store.ts'
import type { RuntimePlan } from './schedule.ts'

export interface Life {
  readonly plan: RuntimePlan
  readonly index: number
  readonly process: SimProcess
  readonly store: SimStore
  readonly environment: SimEnvironment
  readonly knows: number
  readonly startedUs: number
  flow: Flow | undefined
  stopping: boolean
}
