/**
 * Operators: they pause and resume, redrive, edit and discard what is held, ask for what is not there, and repeat it until
 * the store has it.
 */
import { leaveRequest, setControl, type Request } from '../../src/flow/requests.ts'
import { SimStore } from '../../src/testing/sim-store.ts'
import { scheduleLabel, type Cluster } from './cluster.ts'
import type { SubscriptionModel } from './model.ts'
import type { Act } from './schedule.ts'
import { doingOf } from './subjects.ts'

interface HeldKey {
  readonly subscription: SubscriptionModel
  readonly lane: string
  readonly key: string
  readonly state: string
}

export class Operators {
  readonly #cluster: Cluster
  readonly #store: SimStore
  #asked = 0

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.#store = this.#connect()
  }

  arm(): void {
    for (const act of this.#cluster.schedule.acts)
      this.#cluster.world.after(act.atMs * 1_000, undefined, scheduleLabel, () => this.#act(act))
  }

  /** Everything runs again. */
  resumeAll(): void {
    for (const { id, registered } of this.#cluster.model.subscriptions) if (registered) this.#control(id, false)
  }

  /** A subscription pauses itself at its cap of parked keys. */
  resumePaused(): void {
    for (const { id } of this.#cluster.model.subscriptions) {
      const row = this.#cluster.mirror.get('control', '', id)
      if (row !== undefined && (JSON.parse(row.value) as { paused: boolean }).paused && this.#cluster.nowUs - row.atUs > 500_000)
        this.#control(id, false)
    }
  }

  /** Whatever is parked is redriven, and what no attempt can help is discarded; once, by who repaired the code. */
  redriveAll(): void {
    for (const held of this.heldKeys()) {
      if (held.state !== 'parked' || this.#pending(held)) continue
      const head = held.subscription.head(held.key)
      const broken = head !== undefined && doingOf(held.subscription.plan, head.body)?.do === 'broken'
      if (broken) this.#request(held, { op: 'discard', key: held.key, position: head.event.position, by: 'repair', atMs: 0 })
      else this.#request(held, { op: 'redrive', key: held.key, by: 'repair', atMs: 0 })
    }
  }

  /** Where a subscription stands, the event is discarded. */
  discardStanding(): void {
    for (const subscription of this.#cluster.model.subscriptions) {
      if (subscription.standsAt(this.#cluster.model.log) === undefined) continue
      const held = { subscription, lane: '*', key: '', state: '' }
      const pending = this.#cluster.mirror.count('request', `${subscription.id}/*`) > 0
      if (!pending) this.#request(held, { op: 'discard', by: 'repair', atMs: 0 })
    }
  }

  heldKeys(): HeldKey[] {
    const { model, mirror } = this.#cluster
    const found: HeldKey[] = []
    for (const subscription of model.subscriptions) {
      for (const lane of mirror.of('lane', subscription.id)) {
        const part = `${subscription.id}/${lane.key}`
        for (const row of mirror.of('hold', part))
          found.push({ subscription, lane: lane.key, key: row.key, state: mirror.hold(part, row.key)?.state ?? '' })
      }
    }
    return found
  }

  #act(act: Act): void {
    const subscription = this.#cluster.model.byName(act.subscription)
    if (!subscription.registered) return
    if (act.op === 'pause') {
      this.#control(subscription.id, true)
      this.#cluster.world.after(act.forMs * 1_000, undefined, scheduleLabel, () => this.#control(subscription.id, false))
      return
    }
    const held = this.heldKeys().filter((one) => one.subscription === subscription)
    if (act.op === 'stray' || held.length === 0) {
      const lane = subscription.plan.merged ? '*' : [...this.#cluster.model.lanes.keys()][act.which % 4]
      this.#request({ subscription, lane: lane ?? '', key: 'nobody', state: '' }, { op: 'redrive', key: 'nobody', by: 'stray', atMs: 0 })
      return
    }
    const chosen = act.all ? held : [held[act.which % held.length] ?? held[0]]
    for (const one of chosen) if (one !== undefined) this.#ask(one, act.op, act.which)
  }

  #ask(held: HeldKey, op: 'redrive' | 'discard' | 'edit', which: number): void {
    const { subscription, key } = held
    const rows = (subscription.queues.get(key) ?? []).filter(({ event }) => subscription.status.get(event.position) === 'row')
    const one = rows[which % 3] ?? rows[0]
    if (op === 'redrive' || one === undefined) this.#request(held, { op: 'redrive', key, by: 'operator', atMs: 0 })
    else if (op === 'discard')
      this.#request(held, { op: 'discard', key, ...(which % 4 === 3 ? {} : { position: one.event.position }), by: 'operator', atMs: 0 })
    // Projections can't be edited.
    else if (subscription.plan.kind === 'fn') {
      const data = JSON.stringify({ ...one.body, doings: {} })
      this.#request(held, { op: 'edit', key, position: one.event.position, data, by: 'operator', atMs: 0 })
    }
  }

  #pending({ subscription, lane, key }: HeldKey): boolean {
    for (const row of this.#cluster.mirror.of('request', `${subscription.id}/${lane}`))
      if ((JSON.parse(row.value) as Request).key === key) return true
    return false
  }

  #request({ subscription, lane }: HeldKey, request: Request): void {
    const id = this.#id()
    this.#cluster.say(`an operator asks: ${subscription.plan.name} in ${lane}: ${JSON.stringify(request).slice(0, 120)}`)
    leaveRequest(this.#store, id, subscription.id, lane, request).catch(() => undefined)
  }

  #control(id: string, paused: boolean): void {
    this.#cluster.say(`an operator ${paused ? 'pauses' : 'resumes'} ${id}`)
    setControl(this.#store, this.#id(), id, { paused, by: 'operator', atMs: 0 }).catch(() =>
      this.#cluster.world.after(500_000, undefined, scheduleLabel, () => this.#control(id, paused)),
    )
  }

  #id(): string {
    this.#asked += 1
    return `operator-${String(this.#asked).padStart(6, '0')}`
  }

  #connect(): SimStore {
    return new SimStore(this.#cluster.disk, this.#cluster.hints, this.#cluster.world.spawn('operator', 0))
  }
}
