/** One lane of one subscription, from taking it over to letting it go. */
import { changeOf } from './change.ts'
import type { Row } from '../ports/store.ts'
import { claim, type Claimed } from './claim.ts'
import type { FlowContext } from './context.ts'
import type { Crew } from './crew.ts'
import { encodeLane, laneKey } from './lane-record.ts'
import { Operators } from './operators.ts'
import { Reader, readHoles } from './reader.ts'
import type { Request } from './requests.ts'
import { Runner } from './runner.ts'

export class Unit {
  readonly runner: Runner
  readonly #reader: Reader
  readonly #operators: Operators
  #ended: Promise<unknown> = Promise.resolve()
  #released: Promise<void> | undefined

  private constructor(claimed: Claimed, onLost: (unit: Unit, why: string) => void) {
    this.runner = new Runner(claimed.lane, {
      lost: (why) => {
        this.#reader.stop()
        this.#operators.stop()
        void takeStartsBack(claimed)
        onLost(this, why)
      },
      room: () => this.#reader.wake(),
      rest: () => this.#operators.rested(),
    })
    this.#reader = new Reader(this.runner, claimed.unclean)
    this.#operators = new Operators(this.runner)
  }

  /** `undefined`: somebody else was faster. Nothing runs before every hole is back and every hold is known. */
  static async take(
    context: FlowContext,
    crew: Crew,
    lane: string,
    row: Row,
    onLost: (unit: Unit, why: string) => void,
  ): Promise<Unit | undefined> {
    const claimed = await claim(context, crew, lane, row)
    if (claimed === undefined) return undefined
    const unit = new Unit(claimed, onLost)
    await unit.#operators.look()
    await readHoles(unit.runner, claimed.holes, claimed.unclean)
    unit.#start()
    return unit
  }

  #start(): void {
    const { lane } = this.runner
    for (const queue of lane.keys.values()) {
      if (queue.hold?.state === 'wait') this.runner.settling.ringAt(queue, queue.hold.dueMs)
      lane.list(queue)
    }
    this.runner.dispatch()
    this.#ended = Promise.all([this.#reader.run(), this.#operators.run()])
  }

  /** No new turns; those under way have so long to end, and are called off then, which is no attempt; the lane is released last. */
  release(): Promise<void> {
    this.#released ??= this.#release()
    return this.#released
  }

  async #release(): Promise<void> {
    const { lane, committer } = this.runner
    if (lane.phase !== 'running') return
    lane.phase = 'draining'
    this.#reader.stop()
    this.#operators.stop()
    await this.#drain()
    // A store that takes nothing keeps no process alive: its lane is taken over as after a crash.
    // The wait ends with the race: a process that has nothing else to do is not kept by it.
    const over = new AbortController()
    let letGo = false
    const released = committer.drained().then(async () => {
      await this.#letGo()
      letGo = true
    })
    for (let rev: string | undefined; !letGo && rev !== lane.rev;) {
      rev = lane.rev
      await Promise.race([released, lane.context.environment.wait(lane.context.settings.drainMs, over.signal)])
    }
    over.abort()
    if (this.#phase() === 'over') return
    this.runner.lost('it was released')
    await this.#ended
  }

  async #drain(): Promise<void> {
    const { lane } = this.runner
    const { environment, settings } = lane.context
    const step = Math.max(1, Math.min(20, settings.drainMs))
    for (let waited = 0; lane.attempts.size > 0 && waited < settings.drainMs && this.#phase() === 'draining'; waited += step) {
      await environment.wait(step)
    }
    this.runner.callOffAll('its runtime stops')
  }

  async #letGo(): Promise<void> {
    const { lane } = this.runner
    if (lane.phase === 'over') return
    const { store, changeId, telemetry } = lane.context
    const { mark, holes } = lane.marks.after([])
    const key = laneKey(lane.crew.id, lane.lane)
    const counts = { ...lane.counts, skipped: lane.counts.skipped + lane.marks.skippedTo(mark) }
    const value = encodeLane({ owner: '', epoch: lane.epoch, token: lane.token, mark, holes, counts })
    const starts = [...lane.started.keys()].map((position) => ({ kind: 'start', part: lane.part, key: position }))
    try {
      const change = changeOf(store, changeId(), { checks: [{ ...key, rev: lane.rev }], puts: [{ ...key, value }], deletes: starts })
      if ((await store.commit(change)).ok) lane.started.clear()
    } catch (thrown) {
      telemetry.log('warn', `${lane.crew.subscription.name}: its lane could not be released; it will be taken over as after a crash`, {
        error: String(thrown),
      })
    }
  }

  #phase(): string {
    return this.runner.lane.phase
  }
}

const aliveMs = 7 * 86_400_000
const takeBackTries = 10

/** An owner that returns and finds itself replaced did not die: what it started is no suspect because of it, and is not parked for it. */
async function takeStartsBack({ lane }: Claimed): Promise<void> {
  if (lane.started.size === 0) return
  const { store, changeId, clock, environment, settings } = lane.context
  const nowMs = clock.nowMs()
  const alive = { kind: 'alive', part: lane.part, key: lane.token, value: '1', expiresMs: nowMs + aliveMs }
  const absolve = [...new Set(lane.started.values())].map((key) => {
    const request: Request = { op: 'redrive', key, by: 'millrace', atMs: nowMs, onlyIf: 'CRASHED_THRICE' }
    return { kind: 'request', part: lane.part, key: changeId(), value: JSON.stringify(request) }
  })
  // A try whose answer was lost stands: another must not ask again for what may be done by now.
  const checks = [{ kind: alive.kind, part: alive.part, key: alive.key, rev: null }]
  for (let tries = 0; tries < takeBackTries; tries += 1) {
    try {
      await store.commit(changeOf(store, changeId(), { checks, puts: [alive, ...absolve] }))
      return
    } catch {
      await environment.wait(settings.storeRestMs)
    }
  }
}
