/** One simulated run: the world, its one store, the lives of its runtimes, and everything that the checks know of them. */
import { openFlow, type Flow } from '../../src/flow/flow.ts'
import type { Turn } from '../../src/flow/turn.ts'
import type { Change, Committed } from '../../src/ports/store.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import { SimDisk, type Stage, type Witness } from '../../src/testing/sim-disk.ts'
import { SimEnvironment } from '../../src/testing/sim-environment.ts'
import { SimHints } from '../../src/testing/sim-hints.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import { SimStore } from '../../src/testing/sim-store.ts'
import { SimWorld, simStartMs } from '../../src/testing/sim-world.ts'
import { checkBreakers } from './check-breaker.ts'
import { PublishChecks } from './check-publish.ts'
import type { Slack } from './check-start.ts'
import { storyOf, storyOfRefusal } from './change-story.ts'
import { Contention } from './contention.ts'
import { Coverage } from './coverage.ts'
import type { Checks } from './checks.ts'
import { Deployments, headsOf, plansOf } from './deployments.ts'
import { checkCommit } from './door.ts'
import { FaultTriggers } from './fault-triggers.ts'
import { handlerEnds, handlerStarts, timeIsUp } from './handlers.ts'
import { InFlight } from './in-flight.ts'
import { Journal } from './journal.ts'
import type { Life } from './life.ts'
import { Model, type SubscriptionModel } from './model.ts'
import { operationOf } from './operations.ts'
import { Outcomes } from './outcomes.ts'
import { Owners } from './owners.ts'
import { Parks } from './parks.ts'
import { Mirror } from './rows.ts'
import type { Schedule, SubscriptionPlan } from './schedule.ts'
import { subjectOf, type Stagehand } from './subjects.ts'
import { recordedStarts, deadStarts, startersOf } from './starts.ts'
import { Turns, type TurnView } from './turns.ts'
import { Violation } from './violation.ts'
import { ScheduledWeather } from './weather.ts'

export const pauseLabel = 7
export const scheduleLabel = 8

export class Cluster implements Checks, Witness, Stagehand, Slack {
  readonly schedule: Schedule
  readonly world: SimWorld
  readonly disk: SimDisk
  readonly hints: SimHints
  readonly weather: ScheduledWeather
  readonly journal = new Journal()
  readonly mirror = new Mirror(this.journal)
  readonly model: Model
  readonly turns: Turns
  readonly outcomes: Outcomes
  readonly publishing: PublishChecks
  readonly coverage = new Coverage()
  readonly parks = new Parks()
  readonly contention: Contention
  readonly idle = new Map<string, number>()
  readonly owners = new Owners()
  readonly headsAtOpening = new Map<SimProcess, ReadonlyMap<string, string>>()
  readonly beats = new Map<string, { readonly endedUs: number; readonly lastedUs: number }[]>()
  readonly triggers: FaultTriggers
  /** By runtime: its life now, if it has one. */
  readonly lives: (Life | undefined)[]
  readonly log: string[] | undefined
  repaired = false
  readonly #lifeOf = new Map<SimProcess, Life>()
  readonly #inFlight = new InFlight(this.coverage)
  readonly #times = new Map<string, number>()
  readonly deployments: Deployments
  readonly #knows: number[]
  livesMade = 0

