/**
 * Sends what the turns of one lane have staged: one commit in flight, each a wave. Memory changes after the commit;
 * what loses its checks leaves the wave and runs
 * again, and the rest goes again; a store that fails is asked again, after a look at whether it did what it was asked.
 */
import { asError, isFault, type Fault } from '../kit/fault.ts'
import { eventName } from '../event/event-name.ts'
import type { Committed } from '../ports/store.ts'
import type { KeyQueue } from './key-queue.ts'
import { laneKey } from './lane-record.ts'
import { queuesOf, type Outcome } from './outcome.ts'
import type { OwnedLane } from './owned-lane.ts'
import { rowName } from './turn.ts'
import { buildWave, follows, type Wave } from './wave.ts'

export interface Committing {
  committed(outcome: Outcome, wave: Wave): void
  /** They ran on what has changed: their turns run again, which is no attempt. `row`: the first that they lost to. */
  undo(outcomes: readonly Outcome[], row: string | undefined, again: boolean): void
  /** The store can never take what this one stages. It is undone already. */
  refused(outcome: Outcome, why: Fault): void
  /** The commit has paused the subscription. */
  paused(why: string): void
  /** After a wave: places, room and time may have come. */
  waveDone(): void
  lost(why: string): void
}

type Answer =
  | { readonly is: 'ok' }
  | { readonly is: 'refused'; readonly refused: Extract<Committed, { ok: false }> }
  | { readonly is: 'again' }
  | { readonly is: 'bad'; readonly why: Fault }
  | { readonly is: 'lost' }

export class Committer {
  readonly #lane: OwnedLane
  readonly #to: Committing
  #queue: Outcome[] = []
  #scheduled = false
  /** What was known of the breaker when the commit under way was sent. */
  #breakerKnown = 0
  #sending = false
  #markOnly = false
  #most = Number.POSITIVE_INFINITY
  /** Emitted events that the store refused, by name: it has them, or one wave emitted them twice. */
  readonly #known = new Map<string, 'stored' | 'twice'>()
  #idle: (() => void)[] = []

  constructor(lane: OwnedLane, to: Committing) {
    this.#lane = lane
    this.#to = to
  }

  push(outcome: Outcome): void {
    this.#queue.push(outcome)
    this.#schedule()
  }

  /** Writes the mark though no turn has ended. */
  mark(): void {
    this.#markOnly = true
    this.#schedule()
  }

  /** Resolves when nothing is left to send. */
  drained(): Promise<void> {
    if (!this.busy) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Something is on its way, or waits to be sent. */
  get busy(): boolean {
    return this.#sending || this.#queue.length > 0 || this.#markOnly
  }

  #schedule(): void {
    if (this.#scheduled || this.#sending || this.#lane.phase === 'over') return
    this.#scheduled = true
    this.#lane.context.environment.soon(() => {
      this.#scheduled = false
      if (this.#lane.phase !== 'over') void this.#send()
    })
  }

