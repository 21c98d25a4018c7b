/**
 * Runs one subscription on one lane: turns start as keys and places are free, and how they ended goes to the committer.
 *
 *   Arrivals ──▶ KeyQueue ──▶ Attempt ──▶ Outcome ──▶ Committer ──▶ Settling: settle, hold, start the next
 */
import { fault, isFault, type Fault } from '../kit/fault.ts'
import { Arrivals } from './arrivals.ts'
import { Attempt, type Ended } from './attempt.ts'
import { backoffMs } from './backoff.ts'
import { probeKey } from './breaker.ts'
import { Committer, type Committing } from './committer.ts'
import type { Entry } from './entry.ts'
import { failureOf } from './holds.ts'
import type { KeyQueue } from './key-queue.ts'
import { chains, queuesOf, type Next, type Outcome, type Work } from './outcome.ts'
import type { OwnedLane } from './owned-lane.ts'
import { readRows } from './rows-reader.ts'
import { Settling } from './settling.ts'
import { Suspects } from './suspects.ts'
import type { Look, Staged } from './turn.ts'
import type { Wave } from './wave.ts'
import { formBatch, formOne, formProbe, type Formed } from './works.ts'

/** Whom it tells. */
export interface Told {
  lost(why: string): void
  /** Reading may go on: there is room, or a pause has ended. */
  room(): void
  /** A key that a request waits for has come to rest, or what operators have written is to be looked at for another reason. */
  rest(): void
}

