/**
 * How a stored event becomes today's facts.
 *
 *   (type, version, data) ──version known──▶ up, from version to version ──▶ today's shape ──▶ one fact
 *                       │                                                        └──becomes──▶ several, of other events
 *                       ├──newer than any known──▶ wait for code that knows it
 *                       └──no way from it, or the way fails──▶ a fault: no attempt can help
 */
import { asError, fault, isFault, type Fault } from '../kit/fault.ts'
import type { Stored } from '../ports/store.ts'
import type { Contract, Split, Upcast } from './contract.ts'
import type { Fact } from './fact.ts'
import { madeBy, settled } from './made-fact.ts'
import { validate } from './schema.ts'

export type Reading =
  /** None where the event has become others, of which nothing is wanted. */
  | {
      readonly is: 'facts'
      readonly facts: readonly Fact[]
      /** Of each, where the event has become others: its number among all of them, so that it keeps it whatever else is wanted. */
      readonly places?: readonly string[]
    }
  | { readonly is: 'newer'; readonly why: string }
  | { readonly is: 'fault'; readonly fault: Fault }

export interface Reader {
  /** As stored: those that come to a wanted event, through versions, former names and splits. */
  readonly types: ReadonlySet<string>
  /** `data` as parsed. Of the current version it was validated when it was published, and is not again. */
  read(type: string, version: number, data: unknown): Reading
  /** Parses too, where that has not been done. */
  readStored(event: Pick<Stored, 'type' | 'version' | 'data' | 'parsed'>): Reading
}

/** `known`: all events of the app, among them those that have become wanted ones. */
export function reading(wanted: readonly Contract[], known: readonly Contract[] = wanted): Reader {
  const today = [...newest([...known, ...newest(wanted).values()]).values()]
  const ways = waysInto(new Set(wanted.map((contract) => contract.type)), today)
  const read = (type: string, version: number, data: unknown): Reading => {
    try {
      return readBy(ways, type, version, data)
    } catch (error) {
      return {
        is: 'fault',
        fault: isFault(error) ? error : fault('UPCAST_FAILED', `${type} ${version}: ${asError(error).message}`, { type, version }, error),
      }
    }
  }
  return {
    types: new Set(ways.keys()),
    read,
    readStored(event) {
      if (event.parsed !== undefined) return read(event.type, event.version, event.parsed)
      const decoded = decode(event)
      return decoded.is === 'fault' ? decoded : read(event.type, event.version, decoded.data)
    },
  }
}

/** From one stored version to today's event. */
interface Way {
  readonly ups: readonly Upcast[]
  readonly into: Contract
  readonly split: Split | undefined
}

interface Ways {
  readonly newest: number
  readonly byVersion: ReadonlyMap<number, Way>
}

function readBy(ways: ReadonlyMap<string, Ways>, type: string, version: number, data: unknown): Reading {
  const known = ways.get(type)
  if (known === undefined) return { is: 'facts', facts: [] }
  const way = known.byVersion.get(version)
  if (way === undefined && version > known.newest)
    return { is: 'newer', why: `${type} has version ${version}, and this code knows ${known.newest}` }
  if (way === undefined) throw fault('VERSION_UNKNOWN', `${type}: no way from version ${version}`, { type, version })
  const current = way.ups.length === 0 ? data : raised(way, type, version, data)
  if (way.split === undefined) return { is: 'facts', facts: [{ type: way.into.type, data: settled(current) }] }
  return partsOf(ways, way.into, way.split, current)
}

function raised(way: Way, type: string, version: number, data: unknown): unknown {
  const current = way.ups.reduce((old, upcast) => ran(`${type} ${version}`, () => upcast.up(settled(old))), data)
  return validate(way.into.schema, current, `${type} ${version}, brought to ${way.into.version}`)
}

