/**
 * The subscriptions of a simulated app: what they take, and handlers that work, fail, hang, come late, emit and kill their
 * process as the schedule says.
 */
import { fault } from '../../src/kit/fault.ts'
import { slotOf } from '../../src/kit/slot.ts'
import { uuidV7From } from '../../src/kit/uuid-v7.ts'
import type { Look, Subscription } from '../../src/flow/subscription.ts'
import type { Taken, Turn } from '../../src/flow/turn.ts'
import type { Placed, Stored } from '../../src/ports/store.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import { wantedKey, type Body } from './model.ts'
import type { Doing, SubscriptionPlan } from './schedule.ts'

/** What handlers are told and ask; the checks listen here. */
export interface Stagehand {
  started(process: SimProcess, plan: SubscriptionPlan, turn: Turn): number
  ended(serial: number, how: 'returned' | 'threw', error: unknown): void
  /** Of its process: paused and gone with it. */
  pause(process: SimProcess, ms: number): Promise<void>
  crash(process: SimProcess): void
  /** What was staged too late got no fault. */
  unheard(plan: SubscriptionPlan): void
  /** So long after the beginning, by the store's clock. */
  instantMs(afterMs: number): number
  /** How often this doing has been done, this time included. */
  times(what: string): number
  /** What failed has been repaired. */
  readonly repaired: boolean
  readonly nowMs: number
}

export interface LedgerEntry {
  readonly serial: number
  readonly run: number
  readonly of: number
  /** Somebody else was there before (`once`). */
  readonly repeated?: true
}

const never = new Promise<never>(() => undefined)

export function subjectOf(plan: SubscriptionPlan, process: SimProcess, knows: number, stage: Stagehand): Subscription {
  const subject = new Subject(plan, process, stage)
  const { was } = plan
  return {
    name: was !== undefined && knows < 2 ? was : plan.name,
    ...(was !== undefined && knows >= 2 ? { was } : {}),
    kind: plan.kind,
    from: typeof plan.from === 'number' ? stage.instantMs(plan.from) : plan.from,
    merged: plan.merged,
    types: new Set(plan.types),
    policy: plan.policy,
    ...(plan.batch === undefined ? {} : { batch: plan.batch }),
    look: (event) => look(plan, event, knows),
    run: (turn) => subject.run(turn),
  }
}

/** The event that a subscription with `emits` makes of another: the same on every attempt. */
export function emitted(plan: SubscriptionPlan, taken: Taken, doing: Extract<Doing, { do: 'emit' }>, index: number): Stored {
  const { event } = taken
  const key = doing.key === '' ? event.key : `${doing.key}${index}`
  const body: Body = { number: 1 + index, group: key, doings: {} }
  return {
    tenant: '',
    source: 'sim',
    id: uuidV7From(Date.parse(event.time), [plan.name, event.id, taken.run, index]),
    type: 'Emitted',
    version: 1,
    key,
    slot: slotOf(key),
    time: event.time,
    cause: event.id,
    data: JSON.stringify(body),
  }
}

/** What a folding row says after one more event. */
export function folded(before: string | undefined, orderKey: string, event: Placed, run: number): string {
  const { n, hash } = before === undefined ? { n: 0, hash: 7 } : (JSON.parse(before) as { n: number; hash: number })
  return JSON.stringify({ key: orderKey, n: n + 1, hash: (Math.imul(hash, 31) + Number(event.position) + run) | 0 })
}

export function doingOf(plan: SubscriptionPlan, body: Body): Doing | undefined {
  return body.doings[plan.name]
}

function look(plan: SubscriptionPlan, event: Placed, knows: number): Look {
  const body = JSON.parse(event.data) as Body
  const key = wantedKey(plan, event, body)
  if (key === undefined) return { is: 'skip' }
  const orderKey = plan.keyless ? undefined : key
  if (event.version > knows) return { is: 'wait', key: orderKey, why: `version ${event.version}` }
  if (doingOf(plan, body)?.do === 'broken') return { is: 'fault', key: orderKey, fault: fault('STORE_FAILED', 'cannot be decoded') }
  return { is: 'run', key, parts: partsOf(body) }
}

/** Some events were split into two since they were stored. */
export function partsOf(body: Body): readonly Body[] {
  return body.number % 4 === 1 ? [body, { ...body, number: -body.number }] : [body]
}

