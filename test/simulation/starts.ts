/** Start rows: what a dead process had recorded of its starts, and which of them a death ended. */
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { Model, SubscriptionModel } from './model.ts'
import type { Owners } from './owners.ts'
import { unitOf, type Mirror, type MirrorRow } from './rows.ts'

export interface Started {
  readonly subscription: SubscriptionModel
  readonly position: string
  /** It was replaced since, and could not take it back. */
  readonly replaced: boolean
}

interface Where {
  readonly model: Model
  readonly mirror: Mirror
  readonly owners: Owners
  readonly nowUs: number
  readonly turns: { diedUs(process: SimProcess): number }
  troubledUs(process: SimProcess): number
}

/** Events whose start a process has recorded, and not their end. */
export function recordedStarts({ model, mirror, owners }: Where, process: SimProcess): Started[] {
  const found: Started[] = []
  for (const subscription of model.subscriptions) {
    for (const lane of mirror.of('lane', subscription.id)) {
      const record = mirror.lane(subscription.id, lane.key)
      for (const row of mirror.of('start', `${subscription.id}/${lane.key}`)) {
        const last = tokensOf(row.value).at(-1) ?? ''
        if (owners.of(last) === process) found.push({ subscription, position: row.key, replaced: record?.token !== last })
      }
    }
  }
  return found
}

/** Who has recorded a start of the event, as its row stands. */
export function startersOf(where: Where, subscription: SubscriptionModel, position: string): readonly SimProcess[] {
  const row = startRow(where, subscription, position)
  return row === undefined ? [] : tokensOf(row.value).flatMap((token) => where.owners.of(token) ?? [])
}

/**
 * Starts of an event by owners that are dead, or live, were replaced, and cannot be heard of yet; none that was taken back
 * before the lane's owner came. `silent`: nobody could know that a death did not end the last of them.
 */
export function deadStarts(
  where: Where,
  subscription: SubscriptionModel,
  position: string,
): { readonly count: number; readonly silent: boolean } {
  const { owners, nowUs } = where
  const row = startRow(where, subscription, position)
  if (row === undefined) return none
  const starters = tokensOf(row.value)
    .filter((token) => !takenBack(where, row.part, token))
    .map((token) => owners.of(token))
  const counted = starters.filter((process) => {
    return process?.alive !== true || nowUs - Math.max(row.atUs, where.troubledUs(process)) < 3_000_000
  })
  const last = starters.at(-1)
  // On its way when its owner died: it was alone there, and had not run.
  const posthumous = last !== undefined && where.turns.diedUs(last) <= row.atUs
  return { count: counted.length, silent: posthumous || counted.some((process) => process?.alive === true) }
}

const none = { count: 0, silent: false }

function startRow({ model, mirror }: Where, subscription: SubscriptionModel, position: string): MirrorRow | undefined {
  const seen = model.byPosition.get(position)
  return seen === undefined ? undefined : mirror.get('start', `${subscription.id}/${subscription.lane(seen)}`, position)
}

/** Its owner has said that it lives before the lane was claimed by who owns it now. */
function takenBack({ mirror, owners }: Where, part: string, token: string): boolean {
  const alive = mirror.get('alive', part, token)
  const { id, lane } = unitOf(part)
  return alive !== undefined && alive.atUs < (owners.claimedUs(mirror.lane(id, lane)?.token ?? '') ?? 0)
}

function tokensOf(value: string): readonly string[] {
  return JSON.parse(value) as readonly string[]
}
