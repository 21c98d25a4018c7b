/** Whoever publishes: through a runtime, again when it was refused or nothing came back, and with all that the checks must know of it. */
import { publishStored } from '../../src/flow/publisher.ts'
import { isFault } from '../../src/kit/fault.ts'
import { slotOf } from '../../src/kit/slot.ts'
import type { Stored } from '../../src/ports/store.ts'
import { simStartMs } from '../../src/testing/sim-world.ts'
import { scheduleLabel, type Cluster } from './cluster.ts'
import type { Body } from './model.ts'
import type { Call, Fact } from './schedule.ts'

export class Clients {
  /** Calls that are not over. */
  open = 0
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  arm(): void {
    for (const call of this.#cluster.schedule.calls) {
      this.open += 1
      this.#cluster.world.after(call.atMs * 1_000, undefined, scheduleLabel, () => this.#call(call, 0))
    }
  }

  #call(call: Call, tries: number): void {
    const cluster = this.#cluster
    const life = cluster.lives[(call.runtime + tries) % cluster.lives.length]
    if (life?.flow === undefined || life.stopping) {
      this.#again(call, tries)
      return
    }
    const { process } = life
    const events = eventsOf(call)
    const data = new Map(events.map((event) => [event.id, event.data]))
    cluster.publishing.called(process, call)
    let over = false
    const ended = (how: () => void): void => {
      if (over) return
      over = true
      try {
        how()
      } catch (thrown) {
        cluster.world.fail(thrown as Error)
      }
    }
    publishStored(life.flow.context, events).then(
      ({ at }) => ended(() => this.#acknowledged(call, data, at)),
      (error: unknown) => ended(() => this.#refused(call, data, tries, error)),
    )
    // Its process may be gone.
    cluster.world.after(8_000_000, undefined, scheduleLabel, () => ended(() => this.#again(call, tries)))
  }

  #acknowledged(call: Call, data: ReadonlyMap<string, string>, at: readonly { readonly position: string }[]): void {
    this.open -= 1
    this.#cluster.publishing.acknowledged(call, data, at)
  }

  #refused(call: Call, data: ReadonlyMap<string, string>, tries: number, error: unknown): void {
    this.#cluster.say(`a publish of ${call.facts.map(({ id }) => id).join(' ')} is refused: ${String(error)}`)
    if (!isFault(error, 'ID_TAKEN')) {
      this.#again(call, tries)
      return
    }
    this.open -= 1
    this.#cluster.coverage.reach('publish differs')
    this.#cluster.publishing.differs(call, data)
  }

  #again(call: Call, tries: number): void {
    const calm = this.#cluster.weather.calm
    if (tries >= call.retries && !(calm && tries < 40)) this.open -= 1
    else this.#cluster.world.after(250_000, undefined, scheduleLabel, () => this.#call(call, tries + 1))
  }
}

export function eventsOf(call: Call): Stored[] {
  return call.facts.map((fact) => eventOf(call, fact))
}

function eventOf({ differs }: Call, { id, number, type, version, key, group, doings }: Fact): Stored {
  const body: Body & { readonly differs?: true } = { number, group, doings, ...(differs ? { differs: true as const } : {}) }
  return {
    tenant: '',
    source: 'sim',
    id,
    type,
    version,
    key,
    slot: slotOf(key),
    time: new Date(simStartMs + number * 1_000).toISOString(),
    data: JSON.stringify(body),
  }
}