/** A part may itself be of an older version, or have become others. */
function partsOf(ways: ReadonlyMap<string, Ways>, from: Contract, split: Split, data: unknown): Reading {
  const facts: Fact[] = []
  const places: string[] = []
  for (const [at, part] of ran(`${from.type} becomes`, () => split.split(settled(data))).entries()) {
    const by = madeBy(part)
    const into = by ?? split.into.findLast((contract) => contract.type === part.type)
    if (into === undefined)
      throw fault('UPCAST_FAILED', `${from.type} becomes ${part.type}, which is not in its list`, { type: from.type, part: part.type })
    const checked = by === undefined ? validate(into.schema, part.data, `${from.type}, become ${into.type}`) : part.data
    const read = readBy(ways, into.type, into.version, checked)
    if (read.is !== 'facts') return read
    facts.push(...read.facts)
    places.push(...(read.places?.map((place) => `${at}.${place}`) ?? read.facts.map(() => String(at))))
  }
  return { is: 'facts', facts, places }
}

/** The app's own code: whatever it throws is its fault, not the data's. */
function ran<T>(what: string, code: () => T): T {
  try {
    return code()
  } catch (error) {
    throw fault('UPCAST_FAILED', `${what}: ${asError(error).message}`, { what }, error)
  }
}

/** By stored type. Grows until nothing more is found that becomes something found. */
function waysInto(names: ReadonlySet<string>, today: readonly Contract[]): ReadonlyMap<string, Ways> {
  const ways = new Map<string, { newest: number; byVersion: Map<number, Way> }>()
  let left = today
  for (;;) {
    const found = left.filter((contract) => names.has(contract.type) || contract.becomes()?.into.some((part) => ways.has(part.type)))
    if (found.length === 0) return ways
    left = left.filter((contract) => !found.includes(contract))
    for (const contract of found) {
      refuseCircle(contract, today)
      for (const [at, way] of wayOf(contract)) {
        const known = ways.get(at.type) ?? { newest: 0, byVersion: new Map<number, Way>() }
        known.byVersion.set(at.version, way)
        ways.set(at.type, { newest: Math.max(known.newest, at.version), byVersion: known.byVersion })
      }
    }
  }
}

/** Of this version and of all before it. */
function wayOf(into: Contract): readonly (readonly [Contract, Way])[] {
  const split = into.becomes()
  const found: (readonly [Contract, Way])[] = []
  let ups: readonly Upcast[] = []
  for (let at: Contract | undefined = into; at !== undefined; at = at.upcast?.before) {
    found.push([at, { ups, into, split }])
    if (at.upcast !== undefined) ups = [at.upcast, ...ups]
  }
  return found
}

function refuseCircle(contract: Contract, today: readonly Contract[], behind: readonly string[] = []): void {
  if (behind.includes(contract.type))
    throw fault('OPTION_INVALID', `event ${contract.type}: becomes: comes back to itself by ${behind.join(', ')}`, {
      what: `event ${contract.type}`,
      option: 'becomes',
    })
  for (const part of contract.becomes()?.into ?? []) {
    const next = today.find((other) => other.type === part.type)
    if (next !== undefined) refuseCircle(next, today, [...behind, contract.type])
  }
}

/** Of each type the highest version; of equals the last. */
function newest(contracts: readonly Contract[]): ReadonlyMap<string, Contract> {
  const found = new Map<string, Contract>()
  for (const contract of contracts) {
    const other = found.get(contract.type)
    if (other === undefined || other.version <= contract.version) found.set(contract.type, contract)
  }
  return found
}

function decode({
  type,
  version,
  data,
}: Pick<Stored, 'type' | 'version' | 'data'>): { readonly is: 'data'; readonly data: unknown } | Extract<Reading, { is: 'fault' }> {
  try {
    return { is: 'data', data: JSON.parse(data) }
  } catch (error) {
    return { is: 'fault', fault: fault('EVENT_UNREADABLE', `${type} ${version}`, { type, version }, error) }
  }
}
