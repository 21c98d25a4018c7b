/**
 * The log in memory: events by position, and for each lane and each stream the positions of theirs.
 * Positions come from one counter, so they compare across lanes. What each write replaced goes to the undo log.
 */
import { eventName } from '../event/event-name.ts'
import { fault } from '../kit/fault.ts'
import type { Append, Change, Cursor, Lane, Placed, Slice } from '../ports/store.ts'
import { laneOfSlot, positionNumber, positionText } from './lane-ranges.ts'

type Undo = (() => void)[] | undefined
type LineCursor = Extract<Cursor, { of: 'lane' | 'stream' }>
type Limit = { readonly events: number; readonly bytes: number }

/**
 * One line of events: a lane by position, or a stream by version. `gone` has the last place that was trimmed of each type, under '' of
 * all types.
 */
interface Line {
  /** Place and position of each, in order. They are the same in a lane. */
  places: number[]
  positions: number[]
  gone: ReadonlyMap<string, number>
}

interface Stream extends Line {
  version: number
}

export class MemoryLog {
  head = 0
  readonly #lanes: readonly Lane[]
  readonly #laneOf: Uint16Array
  readonly #lines: readonly Line[]
  readonly #events: (Placed | undefined)[] = []
  /** Stream names of the events that have any. */
  readonly #streamsOf = new Map<number, readonly { readonly stream: string; readonly version: number }[]>()
  readonly #ids = new Map<string, number>()
  readonly #streams = new Map<string, Stream>()

  constructor(lanes: readonly Lane[]) {
    this.#lanes = lanes
    this.#laneOf = laneOfSlot(lanes)
    this.#lines = lanes.map(emptyLine)
  }

  version(stream: string): number {
    return this.#streams.get(stream)?.version ?? 0
  }

  has(name: string): boolean {
    return this.#ids.has(name)
  }

  append({ event, streams }: Append, storedMs: number, undo: Undo): { lane: string; position: string; versions: readonly number[] } {
    const position = ++this.head
    const at = this.#laneOf[event.slot] ?? 0
    const lane = this.#lanes[at]?.name ?? ''
    const placed: Placed = { ...event, position: positionText(position), lane, storedMs }
    const name = eventName(event)
    this.#events.push(placed)
    this.#ids.set(name, position)
    push(this.#lines[at], position, position)
    const versions = streams.map((stream) => this.#join(stream, position))
    if (streams.length > 0)
      this.#streamsOf.set(
        position,
        streams.map((stream, of) => ({ stream, version: versions[of] ?? 0 })),
      )
    undo?.push(() => this.#takeBack(at, name, streams))
    return { lane, position: placed.position, versions }
  }

  /** Throws where the trim names no lane or no position. */
  known(trim: Change['trims'][number]): void {
    this.#line(trim.lane)
    positionNumber(trim.upTo)
  }

  trim(trim: Change['trims'][number], undo: Undo): void {
    const line = this.#line(trim.lane)
    const upTo = Math.min(positionNumber(trim.upTo), this.head)
    const types = trim.types === undefined ? undefined : new Set(trim.types)
    const gone = new Map(line.gone)
    if (types === undefined) gone.set('', Math.max(gone.get('') ?? 0, upTo))
    const kept: number[] = []
    for (const position of line.positions) {
      const event = this.#events[position - 1]
      if (event === undefined || position > upTo || (types !== undefined && !types.has(event.type))) {
        kept.push(position)
        continue
      }
      gone.set(event.type, position)
      this.#forget(event, position, types === undefined, undo)
    }
    replace(line, kept, kept.slice(), gone, undo)
  }

  /** Nothing beyond `head` is seen: what is applied and not flushed yet. */
  read(cursor: Cursor, limit: Limit, storeMs: number, head: number): Slice {
    if (cursor.of === 'id') return this.#readId(cursor, storeMs, head)
    if (cursor.of === 'place') return this.#readPlace(cursor, storeMs, head)
    const line = cursor.of === 'lane' ? this.#line(cursor.name) : (this.#streams.get(cursor.name) ?? emptyLine())
    return this.#readLine(line, cursor, limit, storeMs, head)
  }

  #readLine(line: Line, cursor: LineCursor, limit: Limit, storeMs: number, head: number): Slice {
    const after = positionNumber(cursor.after)
    const { types, name } = cursor
    const first = firstOf(line.gone)
    for (const [type, last] of line.gone) {
      if (type !== '' && last > after && (types === undefined || types.has(type))) throw trimmed(name, cursor.after, first)
    }
    const events: Placed[] = []
    let upTo = after
    let bytes = 0
    for (let at = firstAfter(line.places, after); events.length < limit.events; at++) {
      const position = line.positions[at]
      if (position === undefined || position > head) {
        // A stream that is not flushed to its end is known as far as the place before.
        upTo = Math.max(after, cursor.of === 'lane' ? head : position === undefined ? this.version(name) : (line.places[at - 1] ?? after))
        break
      }
      const event = this.#events[position - 1]
      if (event === undefined || types?.has(event.type) === false) continue
      bytes += event.data.length
      if (events.length > 0 && bytes > limit.bytes) break
      events.push(event)
      upTo = line.places[at] ?? upTo
    }
    const upToText = positionText(upTo)
    return { events, upTo: upToText, first, storeMs, next: { ...cursor, after: upToText } }
  }

  #readPlace(cursor: Extract<Cursor, { of: 'place' }>, storeMs: number, head: number): Slice {
    const position = positionNumber(cursor.at)
    const { gone } = this.#line(cursor.name)
    const first = firstOf(gone)
    const event = position <= head ? this.#events[position - 1] : undefined
    if (event === undefined && [...gone.values()].some((last) => last >= position && position > 0))
      throw trimmed(cursor.name, cursor.at, first)
    return { events: event?.lane === cursor.name ? [event] : [], upTo: cursor.at, first, storeMs, next: cursor }
  }

