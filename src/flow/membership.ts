/**
 * Who owns which lane. Every runtime that shares a store beats in a row of its own; each works out the same fair share
 * from the beats that it sees change, takes what is
 * free or whose owner has not beaten for a whole lease by its own monotonic clock, and hands over, after a drain, what
 * is another's. Time decides when, never whether it
 * is safe: that is for the lane's record.
 */
import { changeOf } from './change.ts'
import { asError, isFault } from '../kit/fault.ts'
import type { Row } from '../ports/store.ts'
import type { FlowContext } from './context.ts'
import type { Crew } from './crew.ts'
import { lanesOf } from './deploy.ts'
import { decodeLane, encodeLane, laneKey } from './lane-record.ts'
import { Unit } from './unit.ts'

interface Beat {
  readonly beat: number
  /** Of its plan: a newer one denies older processes new leases. */
  readonly generation: number
  readonly subscriptions: readonly string[]
}

interface Seen {
  readonly beat: Beat
  /** On this runtime's monotonic clock, when it was last seen to change. */
  readonly changedMs: number
}

export class Membership {
  readonly #context: FlowContext
  readonly #crews: readonly Crew[]
  readonly #generation: number
  readonly #units = new Map<string, Unit>()
  readonly #seen = new Map<string, Seen>()
  /** Owners whose beat was not there, with when they were first met. */
  readonly #met = new Map<string, number>()
  readonly #stop = new AbortController()
  #beat = 0
  /** When the beats that it goes by were asked for. */
  #seenMs = 0
  #ended: Promise<void> = Promise.resolve()

  constructor(context: FlowContext, crews: readonly Crew[], generation: number) {
    this.#context = context
    this.#crews = crews
    this.#generation = generation
  }