  constructor(schedule: Schedule, log?: string[]) {
    this.schedule = schedule
    this.log = log
    this.world = new SimWorld(schedule.seed)
    this.weather = new ScheduledWeather(schedule, (process, operation, fault) => this.#storeFault(process, operation, fault))
    const { healMs, items, storeSkewMs, gated } = schedule.sky
    const options = { lanes: 4, limits: { healMs, items }, incarnation: `sim-${schedule.seed}`, skewMs: storeSkewMs, gated }
    this.disk = new SimDisk(this.world, this.weather, this, options)
    this.hints = new SimHints(this.disk)
    this.model = new Model(
      schedule.subscriptions,
      this.disk.state.limits.lanes.map(({ name }) => name),
      this.journal,
      (afterMs) => this.instantMs(afterMs),
    )
    this.turns = new Turns(this.world, this.journal, schedule.settings.pulseMs ?? 1_000)
    this.outcomes = new Outcomes(this)
    this.contention = new Contention(schedule)
    this.turns.onTimeUp = (view) => this.#timeIsUp(view)
    this.publishing = new PublishChecks(this)
    this.triggers = new FaultTriggers(this)
    this.deployments = new Deployments(this)
    this.lives = schedule.runtimes.map(() => undefined)
    this.#knows = schedule.runtimes.map(({ knows }) => knows)
  }

  get nowUs(): number {
    return this.world.nowUs
  }

  /** Of the schedule: since the beginning. */
  get nowMs(): number {
    return this.world.nowUs / 1_000
  }

  get storeMs(): number {
    return this.disk.nowMs
  }

  get pausedUs(): number {
    const { healMs, tailUs } = this.schedule.sky
    return (healMs * 2 + 1_500 + (this.schedule.settings.storeRestMs ?? 200) * 3) * 1_000 + tailUs * 6
  }

  runtimeOf(process: SimProcess): string {
    return process.name
  }

  say(text: string): void {
    this.log?.push(`${(this.world.nowUs / 1_000).toFixed(3).padStart(10)} ${text}`)
  }

  // ── lives ──

  /** A supervisor starts it, and again when it does not come up. */
  startRuntime(index: number): void {
    const plan = this.schedule.runtimes[index]
    if (plan === undefined || this.lives[index] !== undefined) return
    const knows = this.deployments.next(this.#knows[index] ?? 1)
    if (knows === undefined) {
      this.world.after(100_000, undefined, scheduleLabel, () => this.startRuntime(index))
      return
    }
    this.livesMade += 1
    const name = `${plan.name}-${String(this.livesMade).padStart(3, '0')}`
    const process = this.world.spawn(name, plan.skewMs)
    const environment = new SimEnvironment(this.world, process, { share: this.schedule.sky.lateWaits, mostUs: 20_000 })
    const life: Life = {
      plan,
      index,
      process,
      store: new SimStore(this.disk, this.hints, process),
      environment,
      knows,
      startedUs: this.world.nowUs,
      flow: undefined,
      stopping: false,
    }
    this.lives[index] = life
    this.#lifeOf.set(process, life)
    this.say(`${name} starts, knows ${life.knows}`)
    this.headsAtOpening.set(process, headsOf(this.model, this.disk.headFlushed))
    const subscriptions = plansOf(this.schedule, life).map((one) => subjectOf(one, process, life.knows, this))
    openFlow(
      { store: life.store, environment, telemetry: this.#telemetry(name) },
      { id: name, subscriptions, settings: this.schedule.settings, generation: life.knows },
    ).then(
      (flow) => this.#opened(life, flow),
      (error: unknown) => this.#notOpened(life, error),
    )
  }

  instantMs(afterMs: number): number {
    return Math.floor(simStartMs + afterMs + this.schedule.sky.storeSkewMs)
  }

  #opened(life: Life, flow: Flow): void {
    life.flow = flow
    for (const plan of plansOf(this.schedule, life)) {
      if (!this.model.byName(plan.name).registered)
        this.world.fail(new Violation('deployed', `${life.process.name} is open, and ${plan.name} is not registered`))
    }
  }

  #notOpened(life: Life, error: unknown): void {
    this.say(`${life.process.name} does not open: ${String(error)}`)
    this.end(life)
    this.world.after(200_000, undefined, scheduleLabel, () => this.startRuntime(life.index))
  }

  /** It exits; where its lanes could not be released, that looks like a death. */
  end(life: Life): void {
    this.world.crash(life.process)
    this.#died(life.process)
    if (this.lives[life.index] === life) this.lives[life.index] = undefined
  }

  #died(process: SimProcess): void {
    this.turns.died(process, recordedStarts(this, process), ({ subscription, seen }) =>
      seen.some((one) => this.mirror.lane(subscription.id, subscription.lane(one))?.owner === process.name),
    )
  }

  crash(process: SimProcess): void {
    const life = this.#lifeOf.get(process)
    if (!process.alive || life === undefined) return
    this.#inFlight.hit('crash', process)
    this.die(life)
    this.world.after(300_000 + process.random.next() * 700_000, undefined, scheduleLabel, () => this.startRuntime(life.index))
  }

  die(life: Life): void {
    this.say(`${life.process.name} dies`)
    this.world.crash(life.process)
    this.#died(life.process)
    if (this.lives[life.index] === life) this.lives[life.index] = undefined
  }

  pauseProcess(life: Life, forMs: number): void {
    if (life.process.state !== 'running') return
    this.say(`${life.process.name} stands still for ${forMs} ms`)
    this.#inFlight.hit('pause', life.process)
    this.world.pause(life.process)
    this.trouble(life.process, forMs)
    this.world.after(forMs * 1_000, undefined, scheduleLabel, () => this.world.resume(life.process))
  }

  cut(restMs: number): void {
    this.say('the power fails')
    this.#inFlight.hitAll('cut')
    const dead = this.world.processes.filter((process) => !process.alive && this.nowUs - this.turns.diedUs(process) < 200_000)
    for (const life of this.lives) if (life !== undefined) this.world.crash(life.process)
    this.disk.cut()
    // What they had in flight is what the store knows of it once it has taken back what was not flushed.
    for (const life of this.lives) if (life !== undefined) this.die(life)
    // Who died just before it had perhaps ended what the cut has opened again.
    for (const process of dead) this.turns.excuse(recordedStarts(this, process))
    this.hints.forget()
    for (const index of this.lives.keys())
      this.world.after(restMs * 1_000 + this.world.random.next() * 200_000, undefined, scheduleLabel, () => this.startRuntime(index))
  }

  jump(life: Life, byMs: number): void {
    this.#inFlight.hit('jump', life.process)
    life.process.skewMs += byMs
  }

