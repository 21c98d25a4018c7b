/**
 * Puts facts into the log: a call is all or nothing, and resolves after a flushed commit. A call whose ids are known
 * repeats its first answer, after the first's commit;
 * other content, or another count, under a known id is a fault. So a call that failed may be made again under the same id.
 */
import { changeOf } from './change.ts'
import { eventName } from '../event/event-name.ts'
import { fault, isFault } from '../kit/fault.ts'
import type { Placed, Position, Store, Stored } from '../ports/store.ts'
import type { FlowContext } from './context.ts'

export interface Published {
  readonly at: readonly { readonly lane: string; readonly position: Position }[]
  /** It was known before: nothing was stored. */
  readonly repeated: boolean
}

type Publishing = Pick<FlowContext, 'store' | 'environment' | 'changeId' | 'settings'>

const triesMax = 20

/**
 * A call whose answer was lost is decided by looking for its events. Where they are not there it is given back as the
 * fault: a second try could overtake later calls of its keys.
 */
export function publishStored(context: Publishing, events: readonly Stored[]): Promise<Published> {
  const { store, changeId } = context
  const appends = counted(events).map((event) => ({ event, streams: none }))
  return store.commit(changeOf(store, changeId(), { appends })).then(
    (committed) => (committed.ok ? { at: committed.at, repeated: false } : known(store, events)),
    (thrown) => afterFailure(context, events, thrown),
  )
}

async function known(store: Store, events: readonly Stored[]): Promise<Published> {
  return repeated(events, await byId(store, events))
}

async function afterFailure(context: Publishing, events: readonly Stored[], thrown: unknown): Promise<Published> {
  if (!isFault(thrown, 'STORE_FAILED') || thrown.data['unknown'] !== true) throw thrown
  const found = await find(context, events)
  if (found.every((event) => event === undefined)) throw thrown
  return repeated(events, found)
}

async function find({ store, environment, settings }: Publishing, events: readonly Stored[]): Promise<readonly (Placed | undefined)[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await byId(store, events)
    } catch (thrown) {
      if (!isFault(thrown, 'STORE_FAILED') || tries >= triesMax) throw thrown
      await environment.wait(settings.storeRestMs)
    }
  }
}

async function byId(store: Store, events: readonly Stored[]): Promise<readonly (Placed | undefined)[]> {
  const cursors = events.map(({ tenant, source, id }) => ({ of: 'id' as const, tenant, source, id }))
  const slices = await store.read(cursors, { events: 1, bytes: Number.MAX_SAFE_INTEGER })
  return slices.map(({ events: [first] }) => first)
}

function repeated(events: readonly Stored[], before: readonly (Placed | undefined)[]): Published {
  const [first] = before
  const same = events.every((event, i) => sameContent(event, before[i])) && first !== undefined && countOf(first) === events.length
  if (!same)
    throw fault('ID_TAKEN', 'this id was published before, with other content or another count of events', {
      ids: events.map(({ id }) => id),
    })
  return { at: before.flatMap((event) => (event === undefined ? [] : [{ lane: event.lane, position: event.position }])), repeated: true }
}

function sameContent(now: Stored, before: Placed | undefined): boolean {
  return (
    before !== undefined &&
    eventName(before) === eventName(now) &&
    before.type === now.type &&
    before.version === now.version &&
    before.key === now.key &&
    before.data === now.data
  )
}

/** A repeat with another count is a fault: so the count stands with the first. */
function counted(events: readonly Stored[]): readonly Stored[] {
  const [first, ...rest] = events
  if (first === undefined || rest.length === 0) return events
  const extra = first.extra === undefined ? {} : (JSON.parse(first.extra) as object)
  return [{ ...first, extra: JSON.stringify({ ...extra, [countAttribute]: events.length }) }, ...rest]
}

/** How many events were published in one call: it stands with the first of them, where there were several. */
function countOf(event: Stored): number {
  if (event.extra === undefined) return 1
  const count = (JSON.parse(event.extra) as Readonly<Record<string, unknown>>)[countAttribute]
  return typeof count === 'number' ? count : 1
}

/** An extension attribute of the first of several facts that were published in one call. */
export const countAttribute = 'publishedcount'

const none: readonly never[] = []