  #readId(cursor: Extract<Cursor, { of: 'id' }>, storeMs: number, head: number): Slice {
    const position = this.#ids.get(eventName(cursor)) ?? 0
    const event = position <= head ? this.#events[position - 1] : undefined
    return { events: event === undefined ? [] : [event], upTo: '', first: '', storeMs, next: cursor }
  }

  #line(lane: string): Line {
    const line = this.#lines[this.#lanes.findIndex(({ name }) => name === lane)]
    if (line === undefined) throw fault('CURSOR_UNKNOWN', `there is no lane '${lane}'`, { lane })
    return line
  }

  /** The event's version in the stream. */
  #join(name: string, position: number): number {
    const stream = this.#streams.get(name) ?? { ...emptyLine(), version: 0 }
    this.#streams.set(name, stream)
    stream.version++
    push(stream, stream.version, position)
    return stream.version
  }

  #takeBack(lane: number, name: string, streams: readonly string[]): void {
    this.#events.pop()
    this.#ids.delete(name)
    pop(this.#lines[lane])
    this.#streamsOf.delete(this.head)
    for (const stream of streams.toReversed()) {
      const line = this.#streams.get(stream)
      if (line === undefined) continue
      pop(line)
      line.version--
      if (line.version === 0) this.#streams.delete(stream)
    }
    this.head--
  }

  #forget(event: Placed, position: number, all: boolean, undo: Undo): void {
    const name = eventName(event)
    const streams = this.#streamsOf.get(position)
    this.#events[position - 1] = undefined
    this.#ids.delete(name)
    undo?.push(() => {
      this.#events[position - 1] = event
      this.#ids.set(name, position)
      if (streams !== undefined) this.#streamsOf.set(position, streams)
    })
    if (streams === undefined) return
    this.#streamsOf.delete(position)
    for (const { stream, version } of streams) {
      const line = this.#streams.get(stream)
      if (line === undefined) continue
      const gone = new Map(line.gone).set(event.type, Math.max(line.gone.get(event.type) ?? 0, version))
      if (all) gone.set('', Math.max(gone.get('') ?? 0, version))
      const at = line.places.indexOf(version)
      replace(line, line.places.toSpliced(at, 1), line.positions.toSpliced(at, 1), gone, undo)
    }
  }
}

function emptyLine(): Line {
  return { places: [], positions: [], gone: new Map() }
}

function push(line: Line | undefined, place: number, position: number): void {
  line?.places.push(place)
  line?.positions.push(position)
}

function pop(line: Line | undefined): void {
  line?.places.pop()
  line?.positions.pop()
}

function replace(line: Line, places: number[], positions: number[], gone: ReadonlyMap<string, number>, undo: Undo): void {
  const before = { places: line.places, positions: line.positions, gone: line.gone }
  Object.assign(line, { places, positions, gone })
  undo?.push(() => Object.assign(line, before))
}

function firstAfter(places: readonly number[], after: number): number {
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((places[middle] ?? 0) <= after) low = middle + 1
    else high = middle
  }
  return low
}

function firstOf(gone: ReadonlyMap<string, number>): string {
  const last = gone.get('')
  return last === undefined ? '' : positionText(last + 1)
}

function trimmed(name: string, at: string, first: string): Error {
  return fault('TRIMMED', `${name}: what comes after ${at === '' ? 'the beginning' : at} is no longer kept`, { name, at, first })
}
