/**
 * Which operations of which process are under way, and who was in trouble lately: what a fault hits, and how far behind a
 * process may be.
 */
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { Coverage } from './coverage.ts'

export class InFlight {
  readonly #coverage: Coverage
  readonly #operations = new Map<SimProcess, Map<string, number>>()
  readonly #troubledUs = new Map<SimProcess, number>()

  constructor(coverage: Coverage) {
    this.#coverage = coverage
  }

  called(process: SimProcess, operation: string): void {
    this.#coverage.did(operation)
    const operations = this.#operations.get(process) ?? new Map<string, number>()
    this.#operations.set(process, operations)
    operations.set(operation, (operations.get(operation) ?? 0) + 1)
  }

  answered(process: SimProcess, operation: string): void {
    const operations = this.#operations.get(process)
    operations?.set(operation, Math.max(0, (operations.get(operation) ?? 0) - 1))
  }

  /** A fault strikes one process, and all that it has under way. */
  hit(fault: string, process: SimProcess): void {
    for (const [operation, count] of this.#operations.get(process) ?? []) if (count > 0) this.#coverage.hit(fault, operation)
  }

  hitAll(fault: string): void {
    for (const process of this.#operations.keys()) if (process.alive) this.hit(fault, process)
    this.#operations.clear()
  }

  /** Until when it may be behind what the store says. */
  troubledUs(process: SimProcess): number {
    return this.#troubledUs.get(process) ?? 0
  }

  trouble(process: SimProcess, untilUs: number): void {
    this.#troubledUs.set(process, Math.max(this.troubledUs(process), untilUs))
  }
}
