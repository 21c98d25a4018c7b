/**
 * Publishing: a call is all or nothing, calls for one key stand in call order, what is acknowledged is flushed and stays,
 * and an id has one content.
 */
import type { Change } from '../../src/ports/store.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { Journal } from './journal.ts'
import type { Model } from './model.ts'
import type { Call } from './schedule.ts'
import { Violation } from './violation.ts'

interface Log {
  readonly journal: Journal
  readonly model: Model
  readonly disk: { readonly headFlushed: number }
}

interface Made {
  readonly process: SimProcess
  readonly number: number
}

export class PublishChecks {
  readonly #of: Log
  /** Of each fact the calls that brought it. */
  readonly #made = new Map<string, Made[]>()
  /** Calls as they were made, by all of their ids. */
  readonly #whole = new Set<string>()
  /** How many were stored with each. */
  readonly #storedWith = new Map<string, number>()
  /** The latest call of a process for a key that stands. */
  readonly #latest = new Map<string, number>()
  readonly #acknowledged = new Map<string, string>()
  #calls = 0

  constructor(of: Log) {
    this.#of = of
  }

  /** A process calls; facts of other content under known ids are no part of it. */
  called(process: SimProcess, call: Call): void {
    this.#calls += 1
    this.#whole.add(call.facts.map(({ id }) => id).join(' '))
    for (const { id } of call.facts) {
      this.#made.set(id, [...(this.#made.get(id) ?? []), { process, number: this.#calls }])
    }
  }

  stored(process: SimProcess, change: Change): void {
    const made = change.appends.filter(({ event }) => this.#made.has(event.id))
    if (made.length === 0) return
    const ids = made.map(({ event }) => event.id).join(' ')
    if (!this.#whole.has(ids)) throw new Violation('all or nothing', `${ids} are stored, which is no call`)
    for (const { event } of made) {
      this.#of.journal.set(this.#storedWith, event.id, made.length)
      this.#order(process, event.id, event.key)
    }
  }

  /** The newest of the calls that could have brought it must not be older than what stands already. */
  #order(process: SimProcess, id: string, key: string): void {
    const made = (this.#made.get(id) ?? []).filter((one) => one.process === process)
    if (made.length === 0) throw new Violation('publish', `${id} is stored by ${process.name}, which was not asked to`)
    const name = `${process.name} ${key}`
    const newest = Math.max(...made.map(({ number }) => number))
    if (newest < (this.#latest.get(name) ?? 0))
      throw new Violation('call order', `${id} of key ${key} is stored after a later call of ${process.name}`)
    this.#of.journal.set(this.#latest, name, Math.max(this.#latest.get(name) ?? 0, Math.min(...made.map(({ number }) => number))))
  }

  /** `data` as it was published, by id. */
  acknowledged(call: Call, data: ReadonlyMap<string, string>, at: readonly { readonly position: string }[]): void {
    for (const [index, { id }] of call.facts.entries()) {
      const position = at[index]?.position ?? ''
      const seen = this.#of.model.byPosition.get(position)
      if (seen?.event.id !== id)
        throw new Violation('publish', `${id} is acknowledged at ${position}, where ${seen?.event.id ?? 'nothing'} stands`)
      if (Number(position) > this.#of.disk.headFlushed)
        throw new Violation('flushed', `${id} is acknowledged at ${position}, which is not flushed`)
      if (seen.event.data !== data.get(id)) throw new Violation('dedupe', `${id} is acknowledged with other content than stands`)
      const count = this.#storedWith.get(id)
      if (count !== call.facts.length)
        throw new Violation('dedupe', `${id} is acknowledged in a call of ${call.facts.length}, and stands in one of ${count}`)
      this.#acknowledged.set(id, position)
    }
  }

  /** A fault says that another content stands under one of its ids, or another call. */
  differs(call: Call, data: ReadonlyMap<string, string>): void {
    const log = this.#of.model.log
    const same = call.facts.every(
      ({ id }) => this.#storedWith.get(id) === call.facts.length && log.some(({ event }) => event.id === id && event.data === data.get(id)),
    )
    if (same)
      throw new Violation('dedupe', `${call.facts[0]?.id ?? ''} stands as it was published, and its publisher is told that it differs`)
  }

  end(): void {
    const log = new Map(this.#of.model.log.map(({ event }) => [event.id, event.position]))
    for (const [id, position] of this.#acknowledged) {
      if (log.get(id) !== position)
        throw new Violation('acknowledged', `${id} was acknowledged at ${position}, and is ${log.get(id) ?? 'gone'}`)
    }
  }
}
