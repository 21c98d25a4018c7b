/** One event by its id: asked of the sources that are known, else looked for along the log. */
import { closest } from '../kit/closest.ts'
import { fault } from '../kit/fault.ts'
import type { Placed, Position } from '../ports/store.ts'
import { breathe, type Observed } from './observed.ts'

/** So that a question never reads a large log to its end. */
const searchMost = 2_000_000

/** The one of this id. Where several sources gave it, the fault names them. */
export async function findEvent(observed: Observed, id: string, source?: string): Promise<Placed> {
  const { events, near } = await eventsWithId(observed, id, source)
  const [only, ...others] = events
  if (others.length > 0) throw ambiguous(id, events)
  if (only !== undefined) return only
  if (source !== undefined) throw missing(`${id} of ${source}`, [])
  // Whoever types the beginning of an id means the only one that begins so.
  const [like, ...more] = near
  if (like !== undefined && more.length === 0 && like.id.startsWith(id)) return like
  throw missing(
    id,
    near.slice(-5).map((event) => event.id),
  )
}

/** Of the sources that are known, or of the one that is named. Where they have none, of all that the log names; and what looks like it. */
export async function eventsWithId(
  observed: Observed,
  id: string,
  source?: string,
): Promise<{ readonly events: readonly Placed[]; readonly near: readonly Placed[] }> {
  const { store, sources = [] } = observed
  const asked = source === undefined ? [...new Set(sources)] : [source]
  const slices = await store.read(
    asked.map((one) => ({ of: 'id', tenant: '', source: one, id })),
    { events: 1, bytes: Number.MAX_SAFE_INTEGER },
  )
  const known = slices.flatMap(({ events }) => events)
  if (known.length > 0 || source !== undefined) return { events: known, near: [] }
  const events: Placed[] = []
  const near: Placed[] = []
  await searched(observed, '', searchMost, (event) => {
    if (event.id === id) events.push(event)
    else if (looksLike(event.id, id)) near.push(event)
  })
  return { events, near }
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
  })
  return { events, more: read >= most }
}

/** Lane by lane, each from the same place: with a global order that is after it, else its own lane's. */
async function searched(observed: Observed, after: Position, most: number, visit: (event: Placed) => void): Promise<void> {
  const { store } = observed
  let read = 0
  for (const { name } of store.limits.lanes) {
    for (let from = store.limits.order === 'global' ? after : ''; read < most;) {
      const [slice] = await store.read([{ of: 'lane', name, after: from }], { events: 1_000, bytes: 4 * 1_048_576 })
      if (slice === undefined || slice.upTo === from) break
      for (const event of slice.events) {
        read += 1
        visit(event)
        if (read >= most) break
      }
      from = slice.upTo
      await breathe(observed)
    }
  }
}

function ambiguous(id: string, events: readonly Placed[]): Error {
  const sources = events.map(({ source }) => source)
  const which = events.map(({ type, source }) => `${type} from ${source}`).join(', ')
  return fault('EVENT_AMBIGUOUS', `'${id}' is ${which}`, { id, sources })
}

function missing(id: string, near: readonly string[]): Error {
  return fault('EVENT_NOT_FOUND', `'${id}'${near.length > 0 ? `; did you mean ${near.join(', ')}?` : ''}`, { id, near })
}

function looksLike(id: string, wanted: string): boolean {
  return wanted.length > 3 && (id.startsWith(wanted) || (id.length === wanted.length && closest(wanted, [id]).length > 0))
}
