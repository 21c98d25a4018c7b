/** Facts that their event has made: they are valid, and known as such. */
import type { Contract } from './contract.ts'
import type { Fact } from './fact.ts'

/** What the schema gave is kept, and needs no second look; a copy (`{ ...fact }`) is not known, and is validated when it is published. */
export function makeFact<Name extends string, Data>(by: Contract, type: Name, data: Data): Fact<Name, Data> {
  return new Made(by, type, settled(data))
}

/** The event that made it, of whichever version; `undefined` for what is only shaped like a fact. */
export function madeBy(fact: object): Contract | undefined {
  return Made.by(fact)
}

/** Facts are readonly by type; in development and tests they are frozen too (it costs nearly a parse): whoever changes one is told. */
export function freezeFacts(on: boolean): void {
  freezing = on
}

let freezing = false

/** Data that is about to be handed to the app's own code. */
export function settled<T>(data: T): T {
  return freezing ? deepFrozen(data) : data
}

/** A class for its one private field: it can be neither copied nor forged, and costs no look-up. */
class Made<Name extends string, Data> implements Fact<Name, Data> {
  readonly type: Name
  readonly data: Data
  readonly #by: Contract

  constructor(by: Contract, type: Name, data: Data) {
    this.type = type
    this.data = data
    this.#by = by
  }

  static by(fact: object): Contract | undefined {
    return #by in fact ? fact.#by : undefined
  }
}

function deepFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const part of Object.values(value)) deepFrozen(part)
  return value
}
