/**
 * Runs one subscription on one lane: what arrives queues by its key, turns start as keys and places are free, and how they ended goes to the committer.
 *
 *   arrive ──▶ KeyQueue ──▶ Attempt ──▶ Outcome ──▶ Committer ──▶ committed: settle, hold, start the next
 */
import { fault, isFault, type Fault } from '../kit/fault.ts'
import type { Placed, Position } from '../ports/store.ts'
import { Attempt, type Ended } from './attempt.ts'
import { backoffMs } from './backoff.ts'
import { probeKey } from './breaker.ts'
import { Committer, type Committing } from './committer.ts'
import { Entry } from './entry.ts'
import type { Failure, Hold } from './holds.ts'
import type { KeyQueue } from './key-queue.ts'
import { queuesOf, type Next, type Outcome, type Work } from './outcome.ts'
import type { OwnedLane } from './owned-lane.ts'
import { readRows } from './rows-reader.ts'
import type { Look as LookResult } from './subscription.ts'
import type { Look, Staged } from './turn.ts'
import type { Wave } from './wave.ts'
import { formBatch, formOne, formProbe, type Formed } from './works.ts'

export class Runner implements Ended, Committing {
  readonly lane: OwnedLane
  readonly committer: Committer
  readonly #look: Look
  readonly #onLost: (why: string) => void
  readonly #woken = (): void => {
    this.onRoom()
    this.dispatch()
  }
  /** Suspects that have the process to themselves: until their outcome is committed, for a crash of somebody else before that would accuse them. */
  readonly #alone = new Set<Work>()
  /** Suspects whose start rows are on their way, and whether each has the process to itself. */
  readonly #starting = new Map<Work, boolean>()
  #dispatching = false
  #later = false
  #waitingSinceMs: number | undefined
  /** Wakes the reader: there is room again, or a pause has ended. */
  onRoom: () => void = () => {}
  /** A key that a request waits for has come to rest. */
  onRest: () => void = () => {}
  /** So many events were passed since the last written mark. */
  #passed = 0
  /** An operator lets it go past this one. */
  #discarded: Position | undefined
  /** A merged subscription stands at an event whose key cannot be computed. */
  stands: { readonly event: Placed; readonly why: string } | undefined

  constructor(lane: OwnedLane, onLost: (why: string) => void) {
    this.lane = lane
    this.#onLost = onLost
    this.committer = new Committer(lane, this)
    this.#look = (keys) => lane.context.store.get(keys)
    lane.crew.onWake(this.#woken)
  }

  // ── arrivals ──

  /** Takes the next event of the lane; `false` where it cannot go past it. `inFront`: of the rows of its key, which are younger. */
  arrive(event: Placed, suspect: boolean, inFront = false): boolean {
    const { lane } = this
    const unwanted = event.storedMs < lane.crew.sinceMs || event.position === this.#discarded
    const look = unwanted ? skip : lane.crew.subscription.look(event)
    if (look.is === 'skip') {
      this.pass(event.position)
      lane.counts = { ...lane.counts, skipped: lane.counts.skipped + 1 }
      return true
    }
    if (look.key === undefined) {
      this.#standAt(event, look.is === 'fault' ? look.fault.message : 'its key cannot be computed')
      return false
    }
    const entry = new Entry(event, look.key, look.is === 'run' ? look.parts : none, undefined, suspect)
    if (suspect && (lane.starts.get(event.position)?.length ?? 0) > 0) entry.most = 1
    lane.marks.take(entry)
    this.#enqueue(entry, look, inFront)
    return true
  }

  /** One that this subscription does not want, or a stretch without any. */
  pass(upTo: Position): void {
    this.lane.marks.pass(upTo)
    this.#passed += 1
    if (this.#passed < this.lane.context.settings.skipsMax) return
    this.#passed = 0
    this.committer.mark()
  }

  #enqueue(entry: Entry, look: LookResult, inFront: boolean): void {
    const queue = this.lane.queueOf(entry.key)
    if ((queue.hold !== undefined || queue.joining > 0) && !inFront) {
      this.#join(queue, entry)
      return
    }
    queue.waiting.push(entry)
    if (look.is === 'run') {
      this.#waitingSinceMs ??= this.lane.context.environment.monotonicMs()
      this.lane.list(queue)
    } else this.#holdAtOnce(queue, entry, look)
  }

  /** No attempt can help: it gets its row once it is the first of its key. */
  #holdAtOnce(queue: KeyQueue, entry: Entry, look: LookResult): void {
    entry.most = 1
    this.lane.unreadable.set(entry, look)
    this.lane.list(queue)
  }

  #join(queue: KeyQueue, entry: Entry): void {
    queue.staged += 1
    queue.joining += 1
    this.committer.push({ is: 'join', queue, entry })
  }

  #standAt(event: Placed, why: string): void {
    if (this.stands?.event.position === event.position) return
    this.stands = { event, why }
    const { telemetry } = this.lane.context
    telemetry.log('error', `${this.#name} stands at an event whose order key cannot be computed: ${why}`, { event: event.id, type: event.type })
  }

  // ── turns ──

  /** Starts what may start. */
  dispatch(): void {
    if (this.#dispatching || this.lane.phase !== 'running') return
    this.#dispatching = true
    while (this.#startNext());
    this.#dispatching = false
  }

  #startNext(): boolean {
    const { lane } = this
    const { crew, context } = lane
    if (crew.paused || crew.free <= 0 || lane.ready.length === 0 || crew.abandoned >= context.settings.abandonedMax) return false
    if (!context.gate.enter(this.#woken)) return false
    const formed = this.#form(context.clock.nowMs())
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

  #form(nowMs: number): Formed {
    const { crew, context } = this.lane
    const { breaker } = crew
    if (breaker.phase === 'open') {
      if (crew.probing) return { is: 'nothing' }
      if (breaker.untilMs > nowMs) return { is: 'later', inMs: breaker.untilMs - nowMs }
      return formProbe(this.lane, (keys) => probeKey(breaker, keys))
    }
    const { batch } = crew.subscription
    if (batch === undefined) return formOne(this.lane)
    const monotonicMs = context.environment.monotonicMs()
    this.#waitingSinceMs ??= monotonicMs
    return formBatch(this.lane, batch, monotonicMs - this.#waitingSinceMs)
  }

  /** The gate is entered. */
  #begin(work: Work): void {
    const { lane } = this
    this.#waitingSinceMs = lane.ready.length > 0 ? lane.context.environment.monotonicMs() : undefined
    const [entry] = work.entries
    const [queue] = work.queues
    if (entry === undefined || queue === undefined) return lane.context.gate.leave()
    const unreadable = lane.unreadable.get(entry)
    if (unreadable !== undefined || this.#diedTwice(entry)) {
      lane.context.gate.leave()
      this.#giveBackRest(work)
      this.#putAside(queue, entry, work, unreadable)
      return
    }
    for (const one of work.queues) one.busy = true
    lane.crew.running += 1
    if (work.probe) lane.crew.probing = true
    if (work.entries.some((one) => one.suspect)) this.#writeStarts(work)
    else this.#run(work, false)
  }

  #run(work: Work, alone: boolean): void {
    const { crew, context } = this.lane
    if (alone) this.#alone.add(work)
    const attempt = new Attempt(crew.subscription, crew.id, work, alone, context.watch, context.clock.nowMs(), this.#look, this)
    this.lane.attempts.add(attempt)
    attempt.start()
  }

  #diedTwice(entry: Entry): boolean {
    return entry.suspect && (this.lane.starts.get(entry.event.position)?.length ?? 0) >= 2
  }

  /** Only the first is put aside; what was taken with it goes back. */
  #giveBackRest(work: Work): void {
    for (const queue of work.queues) {
      const rest = work.entries.slice(1).filter((entry) => entry.key === queue.key)
      if (rest.length > 0) queue.giveBack(rest)
      this.lane.list(queue)
    }
  }

  #putAside(queue: KeyQueue, entry: Entry, work: Work, unreadable: LookResult | undefined): void {
    this.lane.unreadable.delete(entry)
    if (unreadable?.is === 'skip') {
      queue.staged += 1
      this.committer.push({ is: 'done', work: { ...work, entries: [entry] }, staged: nothingStaged })
      return
    }
    if (unreadable?.is === 'wait') {
      this.#pushFailed(queue, entry, work, { state: 'version' }, { code: 'UNKNOWN_VERSION', message: unreadable.why, atMs: 0 })
      return
    }
    const error = unreadable?.is === 'fault' ? unreadable.fault : fault('CRASHED_THRICE', `${this.#name}, event ${entry.event.id}`)
    this.#pushFailed(queue, entry, work, { state: 'parked', attempt: work.attempt - 1 }, this.#failureOf(error))
  }

  /** One that was started before and not finished has its next start written only once it is alone: so that nobody else's crash accuses it. */
  #writeStarts(work: Work): void {
    const { gate } = this.lane.context
    const starts = new Map(work.entries.filter((entry) => entry.suspect).map((entry) => [entry, this.lane.starts.get(entry.event.position) ?? none] as const))
    const alone = [...starts.values()].some((before) => before.length > 0)
    for (const queue of work.queues) queue.blocks += 1
    const write = (): void => {
      this.#starting.set(work, alone)
      this.committer.push({ is: 'start', work, starts, alone })
    }
    gate.leave()
    if (!alone) return write()
    gate.enterAlone(() => {
      if (this.lane.phase === 'running') return write()
      this.#starting.set(work, true)
      this.#unstart(work)
    })
  }

  /** It does not come to run: its place, and the gate where it is alone, are given back. */
  #unstart(work: Work): void {
    const alone = this.#starting.get(work)
    if (alone === undefined) return
    this.#starting.delete(work)
    this.lane.crew.running -= 1
    if (work.probe) this.lane.crew.probing = false
    if (alone) this.lane.context.gate.leave()
  }

  #endAlone(work: Work): void {
    if (this.#alone.delete(work)) this.lane.context.gate.leave()
  }

  /** Its start rows stand. */
  #runSuspect(work: Work, alone: boolean): void {
    const { gate } = this.lane.context
    if (this.lane.phase !== 'running') return this.#unstart(work)
    if (!alone && !gate.enter(() => this.#runSuspect(work, false))) return
    this.#starting.delete(work)
    this.#run(work, alone)
  }

  async #readRows(queue: KeyQueue): Promise<void> {
    queue.loading = true
    const found = await readRows(this.lane, queue)
    queue.loading = false
    if (queue.asked > 0 && queue.idle) this.onRest()
    if (this.lane.phase === 'over') return
    for (const { entry, look } of found) {
      queue.rows.push(entry)
      if (look.is === 'run') continue
      entry.most = 1
      this.lane.unreadable.set(entry, look)
    }
    this.lane.list(queue)
    this.dispatch()
  }

  // ── how they end ──

  returned(attempt: Attempt, staged: Staged): void {
    const { crew, context } = this.lane
    const { work } = attempt
    const starved = crew.free <= 0
    const { phase } = crew.breaker
    this.#freePlace(attempt)
    crew.note({ key: work.entries[0]?.key ?? '', well: true }, context.clock.nowMs())
    for (const queue of work.queues) {
      queue.staged += 1
      if (!this.#chains(staged)) continue
      queue.busy = false
      if (queue.waiting.length > 0 || queue.hold !== undefined) this.lane.list(queue)
    }
    this.committer.push({ is: 'done', work, staged })
    if (starved || phase !== crew.breaker.phase) crew.wake()
    else this.dispatch()
  }

  /** Whether the next of its key may start before the commit. One that reads rows would read what the commit is about to change, and lose. */
  #chains(staged: Staged): boolean {
    return this.lane.crew.subscription.batch === undefined && staged.reads.size === 0
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
    const { crew } = this.lane
    if (attempt.placeFreed) crew.abandoned -= 1
    else this.#endWait(attempt)
    crew.wake()
  }

  /** Its handler still runs: the next attempt of its keys waits for it, or one grace. */
  #abandon(attempt: Attempt): void {
    const { context, crew } = this.lane
    for (const queue of attempt.work.queues) queue.abandoned = true
    context.alarm.in(crew.subscription.policy.graceMs, () => {
      if (attempt.placeFreed) return
      crew.abandoned += 1
      context.telemetry.log('warn', `${this.#name}: a handler still runs after its time and its grace`, { abandoned: crew.abandoned })
      this.#endWait(attempt)
      crew.wake()
    })
  }

  #endWait(attempt: Attempt): void {
    this.#freePlace(attempt)
    for (const queue of attempt.work.queues) {
      queue.abandoned = false
      this.#rested(queue)
    }
  }

  #freePlace(attempt: Attempt): void {
    attempt.placeFreed = true
    this.lane.attempts.delete(attempt)
    this.lane.crew.running -= 1
    if (attempt.work.probe) this.lane.crew.probing = false
    if (!attempt.alone) this.lane.context.gate.leave()
  }

  #afterFailure(work: Work, error: Error, countable: boolean): void {
    for (const queue of work.queues) queue.busy = false
    if (work.entries.length > 1) {
      this.#halve(work)
      return
    }
    const [entry] = work.entries
    const [queue] = work.queues
    if (entry === undefined || queue === undefined) return
    const { crew, context } = this.lane
    const { retry } = crew.subscription.policy
    const nowMs = context.clock.nowMs()
    const counts = countable && crew.breaker.phase === 'closed' && !work.probe
    if (countable) crew.note({ key: entry.key, well: false }, nowMs)
    const attempt = work.attempt - (counts ? 0 : 1)
    const next: Next =
      counts && attempt >= retry.attempts
        ? { state: 'parked', attempt }
        : { state: 'wait', attempt, dueMs: nowMs + backoffMs(retry, Math.max(1, attempt), context.environment.random()) }
    this.#pushFailed(queue, entry, work, next, this.#failureOf(error))
  }

  /** A batch that failed goes again in halves, and only an event on its own makes an attempt. */
  #halve(work: Work): void {
    const most = Math.max(1, Math.floor(work.entries.length / 2))
    for (const entry of work.entries) entry.most = most
    this.#giveBack(work)
  }

  #giveBack(work: Work): void {
    for (const queue of work.queues) {
      queue.giveBack(work.entries.filter((entry) => entry.key === queue.key))
      this.lane.list(queue)
    }
  }

  #pushFailed(queue: KeyQueue, entry: Entry, work: Work, next: Next, failure: Failure): void {
    queue.blocks += 1
    this.committer.push({ is: 'failed', work, queue, entry, next, failure })
  }

  #failureOf(error: Error): Failure {
    const code = isFault(error) ? (error as Fault).code : undefined
    return {
      ...(code === undefined ? {} : { code }),
      message: error.message,
      ...(error.stack === undefined ? {} : { stack: error.stack.split('\n').slice(0, 8).join('\n') }),
      atMs: this.lane.context.clock.nowMs(),
    }
  }

  // ── after a commit ──

  committed(outcome: Outcome, wave: Wave): void {
    if (outcome.is === 'done') this.#doneCommitted(outcome.work, this.#chains(outcome.staged))
    else if (outcome.is === 'failed') this.#failedCommitted(outcome, wave)
    else if (outcome.is === 'start') this.#startCommitted(outcome)
    else if (outcome.is === 'join') this.#joined(outcome.queue)
    else if (outcome.is === 'spill') this.#heldCommitted(outcome.queue, wave)
    else if (outcome.queue !== undefined) this.#requestCommitted(outcome.queue)
    else this.#standingDiscarded()
  }

  #doneCommitted(work: Work, chained: boolean): void {
    this.#endAlone(work)
    for (const entry of work.entries) if (entry.suspect) this.#cleared(entry)
    for (const queue of work.queues) {
      queue.rowsOut -= work.entries.reduce((sum, entry) => sum + (entry.held !== undefined && entry.key === queue.key ? 1 : 0), 0)
      if (!chained) queue.busy = false
      this.lane.endContention(queue)
      this.#ended(queue)
    }
  }

  #cleared(entry: Entry): void {
    this.lane.starts.delete(entry.event.position)
    this.lane.started.delete(entry.event.position)
  }

  #joined(queue: KeyQueue): void {
    queue.joining -= 1
    this.#ended(queue)
  }

  #ended(queue: KeyQueue): void {
    queue.staged -= 1
    this.#rested(queue)
  }

  /** Its next turn may start; or a request that waited for it is taken; or nothing is left to know of it. */
  #rested(queue: KeyQueue): void {
    if (queue.asked > 0 && queue.idle) this.onRest()
    if (queue.waiting.length > 0 || queue.hold !== undefined) this.lane.list(queue)
    else this.lane.dropIfEmpty(queue)
  }

  #failedCommitted({ work, queue, entry, next }: Extract<Outcome, { is: 'failed' }>, wave: Wave): void {
    const { crew, context } = this.lane
    this.#endAlone(work)
    this.#cleared(entry)
    entry.suspect = false
    if (entry.held !== undefined) queue.rowsOut -= 1
    queue.forgetRows()
    this.lane.endContention(queue)
    this.#heldCommitted(queue, wave, entry)
    context.telemetry.count('millrace_failures_total', 1, { subscription: crew.subscription.name })
    if (next.state === 'wait') this.ringAt(queue, next.dueMs)
    if (next.state === 'parked') this.#parked(queue, queue.hold)
  }

  /** Its rows stand: what was moved into them waits there, what came meanwhile joins, and what was given back meanwhile is older and stays in front. */
  #heldCommitted(queue: KeyQueue, wave: Wave, head?: Entry): void {
    queue.blocks -= 1
    const moved = wave.moved.get(queue) ?? new Set<Entry>()
    const first = firstOf([...moved, ...(head === undefined ? [] : [head])])
    const later = queue.waiting.filter((entry) => !moved.has(entry))
    queue.waiting = later.filter((entry) => entry.event.position < first)
    for (const entry of later) if (entry.event.position > first) this.#join(queue, entry)
    this.#rested(queue)
  }

  /** Not early by the store's clock: where it has stepped back meanwhile, later. */
  ringAt(queue: KeyQueue, dueMs: number): void {
    const { alarm, clock } = this.lane.context
    queue.due = false
    alarm.in(dueMs - clock.nowMs(), () => {
      if (this.lane.phase !== 'running' || queue.hold?.state !== 'wait') return
      if (queue.hold.dueMs > clock.nowMs()) return this.ringAt(queue, queue.hold.dueMs)
      queue.due = true
      this.lane.list(queue)
      this.dispatch()
    })
  }

  #parked(queue: KeyQueue, hold: Hold | undefined): void {
    const { crew, context } = this.lane
    this.lane.parkedKeys += 1
    context.telemetry.count('millrace_parked_total', 1, { subscription: crew.subscription.name })
    context.telemetry.log('error', `${this.#name} parked key '${queue.key}': ${hold?.error?.message ?? ''}`, { subscription: crew.subscription.name, key: queue.key, attempts: hold?.attempt })
    if (this.lane.parkedKeys >= context.settings.parkedMax) this.onParkedMax()
  }

  /** Set by whoever can pause the subscription durably. */
  onParkedMax: () => void = () => {}

  #startCommitted({ work, starts, alone }: Extract<Outcome, { is: 'start' }>): void {
    for (const entry of starts.keys()) this.lane.started.add(entry.event.position)
    for (const queue of work.queues) queue.blocks -= 1
    this.#runSuspect(work, alone)
  }

  #requestCommitted(queue: KeyQueue): void {
    queue.blocks -= 1
    queue.forgetRows()
    this.lane.parkedKeys = [...this.lane.keys.values()].filter((one) => one.hold?.state === 'parked').length
    this.#rested(queue)
  }

  #standingDiscarded(): void {
    if (this.stands === undefined) return
    this.#discarded = this.stands.event.position
    this.stands = undefined
    this.committer.mark()
    this.onRoom()
  }

  undo(outcomes: readonly Outcome[], row: string | undefined): void {
    const queues = new Set(outcomes.flatMap(queuesOf))
    for (const attempt of [...this.lane.attempts]) {
      if (attempt.over || !attempt.work.queues.some((queue) => queues.has(queue))) continue
      attempt.callOff('an earlier turn of its key is run again')
      this.#abandon(attempt)
      for (const queue of attempt.work.queues) queue.busy = false
      this.#giveBack(attempt.work)
    }
    for (const outcome of outcomes) this.#undoOne(outcome, row)
    this.lane.context.telemetry.count('millrace_reruns_total', outcomes.length, { subscription: this.lane.crew.subscription.name })
  }

  #undoOne(outcome: Outcome, row: string | undefined): void {
    if (outcome.is !== 'done' && outcome.is !== 'failed' && outcome.is !== 'start') return
    for (const queue of outcome.work.queues) {
      if (outcome.is === 'done') queue.staged -= 1
      else queue.blocks -= 1
      queue.busy = false
      if (outcome.is === 'done' && row !== undefined && outcome.staged.reads.has(row)) this.lane.contend(queue, row)
    }
    if (outcome.is === 'start') this.#unstart(outcome.work)
    this.#endAlone(outcome.work)
    this.#giveBack(outcome.work)
  }

  tooLarge(outcome: Outcome): void {
    if (outcome.is !== 'done') {
      this.lost(`a change of one ${outcome.is} is larger than a commit can take`)
      return
    }
    this.#undoOne(outcome, undefined)
    const [queue] = outcome.work.queues
    const [entry] = outcome.work.entries
    if (queue === undefined || entry === undefined) return
    if (outcome.work.entries.length > 1) {
      for (const one of outcome.work.entries) one.most = Math.floor(outcome.work.entries.length / 2)
      return
    }
    queue.waiting = queue.waiting.filter((one) => one !== entry)
    if (entry.held !== undefined) queue.rowsOut += 1
    this.#pushFailed(queue, entry, outcome.work, { state: 'parked', attempt: outcome.work.attempt }, this.#failureOf(fault('WAVE_TOO_LARGE', this.#name)))
  }

  waveDone(): void {
    this.onRoom()
    this.dispatch()
  }

  /** What waits behind turns under way gets rows, so that reading can go on; `false` where nothing does. */
  spill(): boolean {
    if (this.lane.crew.free <= 0 || this.lane.crew.paused) return false
    let spilled = false
    for (const queue of this.lane.keys.values()) {
      if (queue.waiting.length === 0 || !(queue.busy || queue.abandoned) || queue.blocks > 0) continue
      queue.blocks += 1
      this.committer.push({ is: 'spill', queue })
      spilled = true
    }
    return spilled
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
    for (const work of [...this.#starting.keys()]) this.#unstart(work)
    for (const work of [...this.#alone]) this.#endAlone(work)
    this.onRoom()
    this.#onLost(why)
  }

  get #name(): string {
    return this.lane.crew.subscription.name
  }
}

function firstOf(entries: readonly Entry[]): Position {
  return entries.reduce((first, { event }) => (first === '' || event.position < first ? event.position : first), '')
}

const none: readonly never[] = []
const nothingStaged: Staged = { reads: new Map(), writes: new Map(), appends: none, repeated: false, storeFailed: false }
const skip: LookResult = { is: 'skip' }
