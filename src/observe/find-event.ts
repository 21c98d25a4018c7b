/** One event by its id: asked of the sources that are known, else looked for along the log. */
import { closest } from '../kit/closest.ts'
import { fault } from '../kit/fault.ts'
import type { Placed, Position } from '../ports/store.ts'
import { breathe, type Observed } from './observed.ts'

/** So that a question never reads a large log to its end. */
const searchMost = 2_000_000

export async function findEvent(observed: Observed, id: string, source?: string): Promise<Placed> {
  const { store, sources = [] } = observed
  const asked = source === undefined ? sources : [source]
  const slices = await store.read(
    asked.map((one) => ({ of: 'id', tenant: '', source: one, id })),
    { events: 1, bytes: Number.MAX_SAFE_INTEGER },
  )
  for (const { events } of slices) for (const event of events) return event
  if (source !== undefined) throw missing(`${id} of ${source}`, [])
  const near: Placed[] = []
  const found = await searched(observed, '', searchMost, (event) => {
    if (event.id !== id && looksLike(event.id, id)) near.push(event)
    return event.id === id
  })
  if (found !== undefined) return found
  const [only, ...others] = near
  // Whoever types the beginning of an id means the only one that begins so.
  if (only !== undefined && others.length === 0 && only.id.startsWith(id)) return only
  throw missing(
    id,
    near.slice(-5).map((event) => event.id),
  )
}

/** What it caused, as far as the log tells soon after it; `more` where it was not read to its end. */
export async function causedBy(
  observed: Observed,
  event: Placed,
  most: number,
): Promise<{ readonly events: readonly Placed[]; readonly more: boolean }> {
  const events: Placed[] = []
  let read = 0
  await searched(observed, event.position, most, (other) => {
    read += 1
    if (other.cause === event.id) events.push(other)
    return false
  })
  return { events, more: read >= most }
}

/** Lane by lane, each from the same place: with a global order that is after it, else its own lane's. */
async function searched(
  observed: Observed,
  after: Position,
  most: number,
  wanted: (event: Placed) => boolean,
): Promise<Placed | undefined> {
  const { store } = observed
  let read = 0
  for (const { name } of store.limits.lanes) {
    for (let from = store.limits.order === 'global' ? after : ''; read < most;) {
      const [slice] = await store.read([{ of: 'lane', name, after: from }], { events: 1_000, bytes: 4 * 1_048_576 })
      if (slice === undefined || slice.upTo === from) break
      for (const event of slice.events) {
        read += 1
        if (wanted(event)) return event
        if (read >= most) break
      }
      from = slice.upTo
      await breathe(observed)
    }
  }
  return undefined
}

function missing(id: string, near: readonly string[]): Error {
  return fault('EVENT_NOT_FOUND', `'${id}'${near.length > 0 ? `; did you mean ${near.join(', ')}?` : ''}`, { id, near })
}

function looksLike(id: string, wanted: string): boolean {
  return wanted.length > 3 && (id.startsWith(wanted) || (id.length === wanted.length && closest(wanted, [id]).length > 0))
}
