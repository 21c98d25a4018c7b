/**
 * Virtual time for a whole cluster in one process: one heap of what is due, and between two of them every microtask is
 * drained. Nothing here waits.
 *
 *   heap ──pop──▶ clock ──▶ callback ──▶ microtasks ──▶ next tick ──▶ heap …
 */
import { nextTick } from 'node:process'
import { DueHeap } from './sim-heap.ts'
import { SimProcess, type Due } from './sim-process.ts'
import { randomOf, textHash, type Random } from './sim-random.ts'

/** Where virtual time begins: 2026-01-01T00:00:00Z. */
export const simStartMs = 1_767_225_600_000

export class SimWorld {
  readonly seed: number
  readonly random: Random
  readonly processes: SimProcess[] = []
  nowUs = 0
  steps = 0
  /** What went wrong first; the run ends at it. */
  failure: Error | undefined
  readonly #heap = new DueHeap()
  #order = 0
  #traceHigh = 0x9e3779b9
  #traceLow = 0x7f4a7c15
  #stopped = true

  constructor(seed: number) {
    this.seed = seed
    this.random = randomOf(seed, 'world')
  }

  get nowMs(): number {
    return simStartMs + this.nowUs / 1_000
  }

  /** A process's life; `name` is unique over all lives. */
  spawn(name: string, skewMs: number): SimProcess {
    const process = new SimProcess(name, this.processes.length, randomOf(this.seed, `process ${name}`), skewMs)
    this.processes.push(process)
    return process
  }

  /** `delayUs` from now, for the process where one is named. */
  after(delayUs: number, process: SimProcess | undefined, label: number, run: () => void): Due {
    const due: Due = { atUs: this.nowUs + Math.max(0, Math.round(delayUs)), order: this.#order++, process, label, run }
    this.#heap.push(due)
    return due
  }

  cancel(due: Due): void {
    due.run = undefined
  }

  pause(process: SimProcess): void {
    if (process.state !== 'running') return
    process.state = 'paused'
    process.pausedAtUs = this.nowUs
  }

  resume(process: SimProcess): void {
    if (process.state !== 'paused') return
    process.state = 'running'
    process.stoodUs += this.nowUs - process.pausedAtUs
    const late = process.late.splice(0)
    for (const due of process.random.shuffle(late)) {
      due.atUs = this.nowUs + process.random.below(50)
      due.order = this.#order++
      this.#heap.push(due)
    }
  }

  crash(process: SimProcess): void {
    if (process.state === 'paused') process.stoodUs += this.nowUs - process.pausedAtUs
    process.state = 'crashed'
    process.late.length = 0
  }

  /** Runs until `until` says so, nothing is due, something failed, or `untilUs` is reached. */
  run(untilUs: number, until: () => boolean = () => false): Promise<void> {
    this.#stopped = false
    return new Promise((resolve) => {
      const step = (): void => {
        if (this.failure === undefined && !this.#stopped && !until() && this.#step(untilUs)) queueMicrotask(tick)
        else resolve()
      }
      // A tick asked for in a microtask comes after all microtasks; one asked for in a tick would come before them.
      const tick = (): void => nextTick(step)
      tick()
    })
  }

  /** Ends the run after this step. */
  stop(): void {
    this.#stopped = true
  }

  fail(error: Error): void {
    this.failure ??= error
  }

  /** What this run was, in 64 bits: the same for the same seed. */
  get trace(): string {
    return hex(this.#traceHigh) + hex(this.#traceLow)
  }

  note(text: string): void {
    this.#trace(textHash(text), text.length)
  }

  #step(untilUs: number): boolean {
    const due = this.#next()
    if (due === undefined || due.run === undefined) return false
    if (due.atUs > untilUs) {
      this.#heap.push(due)
      this.nowUs = untilUs
      return false
    }
    this.nowUs = due.atUs
    this.steps += 1
    this.#trace(due.atUs, due.label * 64 + (due.process?.number ?? 63))
    try {
      due.run()
    } catch (thrown) {
      this.fail(thrown instanceof Error ? thrown : new Error(String(thrown)))
    }
    return true
  }

  /** The next that is not for a process which stands still, or is gone. */
  #next(): Due | undefined {
    for (;;) {
      const due = this.#heap.pop()
      if (due === undefined) return undefined
      if (due.run === undefined || due.process?.state === 'crashed') continue
      if (due.process?.state !== 'paused') return due
      due.process.late.push(due)
    }
  }

  #trace(one: number, other: number): void {
    const low = Math.imul(this.#traceLow ^ one, 0x85ebca6b)
    this.#traceLow = (low ^ (low >>> 13) ^ this.#traceHigh) | 0
    const high = Math.imul(this.#traceHigh ^ other, 0xc2b2ae35)
    this.#traceHigh = (high ^ (high >>> 16) ^ this.#traceLow) | 0
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
