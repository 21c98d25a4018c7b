/** A plan, some ports, and a start button: what runs an app, whatever stands around it. */
import type { App } from '../define/app.ts'
import type { Env } from '../define/config.ts'
import type { Asking, Serving } from '../define/context.ts'
import { oneOrMore, type Definition } from '../define/definition.ts'
import type { AnyProjection } from '../define/projection.ts'
import type { AnyQuery } from '../define/query.ts'
import type { Replacement } from '../define/resource.ts'
import type { Rows } from '../define/rows.ts'
import { validate } from '../contracts/schema.ts'
import type { Ports } from '../flow/context.ts'
import { openFlow, type Flow } from '../flow/flow.ts'
import type { Settings } from '../flow/settings.ts'
import { fault } from '../kit/fault.ts'
import { promised } from '../kit/thenable.ts'
import { idMint } from '../kit/uuid-v7.ts'
import { compile } from '../plan/compile.ts'
import { lowerFn } from '../plan/lower-fn.ts'
import { lowerProjection } from '../plan/lower-projection.ts'
import type { Plan } from '../plan/plan.ts'
import type { Services } from '../plan/services.ts'
import { RowReader } from '../state/row-reader.ts'
import { appLog } from './app-log.ts'
import type { Door, Doors } from './http-door.ts'
import { keepIndexes } from './kept-indexes.ts'
import { Publishing } from './publishing.ts'
import { openResources, type Opened } from './resources.ts'

export interface RuntimeOptions {
  readonly env?: Env
  readonly replace?: readonly Replacement[]
  readonly settings?: Partial<Settings>
  readonly generation?: number
}

export interface Runtime {
  readonly plan: Plan
  readonly flow: Flow
  readonly door: Door
  readonly doors: Doors
  serving(signal: AbortSignal): Serving
  /** Drains, lets its lanes go, closes its resources; the store stays open. */
  stop(): Promise<void>
}

export function startRuntime(app: App, ports: Ports, options: RuntimeOptions = {}): Promise<Runtime> {
  return promised(() => startPlan(compile(app), ports, options))
}

export async function startPlan(plan: Plan, ports: Ports, options: RuntimeOptions = {}): Promise<Runtime> {
  const opened = await openResources(plan, options.env ?? {}, options.replace ?? [])
  const running = new Running(plan, ports, opened)
  try {
    await running.open(options)
  } catch (thrown) {
    await running.stop().catch(() => {})
    throw thrown
  }
  return running
}

class Running implements Runtime {
  readonly plan: Plan
  readonly doors: Doors
  readonly #ports: Ports
  readonly #opened: Opened
  readonly #readers = new Map<string, RowReader>()
  /** By what the store knows them by. */
  readonly #projections = new Map<string, AnyProjection>()
  #flow: Flow | undefined
  #publishing: Publishing | undefined
  #stopped: Promise<void> | undefined

  constructor(plan: Plan, ports: Ports, opened: Opened) {
    this.plan = plan
    this.doors = { routes: plan.routes, webhooks: plan.webhooks }
    this.#ports = ports
    this.#opened = opened
  }

  async open({ settings, generation }: RuntimeOptions): Promise<void> {
    const services: Services = {
      source: this.plan.name,
      asking: (who, signal) => this.#asking(who, signal),
      late: (subscription, error) => this.#late(subscription, error),
    }
    const subscriptions = [
      ...this.plan.projections.map((projection) => lowerProjection(this.plan, projection, services)),
      ...this.plan.functions.map((fn) => lowerFn(this.plan, fn, services)),
    ]
    const id = idMint(this.#ports.environment)()
    const flow = await openFlow(this.#ports, {
      id,
      subscriptions,
      ...(settings === undefined ? {} : { settings }),
      ...(generation === undefined ? {} : { generation }),
      onCrew: (name, known) => this.#learn(name, known),
      ready: async (context) => keepIndexes(context, this.#projections),
    })
    this.#flow = flow
    this.#publishing = new Publishing(this.plan, flow.context)
  }

  get flow(): Flow {
    if (this.#flow === undefined) throw fault('STORE_CLOSED')
    return this.#flow
  }

  serving(signal: AbortSignal): Serving {
    return {
      ...this.#asking(this.plan.name, () => signal),
      signal,
      publish: (facts, { id } = {}) => promised(() => this.#facts().facts(oneOrMore(facts), id)),
    }
  }

  get door(): Door {
    return {
      publish: async (posted, { id }) => this.#facts().posted(posted, id),
      ask: (query, input, signal) => this.#ask(query, input, signal),
      serving: (signal) => this.serving(signal),
      use: (resource) => this.#opened.use(resource),
      unready: () => (this.#flow === undefined ? ['the store'] : this.#stopped !== undefined ? ['it stops'] : []),
      nowMs: () => this.#ports.environment.nowMs(),
      telemetry: this.#ports.telemetry,
    }
  }

  /** However often it is asked: each waits until it is over. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    try {
      await this.#flow?.stop()
    } finally {
      await this.#opened.close()
    }
  }

  #facts(): Publishing {
    if (this.#publishing === undefined || this.#stopped !== undefined)
      throw fault('STORE_CLOSED', `${this.plan.name} ${this.#stopped === undefined ? 'starts' : 'stops'}`)
    return this.#publishing
  }

  /** Rows are found by what the store knows the projection by. */
  #learn(name: string, known: string): void {
    const projection = this.plan.projections.find((one) => one.name === name)
    if (projection === undefined) return
    this.#readers.set(name, new RowReader(this.#ports.store, projection, known))
    this.#projections.set(known, projection)
  }

  #asking(who: string, signal: () => AbortSignal): Asking {
    const { environment, telemetry } = this.#ports
    return new Asked(signal, {
      log: appLog(telemetry, who),
      now: () => environment.nowMs(),
      use: (resource) => this.#opened.use(resource),
      rows: (of) => this.#rows(of.name) as never,
      ask: (query, input) => this.#ask(query as Definition as AnyQuery, input, signal()) as never,
    })
  }

  #late(subscription: string, error: Error): void {
    const { telemetry } = this.#ports
    telemetry.count('millrace_late_total', 1, { subscription })
    telemetry.log('error', `${error.message}: it has no effect`, { subscription, code: 'TURN_CLOSED', stack: error.stack })
  }

  #rows(projection: string): Rows<Readonly<Record<string, unknown>>, string> {
    const reader = this.#readers.get(projection)
    if (reader === undefined) throw fault('RESOURCE_NOT_LISTED', `projection ${projection}`, { projection })
    return { get: (key) => reader.get(key), find: (what) => reader.find(what), count: (where) => reader.count(where) }
  }

  async #ask(query: AnyQuery, input: unknown, signal: AbortSignal): Promise<unknown> {
    const valid = validate(query.input, input, `query ${query.name}`)
    return query.answer(
      valid,
      this.#asking(query.name, () => signal),
    )
  }
}

/** A class for its getter, which a spread leaves behind: an object literal with one gets a hidden class of its own each time. */
class Asked implements Asking {
  readonly log: Asking['log']
  readonly now: Asking['now']
  readonly use: Asking['use']
  readonly rows: Asking['rows']
  readonly ask: Asking['ask']
  readonly #signal: () => AbortSignal

  constructor(signal: () => AbortSignal, { log, now, use, rows, ask }: Omit<Asking, 'signal'>) {
    this.#signal = signal
    this.log = log
    this.now = now
    this.use = use
    this.rows = rows
    this.ask = ask
  }

  get signal(): AbortSignal {
    return this.#signal()
  }
}
