/** Every attempt that a handler made: who runs beside whom, how it ended, and which failures are of the checker's own making. */
import type { Turn } from '../../src/flow/turn.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { SimWorld } from '../../src/testing/sim-world.ts'
import type { Journal } from './journal.ts'
import type { Seen, SubscriptionModel } from './model.ts'

export interface TurnView {
  readonly serial: number
  readonly process: SimProcess
  readonly subscription: SubscriptionModel
  readonly seen: readonly Seen[]
  readonly keys: ReadonlySet<string>
  readonly turn: Turn
  readonly startedUs: number
  readonly startedOwnUs: number
  /** How long its process had stood still by then. */
  readonly stoodUs: number
  /** The breaker's row said so when it started. */
  readonly breakerOpen: boolean
  /** Of its lane's owner. */
  readonly token: string
  state: 'running' | 'returned' | 'threw' | 'gone'
  /** It returned before its turn was closed. */
  inTime: boolean
  /** Its effects are in the log. */
  committed: boolean
  /** It has been counted as a failure of its own making. */
  counted: boolean
  endedUs: number
  /** When its turn was closed under it, where it goes on after that. */
  closedUs: number | undefined
  closedWhy: string
}

export class Turns {
  readonly bySerial: TurnView[] = []
  /** Still on somebody's stack, by process. */
  readonly running = new Map<SimProcess, Set<TurnView>>()
  /** Ended, not known to be committed, by process: what a crash takes with it. */
  readonly open = new Map<SimProcess, Set<TurnView>>()
  /** Failures that the checker caused, of one event. */
  readonly #failures = new Map<string, number>()
  /** Of these, those from before it was last redriven or edited. */
  readonly #forgiven = new Map<string, number>()
  /** Whether the last time nothing else ran there. */
  readonly #diedAlone = new Map<string, boolean>()
  readonly #diedUs = new Map<SimProcess, number>()
  readonly #world: SimWorld
  readonly #journal: Journal

  readonly #pulseMs: number
  /** Who wants to know whose time is up, as it is. */
  onTimeUp: (view: TurnView) => void = () => undefined

  constructor(world: SimWorld, journal: Journal, pulseMs: number) {
    this.#world = world
    this.#pulseMs = pulseMs
    this.#journal = journal
  }

  start(
    process: SimProcess,
    subscription: SubscriptionModel,
    seen: readonly Seen[],
    turn: Turn,
    breakerOpen: boolean,
    token: string,
    listens: boolean,
  ): TurnView {
    const view: TurnView = {
      serial: this.bySerial.length,
      process,
      subscription,
      seen,
      keys: new Set(turn.taken.map(({ key }) => key)),
      turn,
      startedUs: this.#world.nowUs,
      startedOwnUs: process.ownUs(this.#world.nowUs),
      stoodUs: process.stoodUs,
      breakerOpen,
      token,
      state: 'running',
      inTime: false,
      committed: false,
      counted: false,
      endedUs: 0,
      closedUs: undefined,
      closedWhy: '',
    }
    this.bySerial.push(view)
    if (listens || seen.some(({ body }) => body.doings[subscription.plan.name] !== undefined)) this.#listen(view)
    add(this.running, process, view)
    add(this.open, process, view)
    return view
  }

  /** When its turn is closed under it, and why. */
  #listen(view: TurnView): void {
    const { signal } = view.turn
    const closed = (): void => {
      view.closedUs = this.#world.nowUs
      view.closedWhy = String(signal.reason)
      if (view.closedWhy.includes('its time was up')) this.onTimeUp(view)
    }
    signal.addEventListener('abort', closed, { once: true })
  }

  end(view: TurnView, state: 'returned' | 'threw', counts: boolean): void {
    if (!view.process.alive) return
    view.state = state
    view.inTime = view.turn.open
    view.endedUs = this.#world.nowUs
    this.running.get(view.process)?.delete(view)
    if (state === 'threw' || !view.inTime) this.open.get(view.process)?.delete(view)
    const timedOut = !view.inTime && this.#isTimeUp(view)
    if ((state === 'threw' && view.inTime && counts) || timedOut) this.#count(view)
  }

