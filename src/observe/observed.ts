/** What is looked at: a store, and the running app where it is at hand. Without one the rows alone must tell. */
import { fault } from '../kit/fault.ts'
import { closest } from '../kit/closest.ts'
import type { Crew } from '../flow/crew.ts'
import type { Deployed } from '../flow/deploy.ts'
import { everyRow } from '../flow/every-row.ts'
import type { Flow } from '../flow/flow.ts'
import { allLanes, decodeLane, laneKey, type LaneRecord } from '../flow/lane-record.ts'
import type { Unit } from '../flow/unit.ts'
import type { Environment } from '../ports/environment.ts'
import type { Row, Scan, Store } from '../ports/store.ts'

export interface Observed {
  readonly store: Store
  readonly environment: Environment
  /** Of the app that runs in this process. */
  readonly flow?: Flow
  /** Where its events come from: an id is looked for there first. */
  readonly sources?: readonly string[]
}

/** A subscription as the store knows it, running or not. */
export interface Known {
  readonly name: string
  readonly id: string
  readonly kind: string
  readonly deployed: Deployed
  /** In a running app of this process. */
  readonly crew: Crew | undefined
}

export interface KnownLane {
  readonly lane: string
  /** As an owner in this process has it in memory, else as it was last written. */
  readonly record: LaneRecord
  readonly unit: Unit | undefined
}

export async function knownSubscriptions(observed: Observed): Promise<readonly Known[]> {
  const crews = new Map(observed.flow?.crews.map((crew) => [crew.id, crew]))
  const known: Known[] = []
  for await (const row of allRows(observed, { kind: 'subscription', part: '' })) {
    const deployed = JSON.parse(row.value) as Deployed
    known.push({ name: row.key, id: deployed.id, kind: deployed.kind, deployed, crew: crews.get(deployed.id) })
  }
  return known
}

/** The one of this name, or the fault that lists those nearest to it. */
export async function subscriptionNamed(observed: Observed, name: string): Promise<Known> {
  const known = await knownSubscriptions(observed)
  const found = known.find((one) => one.name === name)
  if (found !== undefined) return found
  const names = known.map((one) => one.name)
  const near = closest(name, names)
  const there =
    near.length > 0
      ? `did you mean ${near.join(', ')}?`
      : names.length === 0
        ? 'there are none in this store'
        : `there are ${names.slice(0, 20).join(', ')}`
  throw fault('SUBSCRIPTION_UNKNOWN', `'${name}'; ${there}`, { subscription: name, near, known: names.slice(0, 100) })
}

export async function lanesOf({ store, flow }: Observed, known: Known): Promise<readonly KnownLane[]> {
  const names = [...store.limits.lanes.map(({ name }) => name), allLanes]
  const rows = await store.get(names.map((lane) => laneKey(known.id, lane)))
  const units = new Map(
    [...(flow?.units() ?? [])].filter(({ runner }) => runner.lane.crew.id === known.id).map((unit) => [unit.runner.lane.lane, unit]),
  )
  return names.flatMap((lane, i): readonly KnownLane[] => {
    const row = rows[i]
    if (row === undefined) return []
    const unit = units.get(lane)
    const written = decodeLane(row.value)
    if (unit === undefined) return [{ lane, record: written, unit }]
    const { marks, counts } = unit.runner.lane
    return [{ lane, record: { ...written, ...marks.after([]), mark: marks.mark, counts }, unit }]
  })
}

/** The parts of its holds, rows and requests. */
export function partOf(known: Known, lane: string): string {
  return `${known.id}/${lane}`
}

/** The lanes of the store that a lane of a subscription reads. */
export function readBy(store: Store, lane: string): readonly string[] {
  return lane === allLanes ? store.limits.lanes.map(({ name }) => name) : [lane]
}

/** Between two pages of a long look the app goes on: a store may answer without ever letting go of the process. */
export function breathe({ environment }: Observed): Promise<void> {
  return environment.wait(0)
}

/** Between two pages the app goes on. */
export function allRows(observed: Observed, range: Pick<Scan, 'kind' | 'part'> & Partial<Scan>): AsyncGenerator<Row> {
  return everyRow(observed.store, range, () => breathe(observed))
}
