/**
 * One store, virtual time, and as many lives of runtimes as a test wants: each can be killed, stopped and stand still.
 * What is committed is written down at the store's door, where nobody's memory can be wrong about it.
 */
import { openFlow, type Flow } from '../../src/flow/flow.ts'
import { decodeHold, type Held, type Hold } from '../../src/flow/holds.ts'
import { decodeLane, type LaneRecord } from '../../src/flow/lane-record.ts'
import { publishStored, type Published } from '../../src/flow/publisher.ts'
import { controlKey, leaveRequest, setControl, type Request } from '../../src/flow/requests.ts'
import { defaultSettings, type Settings } from '../../src/flow/settings.ts'
import type { Subscription } from '../../src/flow/subscription.ts'
import { fault } from '../../src/kit/fault.ts'
import { slotOf } from '../../src/kit/slot.ts'
import { idMint } from '../../src/kit/uuid-v7.ts'
import type { Environment } from '../../src/ports/environment.ts'
import type { Change, Committed, Placed, Put, Row, Store, StoreLimits, Stored } from '../../src/ports/store.ts'
import type { Fields, Level, Telemetry } from '../../src/ports/telemetry.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { SimEnvironment } from '../../src/testing/sim-environment.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import { SimWorld } from '../../src/testing/sim-world.ts'

export type Engine = 'memory' | 'sqlite'
export const engines: readonly Engine[] = ['memory', 'sqlite']

/** What a handler lives in. */
export interface Here {
  readonly process: SimProcess
  readonly environment: Environment
}

export interface Life extends Here {
  readonly flow: Flow
  readonly store: Store
  /** Never called back again. */
  kill(): void
  stop(): Promise<void>
}

/** What stands between a process and the store: says for each change what becomes of it. `undefined`: nothing odd. */
export type Door = (change: Change, process: SimProcess) => Error | 'lost' | Promise<void> | undefined

export interface Effect {
  /** Of whom, as it was put. */
  readonly part: string
  readonly key: string
  readonly value: string
  readonly ms: number
  readonly by: string
}

export interface StageOptions {
  readonly lanes?: number
  readonly writers?: 'one' | 'many'
  readonly limits?: Partial<StoreLimits>
  readonly seed?: number
  /** The store's clock runs so far ahead of the processes'. */
  readonly storeSkewMs?: number
  /** From a process to the store, and back. */
  readonly wayMs?: number
}

const flushUs = 200

export class Stage {
  readonly world: SimWorld
  readonly store: Store
  /** Rows of the kind `effect` that were committed, in order. */
  readonly effects: Effect[] = []
  readonly said: { readonly level: Level; readonly message: string; readonly fields: Fields | undefined }[] = []
  readonly counted = new Map<string, number>()
  door: Door = () => undefined
  readonly #wayMs: number
  #reading = 0
  readonly #client: Here
  readonly #clientId: () => string
  #lives = 0

  private constructor(world: SimWorld, store: Store, wayMs: number) {
    this.world = world
    this.store = store
    this.#wayMs = wayMs
    this.#client = this.#process('client', 0)
    this.#clientId = idMint(this.#client.environment)
  }

  static async open(
    engine: Engine,
    { lanes = 1, writers = 'one', limits = {}, seed = 1, storeSkewMs = 0, wayMs = 0 }: StageOptions = {},
  ): Promise<Stage> {
    const world = new SimWorld(seed)
    const soon = (run: () => void): void => void world.after(flushUs, undefined, 0, run)
    const nowMs = (): number => Math.floor(world.nowMs + storeSkewMs)
    const common = { lanes, nowMs, soon, limits: { writers, ...limits } }
    const store =
      engine === 'memory'
        ? memoryStore({ ...common, incarnation: 'first' })
        : await sqliteStore({ ...common, path: ':memory:', flush: 'inline', monotonicMs: () => 0, random: () => world.random.next() })
    return new Stage(world, store, wayMs)
  }

  // ── time ──

  get nowMs(): number {
    return this.world.nowUs / 1_000
  }

  /** So much virtual time passes. */
  async pass(ms: number): Promise<void> {
    const untilUs = this.world.nowUs + ms * 1_000
    this.world.after(ms * 1_000, undefined, 0, () => {})
    await this.#run(untilUs, () => false)
  }

