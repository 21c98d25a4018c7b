/** Takes a lane over: one commit that expects the record as it was read, then all that its owner must know before anything runs. */
import type { Row } from '../ports/store.ts'
import { changeOf } from './change.ts'
import type { FlowContext } from './context.ts'
import type { Crew } from './crew.ts'
import { everyRow } from './every-row.ts'
import { decodeHold, keyOfHold } from './holds.ts'
import { decodeLane, encodeLane, laneKey, type LaneRecord } from './lane-record.ts'
import { OwnedLane } from './owned-lane.ts'

export interface Claimed {
  readonly lane: OwnedLane
  readonly holes: readonly string[]
  /** The owner before did not release it: what it had in flight is under suspicion. */
  readonly unclean: boolean
}

/** `undefined`: somebody else was faster. */
export async function claim(context: FlowContext, crew: Crew, lane: string, row: Row): Promise<Claimed | undefined> {
  const { store } = context
  const before = decodeLane(row.value)
  const record: LaneRecord = { ...before, owner: context.id, epoch: before.epoch + 1, token: context.token() }
  const key = laneKey(crew.id, lane)
  const id = context.changeId()
  const committed = await store.commit(
    changeOf(store, id, { checks: [{ ...key, rev: row.rev }], puts: [{ ...key, value: encodeLane(record) }] }),
  )
  if (!committed.ok) return undefined
  context.clock.note(committed.storeMs)
  const owned = new OwnedLane(context, crew, lane, record, id)
  const unclean = before.owner !== ''
  await load(owned, unclean)
  return { lane: owned, holes: before.holes, unclean }
}

async function load(lane: OwnedLane, unclean: boolean): Promise<void> {
  const { store, settings } = lane.context
  for await (const row of everyRow(store, { kind: 'hold', part: lane.part })) {
    const hold = decodeHold(row)
    const queue = lane.queueOf(keyOfHold(row))
    // A version that the owner before did not know is looked at again.
    queue.hold = hold.state === 'version' ? { ...hold, state: 'ready' } : hold
    if (unclean) queue.suspects = settings.drainRows
    if (hold.state === 'parked') lane.parkedKeys += 1
  }
  const returned = new Set<string>()
  for await (const row of everyRow(store, { kind: 'alive', part: lane.part })) returned.add(row.key)
  for await (const row of everyRow(store, { kind: 'start', part: lane.part })) {
    const starts = (JSON.parse(row.value) as readonly string[]).filter((token) => !returned.has(token))
    lane.starts.set(row.key, starts)
  }
}