  /** Stops as it should, and starts again, with other code where it is given. */
  stopRuntime(life: Life, restMs: number, knows: number | undefined): void {
    if (life.flow === undefined || life.stopping || life.process.state !== 'running') return
    this.say(`${life.process.name} is asked to stop`)
    life.stopping = true
    if (knows !== undefined) this.#knows[life.index] = knows
    void life.flow.stop().then(() => {
      this.say(`${life.process.name} has stopped`)
      this.#checkStopped(life)
      this.end(life)
      this.world.after(restMs * 1_000, undefined, scheduleLabel, () => this.startRuntime(life.index))
    })
  }

  #checkStopped({ process }: Life): void {
    if (this.troubledUs(process) > 0) return
    for (const { id, plan } of this.model.subscriptions) {
      for (const row of this.mirror.of('lane', id)) {
        if (this.mirror.lane(id, row.key)?.owner === process.name)
          this.world.fail(new Violation('stop', `${process.name} has stopped, and owns ${plan.name} in ${row.key}`))
      }
    }
    for (const view of this.turns.running.get(process) ?? []) {
      if (view.turn.open)
        this.world.fail(new Violation('stop', `${process.name} has stopped, and a turn of ${view.subscription.plan.name} is open`))
    }
  }

  /** Who is asked for newer code from now on. */
  upgrade(index: number, knows: number): void {
    this.#knows[index] = knows
  }

  // ── what handlers tell ──

  started(process: SimProcess, plan: SubscriptionPlan, turn: Turn): number {
    return this.#guarded(() => handlerStarts(this, process, this.#lifeOf.get(process), this.model.byName(plan.name), turn))
  }

  /** Nobody is there to catch it. */
  #timeIsUp(view: TurnView): void {
    try {
      timeIsUp(this, view)
    } catch (thrown) {
      this.world.fail(thrown as Error)
    }
  }

  /** Where a rule does not hold the run is over, whoever catches it. */
  #guarded<T>(check: () => T): T {
    try {
      return check()
    } catch (thrown) {
      this.world.fail(thrown as Error)
      throw thrown
    }
  }

  ended(serial: number, how: 'returned' | 'threw', error: unknown): void {
    const view = this.turns.bySerial[serial]
    if (view !== undefined) this.#guarded(() => handlerEnds(this, view, how, error))
  }

  unheard({ name }: SubscriptionPlan): void {
    this.world.fail(new Violation('closed turn', `${name}: what is staged after its time was up gets no fault`))
  }

  pause(process: SimProcess, ms: number): Promise<void> {
    return new Promise((resolve) => void this.world.after(ms * 1_000, process, pauseLabel, resolve))
  }

  times(what: string): number {
    const times = (this.#times.get(what) ?? 0) + 1
    this.#times.set(what, times)
    return times
  }

  // ── what the store tells ──

  nameOf(change: Change): string {
    return operationOf(change, this.mirror)
  }

  stage(process: SimProcess, operation: string, stage: Stage): void {
    if (process.name === 'operator' && operation !== 'ask' && operation !== 'control') return
    if (stage === 'called') this.#inFlight.called(process, operation)
    else if (stage === 'answered') this.#inFlight.answered(process, operation)
    this.triggers.stage(process, operation, stage)
  }

  before(): void {}

  after(process: SimProcess, operation: string, change: Change, committed: Committed): void {
    if (!committed.ok) {
      this.say(`${process.name} ${operation} refused: ${storyOfRefusal(committed)}`)
      return
    }
    this.journal.open(this.disk.applied)
    this.world.note(change.id)
    this.say(`${process.name} ${operation}${this.log === undefined ? '' : storyOf(change, committed)}`)
    this.#guarded(() => {
      this.publishing.stored(process, change)
      if (operation === 'claim') this.owners.claimed(process, change, this.nowUs)
      checkBreakers(this, process, change)
      checkCommit(this, process, change, committed)
    })
  }

  flushed(upTo: number): void {
    this.journal.flushed(upTo)
  }

  cutOff(): void {
    this.journal.cut()
  }

  startersOf(subscription: SubscriptionModel, position: string): readonly SimProcess[] {
    return startersOf(this, subscription, position)
  }

  deadStarts(subscription: SubscriptionModel, position: string): { readonly count: number; readonly silent: boolean } {
    return deadStarts(this, subscription, position)
  }

  // ── trouble ──

  troubledUs(process: SimProcess): number {
    return this.#inFlight.troubledUs(process)
  }

  /** It may be behind for so long. */
  trouble(process: SimProcess, forMs: number): void {
    this.#inFlight.trouble(process, this.world.nowUs + forMs * 1_000)
  }

  #storeFault(process: SimProcess, operation: string, fault: string): void {
    this.say(`${process.name} ${operation} goes wrong: ${fault}`)
    this.coverage.hit(fault, operation)
    this.trouble(process, 3_500)
  }

  #telemetry(name: string): Telemetry {
    return {
      count: (what, by) => {
        for (let at = 0; at < Math.min(by, 1); at++) this.coverage.reach(what)
      },
      record: () => undefined,
      span: (_name, _fields, run) => run(),
      log: (level, message) => {
        if (this.log !== undefined) this.say(`${name} says ${level}: ${message}`)
      },
    }
  }
}