class Subject {
  readonly #plan: SubscriptionPlan
  readonly #process: SimProcess
  readonly #stage: Stagehand

  constructor(plan: SubscriptionPlan, process: SimProcess, stage: Stagehand) {
    this.#plan = plan
    this.#process = process
    this.#stage = stage
  }

  async run(turn: Turn): Promise<void> {
    const serial = this.#stage.started(this.#process, this.#plan, turn)
    try {
      await this.#body(turn, serial)
    } catch (thrown) {
      this.#stage.ended(serial, 'threw', thrown)
      throw thrown
    }
    this.#stage.ended(serial, 'returned', undefined)
  }

  async #body(turn: Turn, serial: number): Promise<void> {
    const { workMs, outage } = this.#plan
    if (workMs > 0) await this.#stage.pause(this.#process, this.#process.random.next() * workMs * 2)
    for (const taken of turn.taken) {
      const doing = this.#doing(taken)
      await this.#before(turn, taken, doing, serial)
      const repeated = this.#plan.once && (await this.#repeats(turn, taken))
      if (repeated) turn.repeated()
      else await this.#effects(turn, taken, doing)
      const entry: LedgerEntry = { serial, run: taken.run, of: turn.taken.length, ...(repeated ? { repeated } : {}) }
      turn.put({ kind: 'ledger', part: this.#plan.name, key: taken.event.position }, JSON.stringify(entry))
      if (doing?.do === 'fail' && doing.staged) throw new Error('fails after it has staged')
    }
    const { nowMs, repaired } = this.#stage
    if (outage !== undefined && !repaired && nowMs >= outage.fromMs && nowMs < outage.toMs) throw new Error('everything fails')
  }

  /** What it does this time: failing ends after so many times, and once it is repaired. */
  #doing(taken: Taken): Doing | undefined {
    const doing = doingOf(this.#plan, taken.parts[0] as Body)
    if (doing === undefined || !('times' in doing)) return doing
    if (this.#stage.repaired) return undefined
    return this.#stage.times(`${this.#plan.name} ${taken.event.position}`) <= doing.times ? doing : undefined
  }

  async #before(turn: Turn, taken: Taken, doing: Doing | undefined, serial: number): Promise<void> {
    const process = this.#process
    const { timeoutMs } = this.#plan.policy
    if (doing === undefined) return
    if (doing.do === 'slow') await this.#stage.pause(process, doing.ms)
    if (doing.do === 'fail' && !doing.staged) throw new Error('fails')
    if (doing.do === 'nothing') throw undefined
    if (doing.do === 'hang') await never
    if (doing.do === 'obey') await aborted(turn.signal)
    if (doing.do === 'abort') {
      this.#stage.crash(process)
      await never
    }
    if (doing.do === 'late') {
      await this.#stage.pause(process, timeoutMs + doing.ms)
      const open = turn.open
      turn.put({ kind: 'late', part: this.#plan.name, key: taken.event.position }, String(serial))
      if (!open) this.#stage.unheard(this.#plan)
    }
  }

  async #effects(turn: Turn, taken: Taken, doing: Doing | undefined): Promise<void> {
    const { name, folds, shares } = this.#plan
    if (folds) {
      const key = { kind: 'fold', part: name, key: taken.key }
      const row = await turn.get(key)
      turn.put(key, folded(row?.value, taken.key, taken.event, taken.run))
    }
    if (shares) {
      const key = { kind: 'shared', part: name, key: 'sum' }
      const row = await turn.get(key)
      if (this.#process.random.chance(0.3)) await this.#stage.pause(this.#process, this.#process.random.next() * 3)
      turn.put(key, String(Number(row?.value ?? 0) + 1))
    }
    if (doing?.do === 'emit') for (let index = 0; index < doing.count; index++) turn.append(emitted(this.#plan, taken, doing, index))
  }

  async #repeats(turn: Turn, taken: Taken): Promise<boolean> {
    const key = { kind: 'once', part: this.#plan.name, key: (taken.parts[0] as Body).group }
    if ((await turn.get(key)) !== undefined) return true
    turn.put(key, taken.event.id)
    return false
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(new Error('it was told to stop'))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}
