/** Start rows: what a dead process had recorded of its starts, and which of them a death ended. */
import type { SimProcess } from '../../src/testing/sim-process.ts'
import type { Model, SubscriptionModel } from './model.ts'
import type { Mirror } from './rows.ts'

export interface Started {
  readonly subscription: SubscriptionModel
  readonly position: string
  /** It was replaced since, and could not take it back. */
  readonly replaced: boolean
}

interface Where {
  readonly model: Model
  readonly mirror: Mirror
  readonly ownerOf: ReadonlyMap<string, SimProcess>
  readonly nowUs: number
  readonly turns: { diedUs(process: SimProcess): number }
  troubledUs(process: SimProcess): number
}

/** Events whose start a process has recorded, and not their end. */
export function recordedStarts({ model, mirror, ownerOf }: Where, process: SimProcess): Started[] {
  const found: Started[] = []
  for (const subscription of model.subscriptions) {
    for (const lane of mirror.of('lane', subscription.id)) {
      const record = mirror.lane(subscription.id, lane.key)
      for (const row of mirror.of('start', `${subscription.id}/${lane.key}`)) {
        const last = tokensOf(row.value).at(-1) ?? ''
        if (ownerOf.get(last) === process) found.push({ subscription, position: row.key, replaced: record?.token !== last })
      }
    }
  }
  return found
}

/**
 * Starts of an event by owners that are dead, or live, were replaced, and cannot be heard of yet. `silent`: nobody could
 * know that a death did not end the last of them.
 */
export function deadStarts(
  where: Where,
  subscription: SubscriptionModel,
  position: string,
): { readonly count: number; readonly silent: boolean } {
  const { model, mirror, ownerOf, nowUs } = where
  const seen = model.byPosition.get(position)
  if (seen === undefined) return none
  const row = mirror.get('start', `${subscription.id}/${subscription.lane(seen)}`, position)
  if (row === undefined) return none
  const owners = tokensOf(row.value).map((token) => ownerOf.get(token))
  const counted = owners.filter((process) => {
    return process?.alive !== true || nowUs - Math.max(row.atUs, where.troubledUs(process)) < 3_000_000
  })
  const last = owners.at(-1)
  // On its way when its owner died: it was alone there, and had not run.
  const posthumous = last !== undefined && where.turns.diedUs(last) <= row.atUs
  return { count: counted.length, silent: posthumous || counted.some((process) => process?.alive === true) }
}

const none = { count: 0, silent: false }

function tokensOf(value: string): readonly string[] {
  return JSON.parse(value) as readonly string[]
}
