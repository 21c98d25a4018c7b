/** How long things take and what goes wrong with a call of the store, as the schedule says; in the calm nothing does. */
import { randomOf, type Random } from '../../src/testing/sim-random.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { StoreCall, StoreFault, Weather } from '../../src/testing/sim-disk.ts'
import type { Schedule, Sky } from './schedule.ts'

export class ScheduledWeather implements Weather {
  calm = false
  readonly #sky: Sky
  readonly #random: Random
  /** By operation. */
  readonly #faults = new Map<string, { count: number; readonly nth: Map<number, StoreFault> }>()
  readonly #tell: (process: SimProcess, operation: string, fault: StoreFault) => void

  constructor(schedule: Schedule, tell: (process: SimProcess, operation: string, fault: StoreFault) => void) {
    this.#sky = schedule.sky
    this.#random = randomOf(schedule.seed, 'weather')
    this.#tell = tell
    for (const fault of schedule.faults) {
      if (fault.is !== 'store') continue
      const of = this.#faults.get(fault.op) ?? { count: 0, nth: new Map<number, StoreFault>() }
      of.nth.set(fault.nth, fault.fault)
      this.#faults.set(fault.op, of)
    }
  }

  fault(process: SimProcess, call: StoreCall, op: string): StoreFault {
    if (this.calm || (process.name === 'operator' && op !== 'ask' && op !== 'control')) return 'none'
    const of = this.#faults.get(op)
    if (of === undefined) return 'none'
    of.count += 1
    const found = of.nth.get(of.count)
    if (found === undefined) return 'none'
    const fault = fitting(found, call, op)
    this.#tell(process, op, fault)
    return fault
  }

  wayUs(): number {
    const { wayUs, tail, tailUs } = this.#sky
    return this.#random.tail(wayUs, tailUs, this.calm ? 0 : tail)
  }

  flushUs(): number {
    const { flushUs, tail, tailUs } = this.#sky
    return this.#random.tail(flushUs, tailUs, this.calm ? 0 : tail)
  }

  slowUs(): number {
    return 300_000 + this.#random.next() * 2_500_000
  }

  silentUs(): number {
    return 500_000 + this.#random.next() * 1_000_000
  }

  outlives(): boolean {
    return this.#random.chance(0.5)
  }

  hint(): 'prompt' | 'late' | 'lost' | 'false' {
    if (this.calm) return 'prompt'
    const { late, lost, false: wrong } = this.#sky.hints
    const drawn = this.#random.next()
    if (drawn < lost) return 'lost'
    if (drawn < lost + late) return 'late'
    return drawn < lost + late + wrong ? 'false' : 'prompt'
  }

  polls(): boolean {
    return this.#sky.polls
  }
}

/**
 * What only looks has nothing to apply; and what one process publishes is stored in the order of its calls, so that none
 * of them comes after the others.
 */
function fitting(fault: StoreFault, call: StoreCall, op: string): StoreFault {
  if (call !== 'commit') return fault === 'slow' || fault === 'silent' ? fault : 'failed'
  return fault === 'stray' && op.startsWith('publish') ? 'missed' : fault
}