  /** Until it is so, or so much virtual time has passed; tells which. */
  async until(so: () => boolean, ms = 600_000): Promise<boolean> {
    const untilUs = this.world.nowUs + ms * 1_000
    this.world.after(ms * 1_000, undefined, 0, () => {})
    await this.#run(untilUs, so)
    return so()
  }

  /** Lets time pass until the promise is settled. */
  async wait<T>(promise: Promise<T>, ms = 600_000): Promise<T> {
    let settled = false
    const end = (): void => void (settled = true)
    promise.then(end, end)
    if (!(await this.until(() => settled, ms))) throw new Error(`nothing came of it within ${ms} ms of virtual time`)
    return promise
  }

  /** Virtual time stands still while the store is at a real read. */
  async #run(untilUs: number, so: () => boolean): Promise<void> {
    do {
      await new Promise((resolve) => setImmediate(resolve))
      await this.world.run(untilUs, () => this.#reading > 0 || so())
    } while (this.#reading > 0 && this.world.failure === undefined)
    if (this.world.failure !== undefined) throw this.world.failure
  }

  // ── lives ──

  #process(name: string, skewMs: number): Here {
    const process = this.world.spawn(name, skewMs)
    return { process, environment: new SimEnvironment(this.world, process, { share: 0, mostUs: 0 }) }
  }

  /** A runtime starts; it is open when this resolves, though it may own no lane yet. */
  async life(
    subscriptions: (here: Here) => readonly Subscription[],
    options: { readonly settings?: Partial<Settings>; readonly generation?: number; readonly skewMs?: number } = {},
  ): Promise<Life> {
    const { settings, generation = 0, skewMs = 0 } = options
    this.#lives += 1
    const here = this.#process(`life ${this.#lives}`, skewMs)
    const store = this.#storeOf(here.process)
    const ports = { store, environment: here.environment, telemetry: this.telemetry }
    const flow = await this.wait(
      openFlow(ports, {
        id: here.process.name,
        subscriptions: subscriptions(here),
        settings: { storeRestMs: 20, ...settings },
        generation,
      }),
    )
    return {
      ...here,
      flow,
      store,
      kill: () => this.world.crash(here.process),
      stop: () => this.wait(flow.stop()),
    }
  }