export class Runner implements Ended, Committing {
  readonly lane: OwnedLane
  readonly committer: Committer
  readonly arrivals: Arrivals
  readonly settling: Settling
  readonly #suspects: Suspects
  readonly #told: Told
  readonly #look: Look
  readonly #woken = (): void => {
    this.#told.room()
    this.dispatch()
  }
  #dispatching = false
  /** It dispatches again by itself. */
  #later = false

  constructor(lane: OwnedLane, told: Told) {
    this.lane = lane
    this.#told = told
    this.#look = (keys) => lane.context.store.get(keys)
    this.committer = new Committer(lane, this)
    this.arrivals = new Arrivals(lane, this.committer, () => told.rest())
    this.#suspects = new Suspects(
      lane,
      this.committer,
      (work, alone) => this.#run(work, alone),
      (work) => this.settling.giveBack(work),
    )
    this.settling = new Settling(lane, this.arrivals, this.#suspects, {
      rest: () => told.rest(),
      room: () => told.room(),
      due: () => this.dispatch(),
      fail: (queue, entry, work, error) => this.#fail(queue, entry, work, { state: 'parked', attempt: work.attempt }, error),
    })
    lane.crew.onWake(this.#woken)
  }

  // ── turns start ──

  /** Starts what may start. A handler that returns at once comes back here: the loop that is under way goes on with it. */
  dispatch(): void {
    if (this.#dispatching || this.lane.phase !== 'running') return
    this.#dispatching = true
    while (this.#startNext());
    this.#dispatching = false
  }

  #startNext(): boolean {
    const { crew, context, ready } = this.lane
    if (crew.paused || crew.free <= 0 || ready.length === 0 || this.lane.hanging) return false
    if (!context.gate.enter(this.#woken)) return false
    const formed = this.#form()
    if (formed.is === 'work') {
      this.#begin(formed.work)
      return true
    }
    context.gate.leave()
    if (formed.is === 'rows') void this.#readRows(formed.queue)
    if (formed.is === 'later') this.#dispatchIn(formed.inMs)
    return formed.is === 'rows'
  }

  #dispatchIn(ms: number): void {
    if (this.#later) return
    this.#later = true
    this.lane.context.alarm.in(ms, () => {
      this.#later = false
      this.dispatch()
    })
  }

  #form(): Formed {
    const { crew, context } = this.lane
    const { breaker } = crew
    if (breaker.phase === 'open') {
      const restMs = breaker.untilMs - context.clock.nowMs()
      if (crew.probing) return { is: 'nothing' }
      return restMs > 0 ? { is: 'later', inMs: restMs } : formProbe(this.lane, (keys) => probeKey(breaker, keys))
    }
    const { batch } = crew.subscription
    if (batch === undefined) return formOne(this.lane)
    return formBatch(this.lane, batch, context.environment.monotonicMs())
  }

  /** The gate is entered. */
  #begin(work: Work): void {
    const { lane } = this
    const [entry] = work.entries
    const [queue] = work.queues
    if (entry === undefined || queue === undefined) return lane.context.gate.leave()
    if (lane.unreadable.has(entry) || this.#suspects.diedTwice(entry)) {
      lane.context.gate.leave()
      this.#putAside(queue, entry, work)
      return
    }
    for (const one of work.queues) one.busy = true
    lane.crew.running += 1
    if (work.probe) lane.crew.probing = true
    if (work.entries.some((one) => one.suspect)) this.#suspects.begin(work)
    else this.#run(work, false)
  }

  #run(work: Work, alone: boolean): void {
    const { crew, context } = this.lane
    const attempt = new Attempt(context, crew, work, alone, this.#look, this)
    this.lane.attempts.add(attempt)
    attempt.start()
  }

  /** No attempt can help it; such an entry is never in a batch. */
  #putAside(queue: KeyQueue, entry: Entry, work: Work): void {
    const look = this.lane.unreadable.get(entry)
    this.lane.unreadable.delete(entry)
    this.lane.list(queue)
    if (look?.is === 'skip') {
      queue.staged += 1
      this.committer.push({ is: 'done', work, staged: nothingStaged })
    } else if (look?.is === 'wait') this.#fail(queue, entry, work, { state: 'version' }, fault('UNKNOWN_VERSION', look.why))
    else
      this.#fail(
        queue,
        entry,
        work,
        { state: 'parked', attempt: work.attempt - 1 },
        look?.is === 'fault' ? look.fault : fault('CRASHED_THRICE', `${this.#name}, event ${entry.event.id}`),
      )
  }

  async #readRows(queue: KeyQueue): Promise<void> {
    queue.loading = true
    const found = await readRows(this.lane, queue)
    queue.loading = false
    if (queue.asked > 0 && queue.idle) this.#told.rest()
    if (this.lane.phase === 'over') return
    for (const { entry, look } of found) {
      queue.rows.push(entry)
      if (look.is !== 'run') this.lane.setUnreadable(entry, look)
    }
    this.lane.list(queue)
    this.dispatch()
  }

  // ── and end ──

  returned(attempt: Attempt, staged: Staged): void {
    const { crew, context } = this.lane
    const { work } = attempt
    const starved = crew.free <= 0
    const { phase } = crew.breaker
    this.#freePlace(attempt)
    crew.noteWell(work.entries[0]?.key ?? '', context.clock)
    const goesOn = chains(crew.subscription, staged)
    for (const queue of work.queues) {
      queue.staged += 1
      if (!goesOn) continue
      queue.busy = false
      if (queue.waiting.length > 0 || queue.hold !== undefined) this.lane.list(queue)
    }
    this.committer.push({ is: 'done', work, staged })
    if (starved || phase !== crew.breaker.phase) crew.wake()
    else this.dispatch()
  }

  failed(attempt: Attempt, error: Error, counts: boolean): void {
    this.#freePlace(attempt)
    this.#afterFailure(attempt.work, error, counts)
    this.lane.crew.wake()
  }

  timedOut(attempt: Attempt, error: Error): void {
    this.#abandon(attempt)
    this.#afterFailure(attempt.work, error, true)
    this.dispatch()
  }

  settledLate(attempt: Attempt): void {
    const { crew, context } = this.lane
    if (attempt.grace !== undefined) context.watch.remove(attempt.grace)
    if (attempt.placeFreed) crew.abandoned -= 1
    else this.#endWait(attempt)
    crew.wake()
  }

  /** Its handler still runs: the next attempt of its keys waits for it, or one grace. */
  #abandon(attempt: Attempt): void {
    const { watch } = this.lane.context
    for (const queue of attempt.work.queues) queue.abandoned = true
    attempt.grace = {
      watchedAt: -1,
      deadlineMs: watch.nowMs() + this.lane.crew.subscription.policy.graceMs,
      expire: () => this.#giveUpOn(attempt),
    }
    watch.add(attempt.grace)
  }

  #giveUpOn(attempt: Attempt): void {
    const { context, crew } = this.lane
    if (attempt.placeFreed) return
    crew.abandoned += 1
    context.telemetry.log('warn', `${this.#name}: a handler still runs after its time and its grace`, { abandoned: crew.abandoned })
    this.#endWait(attempt)
    crew.wake()
  }

  #endWait(attempt: Attempt): void {
    this.#freePlace(attempt)
    for (const queue of attempt.work.queues) {
      queue.abandoned = false
      this.settling.rested(queue)
    }
  }

  #freePlace(attempt: Attempt): void {
    attempt.placeFreed = true
    this.lane.attempts.remove(attempt)
    this.lane.crew.running -= 1
    if (attempt.work.probe) this.lane.crew.probing = false
    if (!attempt.alone) this.lane.context.gate.leave()
  }

  /** A batch goes again in halves, and only an event on its own makes an attempt. */
  #afterFailure(work: Work, error: Error, countable: boolean): void {
    for (const queue of work.queues) queue.busy = false
    const [entry] = work.entries
    const [queue] = work.queues
    if (entry === undefined || queue === undefined) return
    if (work.entries.length > 1) {
      for (const one of work.entries) one.most = Math.floor(work.entries.length / 2)
      this.#suspects.end(work)
      this.settling.giveBack(work)
      return
    }
    // Too large is too large at every attempt, and says nothing of what the handler calls.
    if (isFault(error, 'INDEXED_TOO_LONG')) return this.#fail(queue, entry, work, { state: 'parked', attempt: work.attempt }, error)
    const { crew, context } = this.lane
    const nowMs = context.clock.nowMs()
    const counts = countable && crew.breaker.phase === 'closed' && !work.probe
    if (countable) crew.note({ key: entry.key, well: false }, nowMs)
    this.#fail(queue, entry, work, this.#next(work.attempt - (counts ? 0 : 1), counts, nowMs), error)
  }

  #next(attempt: number, counts: boolean, nowMs: number): Next {
    const { retry } = this.lane.crew.subscription.policy
    if (counts && attempt >= retry.attempts) return { state: 'parked', attempt }
    return { state: 'wait', attempt, dueMs: nowMs + backoffMs(retry, Math.max(1, attempt), this.lane.context.environment.random()) }
  }

  #fail(queue: KeyQueue, entry: Entry, work: Work, next: Next, error: Error): void {
    queue.blocks += 1
    this.committer.push({ is: 'failed', work, queue, entry, next, failure: failureOf(error, this.lane.context.clock.nowMs()) })
  }

  // ── what the committer tells ──

  committed(outcome: Outcome, wave: Wave): void {
    this.settling.committed(outcome, wave)
  }

  /** Turns that ran on top of what is taken back are called off, and run again: no attempts. */
  undo(outcomes: readonly Outcome[], row: string | undefined, again = true): void {
    const queues = new Set(outcomes.flatMap(queuesOf))
    for (const attempt of [...this.lane.attempts]) {
      if (attempt.over || !attempt.work.queues.some((queue) => queues.has(queue))) continue
      attempt.callOff('an earlier turn of its key is run again')
      this.#abandon(attempt)
      for (const queue of attempt.work.queues) queue.busy = false
      this.settling.giveBack(attempt.work)
    }
    for (const outcome of outcomes) this.settling.undo(outcome, row, again)
    this.lane.context.telemetry.count('millrace_reruns_total', outcomes.length, { subscription: this.#name })
  }

  refused(outcome: Outcome, why: Fault): void {
    if (outcome.is === 'done') this.settling.refuse(outcome, why)
    else if (outcome.is === 'request' && outcome.refused === undefined) this.#refuseRequest(outcome, why)
    else this.#stopKeys(outcome, why)
  }

  #refuseRequest(outcome: Extract<Outcome, { is: 'request' }>, why: Fault): void {
    if (outcome.more && outcome.queue !== undefined) outcome.queue.asked -= 1
    this.lane.context.telemetry.log('error', `${this.#name}: a ${outcome.request.op} cannot be carried out: ${why.message}`)
    this.committer.push({ ...outcome, held: [], more: false, refused: failureOf(why, this.lane.context.clock.nowMs()) })
  }

  /**
   * Were the lane given up, the next owner would run the same into the same, for ever. So only the key stands still,
   * until the lane has another owner: nothing of it is lost, and nothing overtakes.
   */
  #stopKeys(outcome: Outcome, why: Fault): void {
    for (const queue of queuesOf(outcome)) {
      queue.blocks += 1
      this.lane.context.telemetry.log(
        'error',
        `${this.#name}: key '${queue.key}' stands still, for its rows cannot be kept: ${why.message}`,
        {
          subscription: this.#name,
          key: queue.key,
        },
      )
    }
  }

  /** An operator may have resumed it since, which an answer before this one has told: it looks again. */
  paused(why: string): void {
    this.lane.crew.paused = true
    this.lane.context.telemetry.log('error', `${this.#name} is paused: ${why}`, { subscription: this.#name })
    this.#told.rest()
  }

  waveDone(): void {
    this.#told.room()
    this.dispatch()
  }

  /** Uncounted; their handlers get one grace, as after a time-out. */
  callOffAll(why: string): void {
    for (const attempt of [...this.lane.attempts]) {
      if (attempt.over) continue
      attempt.callOff(why)
      this.#abandon(attempt)
    }
  }

  /** Called off: somebody else owns the lane, or this process ends. */
  lost(why: string): void {
    if (this.lane.phase === 'over') return
    this.lane.phase = 'over'
    this.lane.crew.offWake(this.#woken)
    this.callOffAll(why)
    this.#suspects.over()
    this.#told.lost(why)
  }

  get #name(): string {
    return this.lane.crew.subscription.name
  }
}

const nothingStaged: Staged = { reads: new Map(), writes: new Map(), appends: [], repeated: 0, storeFailed: false }