  /** The process is dead, and what it had in flight with it. `started`: events whose start it had recorded. */
  died(
    process: SimProcess,
    started: readonly { readonly subscription: SubscriptionModel; readonly position: string; readonly replaced: boolean }[],
    owns: (view: TurnView) => boolean,
  ): void {
    this.#diedUs.set(process, this.#world.nowUs)
    this.excuse(started.filter(({ replaced }) => replaced))
    const names = new Set(
      started.filter(({ replaced }) => !replaced).map(({ subscription, position }) => failureName(subscription, position)),
    )
    // Who was replaced meanwhile and dies late accuses nobody: the owner after it was there, and so was its start.
    for (const view of this.open.get(process) ?? []) {
      if (view.committed || !owns(view)) continue
      for (const { event } of view.seen) names.add(failureName(view.subscription, event.position))
    }
    // A handler that goes on after its turn was closed can't be waited for for ever.
    const beside = [...(this.running.get(process) ?? [])].filter((view) => view.turn.open)
    for (const name of names) {
      this.#diedAlone.set(
        name,
        beside.every((view) => view.seen.some(({ event }) => failureName(view.subscription, event.position) === name)),
      )
    }
    for (const view of this.running.get(process) ?? []) {
      // Its time was up, and its failure may be on its way to the store.
      if (this.#isTimeUp(view)) this.#count(view)
      view.state = 'gone'
    }
    this.running.delete(process)
    this.open.delete(process)
  }

  /** Nobody can tell any more what their last death was. */
  excuse(started: readonly { readonly subscription: SubscriptionModel; readonly position: string }[]): void {
    for (const { subscription, position } of started) this.#diedAlone.set(failureName(subscription, position), true)
  }

  committed(view: TurnView): void {
    view.committed = true
    this.open.get(view.process)?.delete(view)
  }

  /** How often it failed for a reason that counts: it threw, or its own time was up. */
  failures(subscription: SubscriptionModel, position: string): number {
    this.countTimeouts(subscription)
    const name = failureName(subscription, position)
    return (this.#failures.get(name) ?? 0) - (this.#forgiven.get(name) ?? 0)
  }

  /** Whether nothing else ran in the process that died last with it. */
  diedAlone(subscription: SubscriptionModel, position: string): boolean {
    return this.#diedAlone.get(failureName(subscription, position)) ?? true
  }

  /** When it died; infinitely late where it lives. */
  diedUs(process: SimProcess): number {
    return this.#diedUs.get(process) ?? Number.POSITIVE_INFINITY
  }

  forgive(subscription: SubscriptionModel, position: string): void {
    this.countTimeouts(subscription)
    const name = failureName(subscription, position)
    this.#journal.set(this.#forgiven, name, this.#failures.get(name) ?? 0)
  }

  /** Of a subscription in one process: those that go on after their time and their grace. */
  abandoned(process: SimProcess, subscription: SubscriptionModel): number {
    const graceUs = subscription.plan.policy.graceMs * 1_000
    return this.of(process, subscription).filter(
      (view) => !view.turn.open && view.closedUs !== undefined && this.#world.nowUs - view.closedUs > graceUs + 50_000,
    ).length
  }

  of(process: SimProcess, subscription: SubscriptionModel): TurnView[] {
    const views: TurnView[] = []
    for (const view of this.running.get(process) ?? []) if (view.subscription === subscription) views.push(view)
    return views
  }

  ownMs(view: TurnView): number {
    return (view.process.ownUs(this.#world.nowUs) - view.startedOwnUs) / 1_000
  }

  /** Whoever has run for its whole time has failed, though it may not have ended. */
  countTimeouts(subscription: SubscriptionModel): void {
    for (const views of this.running.values()) {
      for (const view of views) {
        if (view.subscription === subscription && !view.counted && this.#isTimeUp(view)) this.#count(view)
      }
    }
  }

  /** A standstill is noticed to a pulse and a quarter of a second; where there was none, to a millisecond. */
  #isTimeUp(view: TurnView): boolean {
    const coarseMs = view.process.stoodUs === view.stoodUs ? 1 : this.#pulseMs + 260
    return this.ownMs(view) >= view.subscription.plan.policy.timeoutMs - coarseMs
  }

  #count(view: TurnView): void {
    if (view.counted) return
    view.counted = true
    // A batch that fails is halved, uncounted: only who is alone in it has had an attempt.
    const [only] = view.seen
    if (view.seen.length === 1 && only !== undefined) bump(this.#failures, failureName(view.subscription, only.event.position))
  }
}

function failureName(subscription: SubscriptionModel, position: string): string {
  return `${subscription.plan.name} ${position}`
}

function bump(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1)
}

function add<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const there = map.get(key)
  if (there === undefined) map.set(key, new Set([value]))
  else there.add(value)
}