  /** The ports of a process of its own, for whatever else is started on this stage. */
  ports(name: string): Here & { readonly store: Store; readonly telemetry: Telemetry } {
    const here = this.#process(name, 0)
    return { ...here, store: this.#storeOf(here.process), telemetry: this.telemetry }
  }

  get telemetry(): Telemetry {
    return {
      count: (name, by) => void this.counted.set(name, (this.counted.get(name) ?? 0) + by),
      record: () => {},
      span: (_name, _fields, run) => run(),
      log: (level, message, fields) => void this.said.push({ level, message, fields }),
    }
  }

  /** Whether somebody said it, at this level. */
  heard(level: Level, words: RegExp): boolean {
    return this.said.some((one) => one.level === level && words.test(one.message))
  }

  #storeOf(process: SimProcess): Store {
    const { store } = this
    const alive = async <T>(answer: () => Promise<T>): Promise<T> => {
      await this.#way(process)
      try {
        const value = await answer()
        await this.#way(process)
        return value
      } catch (thrown) {
        await this.#way(process)
        throw thrown
      }
    }
    return {
      limits: store.limits,
      incarnation: store.incarnation,
      commit: (change) => alive(() => this.#commit(change, process)),
      get: (keys) => alive(() => this.#read(store.get(keys))),
      scan: (range) => alive(() => this.#read(store.scan(range))),
      read: (from, limit) => alive(() => this.#read(store.read(from, limit))),
      changed: (names, signal) => alive(() => store.changed(names, signal)),
      close: () => alive(() => store.close()),
    }
  }

  async #read<T>(answer: Promise<T>): Promise<T> {
    this.#reading += 1
    try {
      return await answer
    } finally {
      this.#reading -= 1
    }
  }

  /** No call of a dead process arrives, and no answer comes back to it. */
  #way(process: SimProcess): Promise<void> {
    if (!process.alive) return gone
    if (this.#wayMs === 0) return Promise.resolve()
    return new Promise((resolve) => void this.world.after(this.#wayMs * 1_000, process, 0, resolve))
  }

  async #commit(change: Change, process: SimProcess): Promise<Committed> {
    const fate = this.door(change, process)
    if (fate instanceof Error) throw fate
    if (fate instanceof Promise) await fate
    const committed = await this.store.commit(change)
    if (committed.ok) this.#write(change, process)
    if (fate === 'lost') throw lostAnswer()
    return committed
  }

  #write(change: Change, process: SimProcess): void {
    for (const { kind, part, key, value } of change.puts) {
      if (kind === 'effect') this.effects.push({ part, key, value, ms: this.nowMs, by: process.name })
    }
  }

  // ── the world outside ──

  publish(events: readonly Stored[]): Promise<Published> {
    return this.wait(this.publishing(events))
  }

  /** Not waited for. */
  publishing(events: readonly Stored[]): Promise<Published> {
    const { environment } = this.#client
    return publishStored(
      { store: this.#storeOf(this.#client.process), environment, changeId: this.#clientId, settings: defaultSettings },
      events,
    )
  }

  request(subscription: string, lane: string, request: Request): Promise<void> {
    return this.wait(this.requesting(subscription, lane, request))
  }

  /** Not waited for. */
  requesting(subscription: string, lane: string, request: Request): Promise<void> {
    return leaveRequest(this.store, this.#clientId(), subscription, lane, request)
  }

  control(subscription: string, paused: boolean): Promise<void> {
    return this.wait(setControl(this.store, this.#clientId(), subscription, { paused, by: 'somebody', atMs: Math.floor(this.world.nowMs) }))
  }

  // ── what the store holds ──

  async rows(kind: string, part: string): Promise<readonly Row[]> {
    return this.wait(this.#read(this.store.scan({ kind, part, from: '', to: '', limit: 10_000 })))
  }

  async row(kind: string, part: string, key: string): Promise<string | undefined> {
    const [row] = await this.wait(this.#read(this.store.get([{ kind, part, key }])))
    return row?.value
  }

  async record(subscription: string, lane = this.store.limits.lanes[0]?.name ?? ''): Promise<LaneRecord> {
    return decodeLane((await this.row('lane', subscription, lane)) ?? '')
  }

  async holds(subscription: string): Promise<ReadonlyMap<string, Hold>> {
    const found = new Map<string, Hold>()
    for (const part of this.#parts(subscription)) for (const row of await this.rows('hold', part)) found.set(row.key, decodeHold(row))
    return found
  }

  async held(subscription: string): Promise<readonly Held[]> {
    const found: Held[] = []
    for (const part of this.#parts(subscription)) for (const row of await this.rows('held', part)) found.push(JSON.parse(row.value) as Held)
    return found
  }

  async controlled(subscription: string): Promise<string | undefined> {
    const { kind, part, key } = controlKey(subscription)
    return this.row(kind, part, key)
  }

  /** All of the log, in order. */
  async log(): Promise<readonly Placed[]> {
    const found: Placed[] = []
    for (const { name } of this.store.limits.lanes) {
      for (let after = ''; ;) {
        const [slice] = await this.wait(
          this.#read(this.store.read([{ of: 'lane', name, after }], { events: 5_000, bytes: Number.MAX_SAFE_INTEGER })),
        )
        if (slice === undefined || slice.events.length === 0) break
        found.push(...slice.events)
        after = slice.upTo
      }
    }
    return found.sort((a, b) => (a.position < b.position ? -1 : 1))
  }

  #parts(subscription: string): readonly string[] {
    return ['*', ...this.store.limits.lanes.map(({ name }) => name)].map((lane) => `${subscription}/${lane}`)
  }
}

/** `id` is the number, so that effects can be told apart. */
export function happened(id: number | string, key: string, data: unknown = {}, more: Partial<Stored> = {}): Stored {
  const time = '2026-01-01T00:00:00.000Z'
  return {
    tenant: '',
    source: 'test',
    id: String(id),
    type: 'Happened',
    version: 1,
    key,
    slot: slotOf(key),
    time,
    data: JSON.stringify(data),
    ...more,
  }
}

/** The row that shows that an event had its effect. */
export function effectOf(part: string, event: Placed, value: unknown = event.id): Put {
  return { kind: 'effect', part, key: event.id, value: String(value) }
}

export function ids(effects: readonly Effect[]): readonly string[] {
  return effects.map(({ key }) => key)
}

/** The change may stand or not. */
export function lostAnswer(): Error {
  return fault('STORE_FAILED', 'the connection broke before the answer', { unknown: true })
}

const gone = new Promise<never>(() => undefined)
