/**
 * One process of a simulated cluster: its clocks, its chance, and whether it is called back at all.
 *
 *   running ──pause──▶ paused ──resume──▶ running      what fell due meanwhile arrives late, in no order
 *      └──────crash──────┴──────▶ crashed              never called back again; what comes after it is another life
 */
import type { Random } from './sim-random.ts'

export interface Due {
  atUs: number
  order: number
  /** Whose callback it is; the world's own where there is none. */
  readonly process: SimProcess | undefined
  /** For the trace. */
  readonly label: number
  run: (() => void) | undefined
}

export class SimProcess {
  readonly name: string
  readonly number: number
  readonly random: Random
  /** Of its wall clock; jumps when the world says so. */
  skewMs: number
  /** Its monotonic clock has a beginning of its own. */
  readonly monotonicOffsetMs: number
  state: 'running' | 'paused' | 'crashed' = 'running'
  /** How long it has stood still in all: a handler's own time is without it. */
  stoodUs = 0
  pausedAtUs = 0
  /** What fell due while it stood still. */
  readonly late: Due[] = []

  constructor(name: string, number: number, random: Random, skewMs: number) {
    this.name = name
    this.number = number
    this.random = random
    this.skewMs = skewMs
    this.monotonicOffsetMs = random.between(0, 100_000_000)
  }

  get alive(): boolean {
    return this.state !== 'crashed'
  }

  /** Time of its own that has passed, pauses left out. */
  ownUs(nowUs: number): number {
    return nowUs - this.stoodUs - (this.state === 'paused' ? nowUs - this.pausedAtUs : 0)
  }
}
