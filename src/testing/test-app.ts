/**
 * An app in a test: on a store in memory and a clock that only the test moves, without a server, with resources replaced.
 *
 *   await using app = await testApp(shop, { replace: [replace(payments, fake)] })
 *   await app.publish(OrderPlaced({ … }))          // returns once the app has come to rest
 *   await app.advance('10m')                       // retries, batches and time-outs fall due, in order
 *   assert.deepEqual(app.emitted(PaymentTaken), [{ … }])
 */
import { freezeFacts } from '../contracts/made-fact.ts'
import type { App } from '../define/app.ts'
import type { Env } from '../define/config.ts'
import type { Serving } from '../define/context.ts'
import { onlyKnown, type DataOf } from '../define/definition.ts'
import { beginning, type Instant } from '../define/delivery.ts'
import type { AnyEvent } from '../define/event.ts'
import type { Replacement } from '../define/resource.ts'
import type { Settings } from '../flow/settings.ts'
import { milliseconds, type Duration } from '../kit/duration.ts'
import { fault } from '../kit/fault.ts'
import { readerFor } from '../plan/consumed.ts'
import type { Fields, Level, Telemetry } from '../ports/telemetry.ts'
import type { Fetch } from '../runtime/http-door.ts'
import { startRuntime, type Runtime } from '../runtime/runtime.ts'
import { deadLettersOf, redriveAll, type DeadLetter, type Which } from './dead-letters.ts'
import { complaintsOf } from './health.ts'
import { Stillness, type Real } from './stillness.ts'
import { VirtualEnvironment } from './virtual-environment.ts'
import { WatchedStore } from './watched-store.ts'

export interface TestAppOptions {
  readonly replace?: readonly Replacement[]
  /** When the test begins. @default '2026-01-01T00:00:00Z' */
  readonly at?: Instant
  /** What `config` is read from; never the real environment. @default {} */
  readonly env?: Env
  /** The limits of the guarantee table. */
  readonly settings?: Partial<Settings>
  /** How many lanes its store has. @default 4 */
  readonly lanes?: number
  /** Of chance: the jitter of retries. @default 1 */
  readonly seed?: number
  /** How long in real time a handler that awaits something real is waited for while nothing moves. @default '100ms' */
  readonly patience?: Duration
}

export interface Logged {
  readonly level: Level
  readonly message: string
  readonly fields: Fields
}

/** `publish` and `fetch` return once the app has come to rest at this instant: as `settled` does. */
export interface TestApp extends Serving, AsyncDisposable {
  /** Lets virtual time pass, with everything that falls due in it, in order; returns once the app rests. */
  advance(by: Duration): Promise<void>
  /** Returns once nothing moves any more unless time passes. A handler that hangs is not waited for. */
  settled(): Promise<void>
  /** Through the real door. A path stands for a request to localhost. */
  fetch(at: Request | `/${string}`, init?: RequestInit): Promise<Response>
  /** What of this event is in the log, published or emitted, in order and in today's shape. */
  emitted<E extends AnyEvent>(event: E): readonly DataOf<E>[]
  /** The keys that are parked, each with the fact at its head. */
  deadLetters(): readonly DeadLetter[]
  /** From the key's head, at the first attempt; without an argument all. How many keys. Returns once the app rests. */
  redrive(which?: Which): Promise<number>
  /** Throws what is not as it should be: keys parked, consumers that are paused or stand still, breakers open. */
  expectHealthy(): void
  /** What was logged so far, by the app and by what runs it. */
  readonly logged: readonly Logged[]
  /** Drains, and closes what was opened; virtual time passes as far as that needs it. */
  stop(): Promise<void>
}

const known = ['replace', 'at', 'env', 'settings', 'lanes', 'seed', 'patience'] as const

/** `real`: what the host lends, for what is not virtual in a test. */
export async function openTestApp(app: App, real: Real, options: TestAppOptions): Promise<TestApp> {
  onlyKnown('testApp', options, known)
  freezeFacts(true)
  const { at = '2026-01-01T00:00:00Z', env = {}, replace = [], settings = {}, lanes = 4, seed = 1, patience = '100ms' } = options
  const environment = new VirtualEnvironment(Number(beginning('testApp', at)), seed, real.turn)
  const store = new WatchedStore(environment, lanes)
  const logged: Logged[] = []
  const runtime = await startRuntime(app, { store, environment, telemetry: collecting(logged) }, { env, replace, settings })
  const stillness = new Stillness(environment, store, runtime.flow, real, milliseconds(patience))
  await stillness.come()
  return testing(new Tested(runtime, store, environment, stillness, real, logged))
}