  async #send(): Promise<void> {
    this.#sending = true
    this.#markOnly = false
    const lane = this.#lane
    const { store, clock, changeId } = lane.context
    const most = Math.min(this.#most, lane.context.settings.waveTurns)
    const outcomes = this.#inOrder(this.#queue.splice(0, most))
    const wave = buildWave(lane, outcomes, store.limits, changeId(), store.incarnation, clock.nowMs(), this.#known)
    if (wave.left.length > 0) this.#queue = [...wave.left, ...this.#queue]
    if (wave.losers.length > 0) this.#undo(wave.losers, firstRead(wave.losers, wave))
    this.#breakerKnown = lane.crew.breakerKnown
    if (wave.breaker) lane.crew.beginWrite(wave.change.id)
    const answer = await this.#commit(wave)
    if (wave.breaker) lane.crew.endWrite(wave.change.id, answer.is === 'ok')
    if (this.#isOver()) return
    this.#take(answer, wave)
    this.#sending = false
    if (this.#isOver()) return
    this.#to.waveDone()
    if (this.#queue.length > 0 || this.#markOnly) this.#schedule()
    else this.#rest()
  }

  /** Those that run again because they lost come first; of one key, order stays. */
  #inOrder(outcomes: Outcome[]): readonly Outcome[] {
    if (this.#lane.contention.size === 0 || this.#lane.crew.subscription.batch !== undefined) return outcomes
    const again = (outcome: Outcome): boolean => queuesOf(outcome).some((queue) => queue.contends !== undefined)
    return [...outcomes.filter(again), ...outcomes.filter((outcome) => !again(outcome))]
  }

  #isOver(): boolean {
    if (this.#lane.phase !== 'over') return false
    this.#queue = []
    this.#sending = false
    this.#markOnly = false
    this.#rest()
    return true
  }

  #rest(): void {
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  #take(answer: Answer, wave: Wave): void {
    if (answer.is === 'ok') this.#apply(wave)
    else if (answer.is === 'refused') this.#refused(answer.refused, wave)
    else if (answer.is === 'bad') this.#bad(wave, answer.why)
    else if (answer.is === 'lost') this.#to.lost('another owner has its lane')
    else this.#queue = [...wave.outcomes, ...this.#queue]
  }

  async #commit(wave: Wave): Promise<Answer> {
    const { store, clock, telemetry, environment, settings } = this.#lane.context
    try {
      const committed = await store.commit(wave.change)
      if (!committed.ok) return { is: 'refused', refused: committed }
      clock.note(committed.storeMs)
      return { is: 'ok' }
    } catch (thrown) {
      if (isFault(thrown, 'INCARNATION_OTHER') || isFault(thrown, 'STORE_CLOSED')) return { is: 'lost' }
      if (isFault(thrown) && thrown.code !== 'STORE_FULL' && thrown.code !== 'STORE_FAILED') return { is: 'bad', why: thrown }
      const error = asError(thrown)
      telemetry.log('warn', `a commit failed, trying again: ${error.message}`, {
        subscription: this.#lane.crew.subscription.name,
        lane: this.#lane.lane,
      })
      telemetry.count('millrace_commit_failures_total', 1)
    }
    await environment.wait(settings.storeRestMs)
    return this.#whatBecame(wave)
  }

  /** The answer was lost, or was a fault: the lane's own row tells whether the change stands. */
  async #whatBecame(wave: Wave): Promise<Answer> {
    const { store, environment, settings } = this.#lane.context
    while (this.#lane.phase !== 'over') {
      try {
        const [row] = await store.get([laneKey(this.#lane.crew.id, this.#lane.lane)])
        if (row?.rev === wave.change.id) return { is: 'ok' }
        return row?.rev === this.#lane.rev ? { is: 'again' } : { is: 'lost' }
      } catch (thrown) {
        if (isFault(thrown, 'INCARNATION_OTHER') || isFault(thrown, 'STORE_CLOSED')) return { is: 'lost' }
        await environment.wait(settings.storeRestMs)
      }
    }
    return { is: 'lost' }
  }

  #apply(wave: Wave): void {
    const lane = this.#lane
    lane.rev = wave.change.id
    lane.counts = wave.counts
    this.#most = Number.POSITIVE_INFINITY
    this.#known.clear()
    for (const entry of wave.settled) lane.marks.settle(entry)
    lane.marks.written(wave.mark)
    for (const [queue, hold] of wave.holds) queue.hold = hold !== undefined && hold.count > 0 ? hold : undefined
    lane.parkedKeys = wave.parkedKeys
    if (wave.pauses !== undefined) this.#to.paused(wave.pauses)
    for (const outcome of wave.outcomes) this.#to.committed(outcome, wave)
  }

  #refused(refused: Extract<Committed, { ok: false }>, wave: Wave): void {
    const lane = this.#lane
    const own = rowName(laneKey(lane.crew.id, lane.lane))
    const changed = new Set(refused.rows.map(rowName))
    if (changed.has(own)) {
      this.#to.lost('another owner has its lane')
      return
    }
    const breaker = refused.rows.find((row) => row.kind === 'breaker')
    if (breaker !== undefined) {
      const { value, rev } = breaker
      const gone = rev === ''
      lane.crew.hearBreaker(this.#breakerKnown, gone ? undefined : value, gone ? null : rev, lane.context.clock.nowMs())
    }
    const names = wave.change.appends.map(({ event }) => eventName(event))
    for (const name of refused.ids) this.#known.set(name, names.indexOf(name) === names.lastIndexOf(name) ? 'stored' : 'twice')
    const beaten = new Set<KeyQueue>()
    const losers: Outcome[] = []
    let row: string | undefined
    for (const outcome of wave.outcomes) {
      const lost = outcome.is === 'done' ? [...outcome.staged.reads.keys()].find((name) => changed.has(name)) : undefined
      if (lost === undefined && !follows(outcome, beaten)) continue
      row ??= lost
      losers.push(outcome)
      for (const queue of queuesOf(outcome)) beaten.add(queue)
    }
    if (losers.length === 0 && breaker === undefined && refused.ids.length === 0) {
      this.#to.lost('a commit was refused for no reason that it could have')
      return
    }
    const rest = wave.outcomes.filter((outcome) => !losers.includes(outcome))
    this.#queue = [...rest, ...this.#queue]
    if (losers.length > 0) this.#undo(losers, row)
  }

  /** Those that are waiting to be sent, and ran on top of a loser, go with it. */
  #undo(losers: readonly Outcome[], row: string | undefined, again = true): void {
    const beaten = new Set(losers.flatMap(queuesOf))
    const later = this.#queue.filter((outcome) => follows(outcome, beaten))
    this.#queue = this.#queue.filter((outcome) => !later.includes(outcome))
    this.#to.undo([...losers, ...later], row, again)
  }

  /** The fault is the change's own: it is looked for by halves, so that nobody else's turn fails for it. */
  #bad(wave: Wave, why: Fault): void {
    const [first] = wave.outcomes
    if (wave.outcomes.length > 1 || first === undefined) {
      this.#most = Math.max(1, Math.floor(wave.outcomes.length / 2))
      this.#queue = [...wave.outcomes, ...this.#queue]
      return
    }
    this.#most = Number.POSITIVE_INFINITY
    this.#undo([first], undefined, false)
    this.#to.refused(first, why)
  }
}

/** The row that the first of these read and an earlier one of the wave has written. */
function firstRead(losers: readonly Outcome[], wave: Wave): string | undefined {
  const written = new Set(wave.outcomes.flatMap((outcome) => (outcome.is === 'done' ? [...outcome.staged.writes.keys()] : [])))
  for (const outcome of losers) {
    if (outcome.is !== 'done') continue
    for (const name of outcome.staged.reads.keys()) if (written.has(name)) return name
  }
  return undefined
}
