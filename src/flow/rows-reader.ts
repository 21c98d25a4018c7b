/** Reads the next rows of a held key, and the events that they refer to, through today's code. */
import { isFault } from '../kit/fault.ts'
import type { Cursor, Placed } from '../ports/store.ts'
import { Entry } from './entry.ts'
import { decodeHeld, heldKey, heldRange, type Held } from './holds.ts'
import type { KeyQueue } from './key-queue.ts'
import { lookAt } from './looking.ts'
import type { OwnedLane } from './owned-lane.ts'
import type { Look } from './subscription.ts'

export interface FoundRow {
  readonly entry: Entry
  readonly look: Look
}

/** Asks until the store answers, or the lane is lost. */
export async function readRows(lane: OwnedLane, queue: KeyQueue): Promise<readonly FoundRow[]> {
  const { environment, settings, telemetry } = lane.context
  while (lane.phase !== 'over') {
    try {
      return await readOnce(lane, queue)
    } catch (thrown) {
      telemetry.log(
        'warn',
        `rows of key '${queue.key}' could not be read, trying again: ${isFault(thrown) ? thrown.message : String(thrown)}`,
      )
      await environment.wait(settings.storeRestMs)
    }
  }
  return []
}

async function readOnce(lane: OwnedLane, queue: KeyQueue): Promise<readonly FoundRow[]> {
  const { store, settings } = lane.context
  const range = heldRange(lane.part, queue.key, settings.drainRows)
  // The character after a position in a row's key would be a space: nothing of this key stands between.
  const from = queue.readTo === '' ? range.from : `${heldKey(lane.part, queue.key, queue.readTo).key} `
  const rows = await store.scan({ ...range, from })
  const held = rows.map(decodeHeld)
  if (held.length === 0) return []
  const cursors: Cursor[] = held.map(({ lane: name, position }) => ({ of: 'place', name, at: position }))
  const slices = await store.read(cursors, { events: 1, bytes: settings.readBytes })
  queue.readTo = held.at(-1)?.position ?? queue.readTo
  return held.flatMap((one, i) => {
    const event = slices[i]?.events[0]
    return event === undefined ? [] : [found(lane, queue, event, one)]
  })
}

function found(lane: OwnedLane, queue: KeyQueue, stored: Placed, held: Held): FoundRow {
  const event = held.data === undefined ? stored : { ...stored, data: held.data, parsed: undefined }
  const look = lookAt(lane.crew.subscription, event)
  const suspect = queue.suspects > 0 || lane.starts.has(event.position) || lane.started.has(event.position)
  if (queue.suspects > 0) queue.suspects -= 1
  const entry = new Entry(event, queue.key, look.is === 'run' ? look.parts : [], held, suspect, look.is === 'run' ? look.group : undefined)
  if ((lane.starts.get(event.position)?.length ?? 0) > 0) entry.most = 1
  return { entry, look }
}