/** Runtime and clock, and what a test does with them. */
class Tested {
  readonly runtime: Runtime
  readonly store: WatchedStore
  readonly logged: readonly Logged[]
  readonly stopping = new AbortController()
  readonly #environment: VirtualEnvironment
  readonly #stillness: Stillness
  readonly #real: Real
  #fetch: Promise<Fetch> | undefined
  #advancing: Promise<void> = Promise.resolve()
  #stopped: Promise<void> | undefined

  constructor(
    runtime: Runtime,
    store: WatchedStore,
    environment: VirtualEnvironment,
    stillness: Stillness,
    real: Real,
    logged: readonly Logged[],
  ) {
    this.runtime = runtime
    this.store = store
    this.logged = logged
    this.#environment = environment
    this.#stillness = stillness
    this.#real = real
  }

  settled(): Promise<void> {
    return this.#stillness.come()
  }

  /** Of two calls the second begins where the first ends. */
  advance(ms: number): Promise<void> {
    const after = this.#advancing.then(() => this.#advance(ms))
    this.#advancing = after.catch(() => {})
    return after
  }

  async #advance(ms: number): Promise<void> {
    await this.settled()
    const untilMs = this.#environment.monotonicMs() + ms
    while (this.#environment.next(untilMs)) await this.settled()
    this.#environment.goTo(untilMs)
    await this.settled()
  }

  async fetch(request: Request): Promise<Response> {
    const answer = await (await (this.#fetch ??= this.#openDoor()))(request)
    await this.settled()
    return answer
  }

  async #openDoor(): Promise<Fetch> {
    const { openDoor } = await import('../runtime/http.ts')
    return openDoor(this.runtime.door, this.runtime.doors)
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  /** A drain waits, and only here does time pass without being told to. */
  async #stop(): Promise<void> {
    this.stopping.abort()
    let over = false
    const ended = this.runtime.stop().finally(() => {
      over = true
    })
    while (!over) {
      await this.#real.turn()
      if (!over && this.store.underWay === 0 && !this.#environment.next(Number.POSITIVE_INFINITY)) await this.#real.rest()
    }
    await ended
    await this.store.close()
  }
}

function testing(tested: Tested): TestApp {
  const { runtime, store, logged, stopping } = tested
  const { flow, plan } = runtime
  const serving = runtime.serving(stopping.signal)
  return {
    ...serving,
    signal: stopping.signal,
    logged,
    async publish(facts, how) {
      const published = await serving.publish(facts, how)
      await tested.settled()
      return published
    },
    advance: async (by) => tested.advance(milliseconds(by)),
    settled: () => tested.settled(),
    fetch: async (at, init) => tested.fetch(new Request(typeof at === 'string' ? new URL(at, 'http://localhost') : at, init)),
    emitted(event) {
      if (!plan.events.includes(event)) throw fault('EVENT_UNLISTED', `${event.type} is not in the app ${plan.name}`, { type: event.type })
      const reader = readerFor(plan, [event])
      return store.log(reader.types).flatMap((stored) => {
        const read = reader.readStored(stored)
        if (read.is === 'fault') throw read.fault
        return read.is === 'facts' ? read.facts.map(({ data }) => data) : []
      })
    },
    deadLetters: () => deadLettersOf(flow, store),
    async redrive(which = {}) {
      const count = await redriveAll(flow, store, which)
      await tested.settled()
      return count
    },
    expectHealthy() {
      const complaints = complaintsOf(flow, store)
      if (complaints.length > 0) throw fault('TEST_UNHEALTHY', complaints.join('; '), { complaints })
    },
    stop: () => tested.stop(),
    [Symbol.asyncDispose]: () => tested.stop(),
  }
}

function collecting(logged: Logged[]): Telemetry {
  return {
    count: () => {},
    record: () => {},
    span: (_name, _fields, run) => run(),
    log: (level, message, fields = {}) => void logged.push({ level, message, fields }),
  }
}
