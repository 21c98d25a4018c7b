/** What changes in memory once a wave is committed, or once a part of it has lost: keys go on, are held, or run again. */
import { fault, type Fault } from '../kit/fault.ts'
import { Fifo } from '../kit/fifo.ts'
import type { Position } from '../ports/store.ts'
import type { Arrivals } from './arrivals.ts'
import type { Entry } from './entry.ts'
import type { Hold } from './holds.ts'
import type { KeyQueue } from './key-queue.ts'
import { chains, type Next, type Outcome, type Work } from './outcome.ts'
import type { OwnedLane } from './owned-lane.ts'
import type { Suspects } from './suspects.ts'
import type { Wave } from './wave.ts'

export interface Signals {
  /** A key that a request waits for has come to rest. */
  rest(): void
  /** Reading may go on. */
  room(): void
  /** A due time has come. */
  due(): void
  /** Puts a failure on its way. */
  fail(queue: KeyQueue, entry: Entry, work: Work, error: Error): void
}

export class Settling {
  readonly #lane: OwnedLane
  readonly #arrivals: Arrivals
  readonly #suspects: Suspects
  readonly #signals: Signals

  constructor(lane: OwnedLane, arrivals: Arrivals, suspects: Suspects, signals: Signals) {
    this.#lane = lane
    this.#arrivals = arrivals
    this.#suspects = suspects
    this.#signals = signals
  }

  committed(outcome: Outcome, wave: Wave): void {
    if (outcome.is === 'done') this.#done(outcome.work, chains(this.#lane.crew.subscription, outcome.staged))
    else if (outcome.is === 'failed') this.#failed(outcome, wave)
    else if (outcome.is === 'start') this.#suspects.committed(outcome)
    else if (outcome.is === 'join') this.#joined(outcome.queue)
    else if (outcome.is === 'spill') this.#held(outcome.queue, wave)
    else if (outcome.queue !== undefined) this.#asked(outcome.queue)
    else this.#goOn()
  }

  /** Its next turn may start; or a request that waited for it is taken; or nothing is left to know of it. */
  rested(queue: KeyQueue): void {
    if (queue.asked > 0 && queue.idle) this.#signals.rest()
    if (queue.waiting.length > 0 || queue.hold !== undefined) this.#lane.list(queue)
    else this.#lane.dropIfEmpty(queue)
  }

  /** Not early by the store's clock: where it has stepped back meanwhile, later. */
  ringAt(queue: KeyQueue, dueMs: number): void {
    const { alarm, clock } = this.#lane.context
    queue.due = false
    alarm.in(dueMs - clock.nowMs(), () => {
      if (this.#lane.phase !== 'running' || queue.hold?.state !== 'wait') return
      if (queue.hold.dueMs > clock.nowMs()) return this.ringAt(queue, queue.hold.dueMs)
      queue.due = true
      this.#lane.list(queue)
      this.#signals.due()
    })
  }

  /** It is taken back, and its turn runs again; `row`: what it lost to, so that those who lost to it run one after another. */
  undo(outcome: Outcome, row: string | undefined, again: boolean): void {
    if (outcome.is !== 'done' && outcome.is !== 'failed' && outcome.is !== 'start') return
    const goesOn = again && this.#lane.phase === 'running'
    if (goesOn && outcome.is === 'done' && this.#suspects.isAlone(outcome.work)) return this.#again(outcome.work)
    for (const queue of outcome.work.queues) {
      if (outcome.is === 'done') queue.staged -= 1
      else queue.blocks -= 1
      queue.busy = false
      if (outcome.is === 'done' && row !== undefined && outcome.staged.reads.has(row)) this.#lane.contend(queue, row)
    }
    this.#suspects.drop(outcome.work)
    this.#suspects.end(outcome.work)
    this.giveBack(outcome.work)
  }

  /** One that has the process to itself keeps it, and runs again at once: somebody else's crash in between would accuse it. */
  #again(work: Work): void {
    for (const queue of work.queues) {
      queue.staged -= 1
      queue.busy = true
    }
    this.#suspects.runAgain(work)
  }

  /** Its entries wait again, in front. */
  giveBack(work: Work): void {
    const byKey = Map.groupBy(work.entries, (entry) => entry.key)
    for (const queue of work.queues) {
      queue.giveBack(byKey.get(queue.key) ?? [])
      this.rested(queue)
    }
  }

  /** One turn stages what no commit can take: a batch goes again in halves, an event parks. It is undone already. */
  refuse({ work }: Extract<Outcome, { is: 'done' }>, why: Fault): void {
    const [queue] = work.queues
    const [entry] = work.entries
    if (queue === undefined || entry === undefined) return
    if (work.entries.length > 1) {
      for (const one of work.entries) one.most = Math.floor(work.entries.length / 2)
      return
    }
    queue.takeOut(entry)
    this.#signals.fail(queue, entry, work, why.code === 'CHANGE_TOO_LARGE' ? fault('WAVE_TOO_LARGE', why.message, why.data, why) : why)
  }

  #done(work: Work, chained: boolean): void {
    this.#suspects.end(work)
    for (const entry of work.entries) this.#suspects.clear(entry)
    const rows = work.entries.some((entry) => entry.held !== undefined) ? work.entries.length : 0
    for (const queue of work.queues) {
      queue.rowsOut -= rows
      if (!chained) queue.busy = false
      this.#lane.endContention(queue)
      this.#ended(queue)
    }
  }

