/**
 * What this process committed, handed on. A segment is one flushed group; each knows the next, and only readers know segments:
 *
 *   reader a ─▶ segment ─▶ segment ─▶ segment ◀─ tail        one that every reader has passed is garbage,
 *                            reader b ──┘                    without anybody counting
 *
 * A reader that falls too far behind is cut off, and reads the store until it is at the head again.
 */
import type { Cursor, Lane, Placed, Slice } from '../ports/store.ts'
import { laneOfSlot } from './lane-ranges.ts'
import type { ReadLimit } from './sqlite-reads.ts'

/** Events that may wait in memory for the slowest reader. */
const behindMax = 20_000
/** One segment of so many events is remembered, weakly: there the chain is cut. */
const stride = 1_000

class Segment {
  /** By index of the lane; of one lane it is the group itself. */
  readonly lanes: readonly (readonly Placed[])[]
  readonly last: string
  readonly #byType: (Map<string, Placed[]> | undefined)[] = []
  /** Of another one than the tail's it may hold what has been trimmed. */
  readonly generation: number
  next: Segment | undefined
  /** What comes after it is to be read from the store. */
  cut = false

  constructor(lanes: readonly (readonly Placed[])[], last: string, generation: number) {
    this.lanes = lanes
    this.last = last
    this.generation = generation
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

  constructor(name: string, after: string, types: ReadonlySet<string> | undefined, segment: Segment) {
    this.name = name
    this.after = after
    if (types !== undefined) this.types = types
    this.#segment = segment
  }

  static segmentOf(cursor: Cursor): Segment | undefined {
    return cursor instanceof TailCursor ? cursor.#segment : undefined
  }
}

export class Tail {
  readonly #lanes: readonly Lane[]
  readonly #laneOf: Uint16Array
  readonly #index: ReadonlyMap<string, number>
  #last: Segment
  /** Where a chain that somebody still holds can be cut, oldest first. */
  readonly #marks: { readonly segment: WeakRef<Segment>; readonly total: number }[] = []
  #total = 0
  #generation = 0

  constructor(lanes: readonly Lane[], head: string) {
    this.#lanes = lanes
    this.#laneOf = laneOfSlot(lanes)
    this.#index = new Map(lanes.map(({ name }, at) => [name, at]))
    this.#last = new Segment([], head, 0)
  }

  /** A flushed group. The events are in the order of their positions. */
  add(events: readonly Placed[]): void {
    const newest = events.at(-1)
    if (newest === undefined) return
    const segment = new Segment(this.#lanes.length === 1 ? [events] : this.#split(events), newest.position, this.#generation)
    this.#last.next = segment
    this.#last = segment
    this.#total += events.length
    this.#limit(segment)
  }

  /** Events went: what was handed on may hold some of them. */
  restart(head: string): void {
    this.#generation++
    this.#marks.length = 0
    this.#last = new Segment([], head, this.#generation)
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
    return { events, upTo: after, first: firsts[lane] ?? '', storeMs, next: new TailCursor(cursor.name, after, cursor.types, at) }
  }

  /** A reader of the store has come to the head: from here on it is handed what comes. */
  join(slice: Slice): Slice {
    const { next } = slice
    if (next.of !== 'lane' || slice.upTo !== this.#last.last) return slice
    return { ...slice, next: new TailCursor(next.name, next.after, next.types, this.#last) }
  }

  #split(events: readonly Placed[]): readonly (readonly Placed[])[] {
    const lanes: Placed[][] = this.#lanes.map(() => [])
    for (const event of events) lanes[this.#laneOf[event.slot] ?? 0]?.push(event)
    return lanes
  }

  #limit(segment: Segment): void {
    const newest = this.#marks.at(-1)
    if (newest === undefined || this.#total - newest.total >= stride)
      this.#marks.push({ segment: new WeakRef(segment), total: this.#total })
    const oldest = this.#marks[0]
    if (oldest === undefined || this.#total - oldest.total < behindMax) return
    this.#marks.shift()
    cutOff(oldest.segment.deref())
  }
}

function cutOff(segment: Segment | undefined): void {
  if (segment === undefined) return
  segment.cut = true
  segment.next = undefined
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
