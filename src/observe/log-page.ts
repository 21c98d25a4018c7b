/** The log, page by page, from now, from its start, from a position or a time; in the order of positions where the store has one. */
import { fault } from '../kit/fault.ts'
import type { Cursor, Placed, Position, Slice, Store } from '../ports/store.ts'
import { eventView, type EventView } from './event-trail.ts'
import type { Observed } from './observed.ts'

export interface LogAsk {
  /** `now`, `start`, a position, or the `next` of the page before. */
  readonly from: string
  readonly types?: readonly string[]
  readonly key?: string
  readonly source?: string
  /** Stored then or later, milliseconds since 1970. */
  readonly sinceMs?: number
  readonly limit: number
}

export interface LogPage {
  readonly events: readonly EventView[]
  /** Where the next page begins. */
  readonly next: string
  /** Nothing more is there for now. */
  readonly end: boolean
}

export async function logPage(observed: Observed, ask: LogAsk): Promise<LogPage> {
  const { store } = observed
  const after = await startOf(store, ask.from)
  const types = ask.types === undefined || ask.types.length === 0 ? undefined : new Set(ask.types)
  const names = store.limits.lanes.map(({ name }) => name)
  const cursors = names.map((name): Cursor => ({ of: 'lane', name, after: after[name] ?? '', ...(types === undefined ? {} : { types }) }))
  const slices = await store.read(cursors, { events: ask.limit, bytes: 4 * 1_048_576 })
  const { events, next } = store.limits.order === 'global' ? inOrder(names, slices) : laneByLane(names, slices)
  const wanted = events.filter(
    ({ key, source, storedMs }) => (ask.key ?? key) === key && (ask.source ?? source) === source && storedMs >= (ask.sinceMs ?? 0),
  )
  const end = names.every((name) => (after[name] ?? '') === next[name])
  return { events: wanted.map(eventView), next: encode(next), end }
}

/** Resolves when something may have come, or the signal is aborted. */
export async function untilMore({ store }: Observed, signal: AbortSignal): Promise<void> {
  await store.changed(
    store.limits.lanes.map(({ name }) => name),
    signal,
  )
}

/** Up to where every lane has been seen: what comes later comes later in all. */
function inOrder(names: readonly string[], slices: readonly Slice[]): { events: readonly Placed[]; next: Record<string, Position> } {
  const safe = slices.reduce((least, { upTo }) => (upTo < least ? upTo : least), slices[0]?.upTo ?? '')
  const events = slices.flatMap((slice) => slice.events.filter(({ position }) => position <= safe))
  events.sort((a, b) => (a.position < b.position ? -1 : 1))
  return { events, next: Object.fromEntries(names.map((name) => [name, safe])) }
}

function laneByLane(names: readonly string[], slices: readonly Slice[]): { events: readonly Placed[]; next: Record<string, Position> } {
  return { events: slices.flatMap(({ events }) => events), next: Object.fromEntries(names.map((name, i) => [name, slices[i]?.upTo ?? ''])) }
}

async function startOf(store: Store, from: string): Promise<Readonly<Record<string, Position>>> {
  const names = store.limits.lanes.map(({ name }) => name)
  if (from === 'start') return {}
  if (from === 'now') {
    const slices = await store.read(
      names.map((name) => ({ of: 'lane', name, after: '', types: new Set<string>() })),
      { events: 1, bytes: 1 },
    )
    return Object.fromEntries(names.map((name, i) => [name, slices[i]?.upTo ?? '']))
  }
  const decoded = decode(from)
  if (decoded !== undefined) return decoded
  if (!/^\w{1,64}$/.test(from)) throw fault('OPERATION_INVALID', `from '${from}': write now, start, or a position`, { from })
  return Object.fromEntries(names.map((name) => [name, from]))
}

function encode(after: Readonly<Record<string, Position>>): string {
  return `~${encodeURIComponent(JSON.stringify(after))}`
}

function decode(text: string): Readonly<Record<string, Position>> | undefined {
  if (!text.startsWith('~')) return undefined
  try {
    return JSON.parse(decodeURIComponent(text.slice(1))) as Record<string, Position>
  } catch (error) {
    throw fault('OPERATION_INVALID', 'from: not what a page gave as its `next`', { from: text }, error)
  }
}