  #joined(queue: KeyQueue): void {
    queue.joining -= 1
    this.#ended(queue)
  }

  #ended(queue: KeyQueue): void {
    queue.staged -= 1
    this.rested(queue)
  }

  #failed({ work, queue, entry, next }: Extract<Outcome, { is: 'failed' }>, wave: Wave): void {
    const { crew, context } = this.#lane
    this.#suspects.end(work)
    this.#suspects.clear(entry)
    entry.suspect = false
    if (entry.held !== undefined) queue.rowsOut -= 1
    queue.forgetRows()
    this.#lane.endContention(queue)
    this.#held(queue, wave, entry)
    context.telemetry.count('millrace_failures_total', 1, { subscription: crew.subscription.name })
    if (next.state === 'wait') this.#waits(queue, next)
    if (next.state === 'parked') this.#parked(queue, queue.hold)
  }

  #waits(queue: KeyQueue, { attempt, dueMs }: Extract<Next, { state: 'wait' }>): void {
    const { crew, context } = this.#lane
    const { name } = crew.subscription
    const inMs = Math.max(0, dueMs - context.clock.nowMs())
    context.telemetry.log('warn', `${name} failed, again in ${inMs} ms: ${queue.hold?.error?.message ?? ''}`, {
      subscription: name,
      key: queue.key,
      attempt,
    })
    this.ringAt(queue, dueMs)
  }

  /**
   * Its rows stand: what was moved into them waits there, what came meanwhile joins, and what was given back meanwhile
   * is older and stays in front.
   */
  #held(queue: KeyQueue, wave: Wave, head?: Entry): void {
    queue.blocks -= 1
    const moved = wave.moved.get(queue) ?? new Set<Entry>()
    const first = firstOf([...moved, ...(head === undefined ? [] : [head])])
    const later = [...queue.waiting].filter((entry) => !moved.has(entry))
    queue.waiting = new Fifo(later.filter((entry) => entry.event.position < first))
    for (const entry of later) if (entry.event.position > first) this.#arrivals.join(queue, entry)
    this.rested(queue)
  }

  #parked(queue: KeyQueue, hold: Hold | undefined): void {
    const { crew, context } = this.#lane
    const { name } = crew.subscription
    context.telemetry.count('millrace_parked_total', 1, { subscription: name })
    context.telemetry.log('error', `${name} parked key '${queue.key}': ${hold?.error?.message ?? ''}`, {
      subscription: name,
      key: queue.key,
      attempts: hold?.attempt,
    })
  }

  #asked(queue: KeyQueue): void {
    queue.blocks -= 1
    queue.forgetRows()
    this.#lane.endContention(queue)
    this.rested(queue)
  }

  #goOn(): void {
    this.#arrivals.goOn()
    this.#signals.room()
  }
}

function firstOf(entries: readonly Entry[]): Position {
  return entries.reduce((first, { event }) => (first === '' || event.position < first ? event.position : first), '')
}
