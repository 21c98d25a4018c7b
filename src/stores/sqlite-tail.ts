/**
 * What this process committed, handed on. A segment is one flushed group; each knows the next, and how many readers stand at it:
 *
 *   oldest ─▶ segment ─▶ segment ─▶ segment ◀─ last
 *      reader a ──┘        reader b ──┘
 *
 * What the last reader has passed is dropped at once: in a chain that is only forgotten, old dead segments keep young ones alive, and
 * collection costs more than a read.
 *
 * A reader that falls too far behind is cut off, and reads the store until it is at the head again. So is one whose cursor was thrown away.
 */
import type { Cursor, Lane, Placed, Slice } from '../ports/store.ts'
import { laneOfSlot } from './lane-ranges.ts'
import type { ReadLimit } from './sqlite-reads.ts'

/** Events that may wait in memory for the slowest reader. */
const behindMax = 20_000

class Segment {
  /** By index of the lane; of one lane it is the group itself. */
  lanes: readonly (readonly Placed[])[]
  /** Cursors that stand at it. */
  readers = 0
  /** Events handed on, this segment's included, since the store was opened. */
  readonly total: number
  readonly last: string
  readonly #byType: (Map<string, Placed[]> | undefined)[] = []
  /** Of another one than the tail's it may hold what has been trimmed. */
  readonly generation: number
  next: Segment | undefined
  /** What comes after it is to be read from the store. */
  cut = false

  constructor(lanes: readonly (readonly Placed[])[], last: string, generation: number, total: number) {
    this.total = total
    this.lanes = lanes
    this.last = last
    this.generation = generation
  }

  drop(): void {
    this.cut = true
    this.next = undefined
    this.lanes = []
  }

  /** Shared by all readers that want the same: nobody writes to it. */
  wanted(lane: number, types: ReadonlySet<string> | undefined): readonly Placed[] {
    const events = this.lanes[lane] ?? []
    if (types === undefined || events.length === 0) return events
    const byType = (this.#byType[lane] ??= groupByType(events))
    if (types.size >= byType.size && [...byType.keys()].every((type) => types.has(type))) return events
    let only: readonly Placed[] | undefined
    for (const [type, ofType] of byType) {
      if (!types.has(type)) continue
      if (only !== undefined) return events.filter((event) => types.has(event.type))
      only = ofType
    }
    return only ?? []
  }
}

/** A cursor that knows where in the chain it stands. */
class TailCursor {
  readonly of = 'lane'
  readonly name: string
  readonly after: string
  readonly types?: ReadonlySet<string>
  readonly #segment: Segment
  #stands = true

  constructor(name: string, after: string, types: ReadonlySet<string> | undefined, segment: Segment) {
    segment.readers++
    this.name = name
    this.after = after
    if (types !== undefined) this.types = types
    this.#segment = segment
  }

  static segmentOf(cursor: Cursor): Segment | undefined {
    return cursor instanceof TailCursor ? cursor.#segment : undefined
  }

  /** Its reader goes on with another. */
  static leave(cursor: Cursor): void {
    if (!(cursor instanceof TailCursor) || !cursor.#stands) return
    cursor.#stands = false
    cursor.#segment.readers--
  }
}

export class Tail {
  readonly #lanes: readonly Lane[]
  readonly #laneOf: Uint16Array
  readonly #index: ReadonlyMap<string, number>
  #oldest: Segment
  #last: Segment
  #generation = 0

  constructor(lanes: readonly Lane[], head: string) {
    this.#lanes = lanes
    this.#laneOf = laneOfSlot(lanes)
    this.#index = new Map(lanes.map(({ name }, at) => [name, at]))
    this.#last = new Segment([], head, 0, 0)
    this.#oldest = this.#last
  }

  /** A flushed group. The events are in the order of their positions. */
  add(events: readonly Placed[]): void {
    const newest = events.at(-1)
    if (newest === undefined) return
    const segment = new Segment(
      this.#lanes.length === 1 ? [events] : this.#split(events),
      newest.position,
      this.#generation,
      this.#last.total + events.length,
    )
    this.#last.next = segment
    this.#last = segment
    this.#drop()
  }

  /** Events went: what was handed on may hold some of them. */
  restart(head: string): void {
    this.#generation++
    this.#last = new Segment([], head, this.#generation, this.#last.total)
    this.#oldest = this.#last
  }

  /** What comes after a cursor that `next` gave, or `undefined` where the store has to be read. */
  read(cursor: Cursor, limit: ReadLimit, storeMs: number, firsts: readonly string[]): Slice | undefined {
    const from = TailCursor.segmentOf(cursor)
    if (from === undefined || cursor.of !== 'lane' || from.cut || from.generation !== this.#generation) return undefined
    const lane = this.#index.get(cursor.name) ?? 0
    let at = from
    let after = cursor.after
    let events: readonly Placed[] = []
    let bytes = 0
    for (;;) {
      const wanted = behind(at.wanted(lane, cursor.types), after, at.last)
      const fit = howMany(wanted, limit, events.length, bytes)
      if (fit > 0) events = events.length === 0 && fit === wanted.length ? wanted : [...events, ...wanted.slice(0, fit)]
      if (fit < wanted.length) {
        after = events.at(-1)?.position ?? after
        break
      }
      for (const { data } of wanted) bytes += data.length
      if (at.last > after) after = at.last
      if (events.length >= limit.events) after = events.at(-1)?.position ?? cursor.after
      if (at.next === undefined || events.length >= limit.events) break
      at = at.next
      if (at.cut) break
    }
    const next = new TailCursor(cursor.name, after, cursor.types, at)
    TailCursor.leave(cursor)
    this.#drop()
    return { events, upTo: after, first: firsts[lane] ?? '', storeMs, next }
  }

  /** A reader of the store has come to the head: from here on it is handed what comes. */
  join(slice: Slice): Slice {
    const { next } = slice
    if (next.of !== 'lane' || slice.upTo !== this.#last.last || next.types?.size === 0) return slice
    return { ...slice, next: new TailCursor(next.name, next.after, next.types, this.#last) }
  }

  #split(events: readonly Placed[]): readonly (readonly Placed[])[] {
    const lanes: Placed[][] = this.#lanes.map(() => [])
    for (const event of events) lanes[this.#laneOf[event.slot] ?? 0]?.push(event)
    return lanes
  }

  /** What nobody stands at any more, and what is too far behind. */
  #drop(): void {
    const { total } = this.#last
    while (this.#oldest !== this.#last && (this.#oldest.readers === 0 || total - this.#oldest.total > behindMax)) {
      const { next } = this.#oldest
      this.#oldest.drop()
      if (next === undefined) break
      this.#oldest = next
    }
  }
}

/** Without those up to `after`, where a reader has taken a part. */
function behind(events: readonly Placed[], after: string, last: string): readonly Placed[] {
  const first = events[0]
  if (first === undefined || first.position > after) return events
  return after >= last ? [] : events.filter(({ position }) => position > after)
}

function howMany(events: readonly Placed[], limit: ReadLimit, taken: number, bytesTaken: number): number {
  let bytes = bytesTaken
  let fit = 0
  for (const { data } of events) {
    bytes += data.length
    if (taken + fit >= limit.events || (taken + fit > 0 && bytes > limit.bytes)) break
    fit++
  }
  return fit
}

function groupByType(events: readonly Placed[]): Map<string, Placed[]> {
  const byType = new Map<string, Placed[]>()
  for (const event of events) {
    const ofType = byType.get(event.type)
    if (ofType === undefined) byType.set(event.type, [event])
    else ofType.push(event)
  }
  return byType
}