  /** Where this process is the only writer it takes all at once, and never beats. */
  async start(): Promise<void> {
    if (this.#context.store.limits.writers === 'one') await this.#takeAll()
    else this.#ended = this.#run()
  }

  units(): Iterable<Unit> {
    return this.#units.values()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    // Those that it has stop starting turns now; one that a round under way still takes is released as it comes.
    const released = [...this.#units.values()].map((unit) => unit.release())
    await this.#ended
    await Promise.all([...released, ...[...this.#units.values()].map((unit) => unit.release())])
    await this.#leave()
  }

  async #takeAll(): Promise<void> {
    await Promise.all(
      this.#crews.map(async (crew) => {
        const lanes = lanesOf(this.#context.store, crew.subscription)
        const rows = await this.#context.store.get(lanes.map((lane) => laneKey(crew.id, lane)))
        await Promise.all(rows.map(async (row, i) => (row === undefined ? undefined : this.#take(crew, lanes[i] ?? '', row))))
      }),
    )
  }

  async #run(): Promise<void> {
    const { environment, settings, telemetry } = this.#context
    while (!this.#stop.signal.aborted) {
      try {
        await this.#round()
      } catch (thrown) {
        if (isFault(thrown, 'STORE_CLOSED')) return
        telemetry.log('warn', `the lanes could not be looked at, trying again: ${asError(thrown).message}`)
      }
      await environment.wait(settings.beatMs, this.#stop.signal)
    }
  }

  async #round(): Promise<void> {
    await this.#tellBeat()
    await this.#seeBeats()
    const alive = this.#alive()
    for (const crew of this.#crews) {
      if (this.#stop.signal.aborted) return
      await this.#share(crew, alive)
    }
  }

  async #tellBeat(): Promise<void> {
    const { store, id, changeId, clock, settings } = this.#context
    this.#beat += 1
    const beat: Beat = { beat: this.#beat, generation: this.#generation, subscriptions: this.#crews.map((crew) => crew.id) }
    // The store's time is not known before its first answer: so the first beat, which has no end, is followed by another.
    const first = this.#beat === 1
    const end = first ? {} : { expiresMs: clock.nowMs() + ghostLeases * settings.leaseMs }
    const put = { kind: 'runtime', part: '', key: id, value: JSON.stringify(beat), ...end }
    const committed = await store.commit(changeOf(store, changeId(), { puts: [put] }))
    if (committed.ok) clock.note(committed.storeMs)
    if (first) await this.#tellBeat()
  }

  async #seeBeats(): Promise<void> {
    // Judged by when it was asked, a change noted when it is answered: however slow the answer, nobody looks dead for it.
    this.#seenMs = this.#context.environment.monotonicMs()
    const rows = await this.#context.store.scan({ kind: 'runtime', part: '', from: '', to: '', limit: 1_000 })
    const nowMs = this.#context.environment.monotonicMs()
    const present = new Set(rows.map((row) => row.key))
    for (const id of [...this.#seen.keys()]) if (!present.has(id)) this.#seen.delete(id)
    for (const row of rows) {
      const beat = JSON.parse(row.value) as Beat
      if (this.#seen.get(row.key)?.beat.beat !== beat.beat) this.#seen.set(row.key, { beat, changedMs: nowMs })
    }
  }

  /** Those whose beat changed within a lease, in one order for all. */
  #alive(): ReadonlyMap<string, Beat> {
    const nowMs = this.#seenMs
    const ids = [...this.#seen].filter(
      ([id, { changedMs }]) => id === this.#context.id || nowMs - changedMs < this.#context.settings.leaseMs,
    )
    return new Map(ids.sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, { beat }]) => [id, beat]))
  }

  async #share(crew: Crew, alive: ReadonlyMap<string, Beat>): Promise<void> {
    const { store, id } = this.#context
    const able = [...alive].filter(([, beat]) => beat.subscriptions.includes(crew.id))
    const newest = Math.max(...able.map(([, beat]) => beat.generation))
    const candidates = able.filter(([, beat]) => beat.generation === newest).map(([one]) => one)
    const lanes = lanesOf(store, crew.subscription)
    const rows = await store.get(lanes.map((lane) => laneKey(crew.id, lane)))
    for (const [i, lane] of lanes.entries()) {
      const row = rows[i]
      if (row === undefined || candidates.length === 0) continue
      const wanted = candidates[(i + hashOf(crew.id)) % candidates.length]
      await this.#settle(crew, lane, row, wanted === id, alive)
    }
  }

  async #settle(crew: Crew, lane: string, row: Row, mine: boolean, alive: ReadonlyMap<string, Beat>): Promise<void> {
    const unit = this.#units.get(nameOf(crew, lane))
    const { owner, token } = decodeLane(row.value)
    if (unit !== undefined && unit.runner.lane.token === token) {
      if (!mine) void unit.release()
      return
    }
    // Replaced while it had nothing to commit, and so did not notice.
    unit?.runner.lost('another owner has taken its lane')
    if (!mine && owner === this.#context.id) return this.#disown(crew, lane, row)
    const free = owner === '' || owner === this.#context.id || (!alive.has(owner) && this.#restsLong(owner))
    if (mine && free) await this.#take(crew, lane, row)
  }

  /** Its release did not reach the store: it is made up for. */
  async #disown(crew: Crew, lane: string, row: Row): Promise<void> {
    const { store, changeId } = this.#context
    const key = laneKey(crew.id, lane)
    const value = encodeLane({ ...decodeLane(row.value), owner: '' })
    await store.commit(changeOf(store, changeId(), { checks: [{ ...key, rev: row.rev }], puts: [{ ...key, value }] }))
  }

  /** Whether a whole lease has passed since its beat changed, or, where none was seen, since it was first met as an owner. */
  #restsLong(owner: string): boolean {
    const nowMs = this.#seenMs
    const sinceMs = this.#seen.get(owner)?.changedMs ?? this.#met.get(owner) ?? nowMs
    this.#met.set(owner, this.#met.get(owner) ?? nowMs)
    return nowMs - sinceMs >= this.#context.settings.leaseMs
  }

  async #take(crew: Crew, lane: string, row: Row): Promise<void> {
    const name = nameOf(crew, lane)
    const unit = await Unit.take(this.#context, crew, lane, row, (lost, why) => {
      if (this.#units.get(name) === lost) this.#units.delete(name)
      this.#context.telemetry.log('debug', `${crew.subscription.name} let lane ${lane} go: ${why}`)
      if (this.#context.store.limits.writers === 'one') this.#retake(crew, lane)
    })
    if (unit === undefined) {
      if (this.#context.store.limits.writers === 'one') this.#retake(crew, lane)
      return
    }
    this.#units.set(name, unit)
    if (this.#stop.signal.aborted) await unit.release()
  }

  /** The only writer lost a lane to nobody: an answer was unclear. It takes it over again. */
  #retake(crew: Crew, lane: string): void {
    const { store, environment, settings } = this.#context
    if (this.#stop.signal.aborted) return
    void environment.wait(settings.storeRestMs, this.#stop.signal).then(async () => {
      if (this.#stop.signal.aborted) return
      try {
        const [row] = await store.get([laneKey(crew.id, lane)])
        if (row !== undefined) await this.#take(crew, lane, row)
      } catch (thrown) {
        if (!isFault(thrown, 'STORE_CLOSED')) this.#retake(crew, lane)
      }
    })
  }

  async #leave(): Promise<void> {
    const { store, id, changeId } = this.#context
    if (store.limits.writers === 'one') return
    const own = { kind: 'runtime', part: '', key: id }
    await store.commit(changeOf(store, changeId(), { deletes: [own] })).catch(() => {})
  }
}

/** So much longer than it takes to be known as dead, its row goes by itself: whoever starts meanwhile shares with it for a lease. */
const ghostLeases = 10

function nameOf(crew: Crew, lane: string): string {
  return `${crew.id}/${lane}`
}

/** So that the first lanes of all subscriptions are not one runtime's. */
function hashOf(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i += 1) hash = (hash * 31 + text.charCodeAt(i)) & 0xffff
  return hash
}
