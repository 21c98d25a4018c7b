/** When the faults of a schedule come: at their time, or as an operation of their kind reaches a stage for the n-th time. */
import type { Stage } from '../../src/testing/sim-disk.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { SimWorld } from '../../src/testing/sim-world.ts'
import type { Life } from './life.ts'
import type { Fault, Schedule } from './schedule.ts'

/** What can be struck. */
export interface Struck {
  readonly schedule: Schedule
  readonly world: SimWorld
  readonly lives: readonly (Life | undefined)[]
  crash(process: SimProcess): void
  pauseProcess(life: Life, forMs: number): void
  cut(restMs: number): void
  jump(life: Life, byMs: number): void
  stopRuntime(life: Life, restMs: number, knows: number | undefined): void
}

type Triggered = Exclude<Fault, { readonly is: 'store' }>

interface Waiting {
  count: number
  readonly faults: Triggered[]
}

export class FaultTriggers {
  off = false
  readonly #cluster: Struck
  readonly #atStep: readonly Fault[]
  /** By operation, then by stage. */
  readonly #waiting = new Map<string, Map<Stage, Waiting>>()

  constructor(cluster: Struck) {
    this.#cluster = cluster
    this.#atStep = cluster.schedule.faults.filter((fault) => fault.is !== 'store' && 'atStep' in fault.when)
    for (const fault of cluster.schedule.faults) {
      if (fault.is === 'store' || !('op' in fault.when)) continue
      const { op, stage } = fault.when
      const stages = this.#waiting.get(op) ?? new Map<Stage, Waiting>()
      this.#waiting.set(op, stages)
      const waiting = stages.get(stage) ?? { count: 0, faults: [] }
      stages.set(stage, waiting)
      waiting.faults.push(fault)
    }
  }

  /** Those that have a time. */
  arm(): void {
    for (const fault of this.#cluster.schedule.faults) {
      if (fault.is === 'store' || !('atMs' in fault.when)) continue
      this.#cluster.world.after(fault.when.atMs * 1_000, undefined, 9, () => this.#strike(fault))
    }
  }

  /** Those that wait for a step of the run. */
  stepped(step: number): void {
    for (const fault of this.#atStep) if (fault.is !== 'store' && 'atStep' in fault.when && fault.when.atStep === step) this.#strike(fault)
  }

  get waitsForSteps(): boolean {
    return this.#atStep.length > 0
  }

  /** Whoever called is hit, where it is a runtime. */
  stage(process: SimProcess, operation: string, stage: Stage): void {
    const waiting = this.#waiting.get(operation)?.get(stage)
    if (waiting === undefined || this.off) return
    waiting.count += 1
    for (const fault of waiting.faults) {
      // Not on the caller's stack: a fault between two steps is a fault at an await.
      if ('nth' in fault.when && fault.when.nth === waiting.count)
        this.#cluster.world.after(0, undefined, 9, () => this.#strike(fault, process))
    }
  }

  #strike(fault: Triggered, process?: SimProcess): void {
    const cluster = this.#cluster
    if (this.off) return
    if (fault.is === 'cut') {
      cluster.cut(fault.restMs)
      return
    }
    const life =
      cluster.lives.find((one) => one !== undefined && one.process === process) ?? cluster.lives[fault.runtime % cluster.lives.length]
    if (life === undefined) return
    if (fault.is === 'crash') cluster.crash(life.process)
    else if (fault.is === 'pause') cluster.pauseProcess(life, fault.forMs)
    else if (fault.is === 'jump') cluster.jump(life, fault.byMs)
    else cluster.stopRuntime(life, fault.restMs, fault.knows)
  }
}
