/**
 * What the breaker of a subscription must be, told from how its turns ended, in their order: open when half of the last
 * outcomes failed over enough keys, closed by one that went well, and resting after each that did not.
 */
import type { BreakerPolicy } from '../../src/flow/subscription.ts'

export interface Outcome {
  readonly atUs: number
  readonly key: string
  readonly well: boolean
}

export class BreakerModel {
  /** How often it has opened. */
  openings = 0
  /** When it opened last. */
  openedUs = 0
  /** Keys that failed since it opened. */
  readonly probed = new Set<string>()
  readonly #policy: BreakerPolicy
  #last: Outcome[] = []
  /** Until when it rests. */
  #untilUs: number | undefined
  /** The breaker hears of them once their handlers have come back: what starts at the same instant may be before or after that. */
  #unheard: Outcome[] = []

  constructor(policy: BreakerPolicy) {
    this.#policy = policy
  }

  ended(outcome: Outcome): void {
    this.#unheard.push(outcome)
  }

  /** Takes in what ended before now; until when it rests, where it is open whatever it hears at this instant. */
  restsUntilUs(nowUs: number): number | undefined {
    this.hear(nowUs)
    return this.#unheard.some(({ well }) => well) ? undefined : this.#untilUs
  }

  hear(beforeUs: number): void {
    while ((this.#unheard[0]?.atUs ?? Number.POSITIVE_INFINITY) < beforeUs) {
      const outcome = this.#unheard.shift()
      if (outcome !== undefined) this.#settle(outcome)
    }
  }

  #settle(outcome: Outcome): void {
    const { share, of, keys, restMs } = this.#policy
    if (this.#untilUs !== undefined) {
      this.probed.add(outcome.key)
      this.#untilUs = outcome.well ? undefined : outcome.atUs + restMs * 1_000
      return
    }
    this.#last = [...this.#last, outcome].slice(-of)
    const failed = this.#last.filter(({ well }) => !well)
    if (failed.length < of * share || new Set(failed.map(({ key }) => key)).size < keys) return
    this.openings += 1
    this.openedUs = outcome.atUs
    this.probed.clear()
    this.#last = []
    this.#untilUs = outcome.atUs + restMs * 1_000
  }
}
