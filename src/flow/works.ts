/** Forms what runs next out of the keys that are ready: one event, or a batch. */
import type { Fifo } from '../kit/fifo.ts'
import type { Entry } from './entry.ts'
import type { KeyQueue } from './key-queue.ts'
import type { Work } from './outcome.ts'
import type { OwnedLane } from './owned-lane.ts'
import type { BatchPolicy } from './subscription.ts'

export type Formed =
  | { readonly is: 'work'; readonly work: Work }
  /** Its rows must be read first. */
  | { readonly is: 'rows'; readonly queue: KeyQueue }
  /** A batch waits for more, for so long at most. */
  | { readonly is: 'later'; readonly inMs: number }
  | { readonly is: 'nothing' }

const nothing: Formed = { is: 'nothing' }

/** The next turn of the first key that may start one. */
export function formOne(lane: OwnedLane): Formed {
  for (let queue = lane.ready.shift(); queue !== undefined; queue = lane.ready.shift()) {
    queue.listed = false
    if (!queue.startable() || !lane.mayContend(queue)) continue
    return formOf(queue, 1, false)
  }
  return nothing
}

/** While the breaker is open: one turn of the key that is asked next. */
export function formProbe(lane: OwnedLane, choose: (keys: Iterable<string>) => string | undefined): Formed {
  const startable = lane.ready.filter((queue) => queue.startable() && lane.mayContend(queue))
  const key = choose(startable.map((queue) => queue.key))
  const queue = startable.find((one) => one.key === key)
  if (queue === undefined) return nothing
  lane.ready.splice(lane.ready.indexOf(queue), 1)
  queue.listed = false
  return formOf(queue, 1, true)
}

/** As many events as share a batch: of many keys, or the rows of one. */
export function formBatch(lane: OwnedLane, policy: BatchPolicy, nowMs: number): Formed {
  const startable = lane.ready.filter((queue) => queue.startable() && lane.mayContend(queue))
  if (startable.length < lane.ready.length) keepListed(lane, new Set(startable))
  const drained = startable.find((queue) => queue.waiting.length === 0)
  if (drained !== undefined) {
    unlist(lane, [drained])
    return formOf(drained, policy.size, false)
  }
  let soonestMs = Number.POSITIVE_INFINITY
  for (const [group, { queues, waiting, sinceMs, small }] of groupsOf(startable)) {
    const restMs = sinceMs + policy.waitMs - nowMs
    if (waiting >= policy.size || restMs <= 0 || small) return gather(lane, queues, group, policy, nowMs)
    soonestMs = Math.min(soonestMs, restMs)
  }
  return soonestMs === Number.POSITIVE_INFINITY ? nothing : { is: 'later', inMs: soonestMs }
}

interface Group {
  readonly queues: KeyQueue[]
  waiting: number
  /** When the one that waits longest began to. */
  sinceMs: number
  /** One of it failed in a larger batch: it waits for nobody. */
  small: boolean
}

/** By the group of what each key would run next. */
function groupsOf(startable: readonly KeyQueue[]): ReadonlyMap<string | undefined, Group> {
  const groups = new Map<string | undefined, Group>()
  for (const queue of startable) {
    const { first } = queue.waiting
    if (first === undefined) continue
    const group = groups.get(first.group) ?? { queues: [], waiting: 0, sinceMs: Number.POSITIVE_INFINITY, small: false }
    groups.set(first.group, group)
    group.queues.push(queue)
    for (const entry of queue.waiting) {
      if (entry.group !== first.group) break
      group.waiting += 1
    }
    group.sinceMs = Math.min(group.sinceMs, queue.sinceMs ?? 0)
    group.small ||= first.most < Number.POSITIVE_INFINITY
  }
  return groups
}

function gather(lane: OwnedLane, startable: readonly KeyQueue[], group: string | undefined, policy: BatchPolicy, nowMs: number): Formed {
  const entries: Entry[] = []
  const queues: KeyQueue[] = []
  let most = policy.size
  for (const queue of startable) {
    const before = entries.length
    while (entries.length < most) {
      const entry = queue.waiting.first
      if (entry === undefined || entry.group !== group || (entries.length > 0 && entry.most <= entries.length)) break
      queue.waiting.shift()
      most = Math.min(most, entry.most)
      entries.push(entry)
    }
    if (entries.length > before) {
      queues.push(queue)
      queue.sinceMs = queue.waiting.length > 0 ? nowMs : undefined
    }
    if (entries.length >= most) break
  }
  unlist(lane, queues)
  entries.sort((a, b) => (a.event.position < b.event.position ? -1 : 1))
  return { is: 'work', work: { entries, queues, attempt: 1, probe: false } }
}

function formOf(queue: KeyQueue, size: number, probe: boolean): Formed {
  if (queue.waiting.length === 0 && queue.rows.length === 0) return { is: 'rows', queue }
  const attempt = queue.attempts + 1
  const source = queue.waiting.length > 0 ? queue.waiting : queue.rows
  const entries = takeFrom(source, attempt > 1 ? 1 : size)
  if (source === queue.rows) queue.rowsOut += entries.length
  return { is: 'work', work: { entries, queues: [queue], attempt, probe } }
}

function takeFrom(source: Fifo<Entry>, size: number): readonly Entry[] {
  const first = source.shift()
  if (first === undefined) return []
  const entries = [first]
  let most = Math.min(size, first.most)
  while (entries.length < most) {
    const entry = source.first
    if (entry === undefined || entry.most <= entries.length) break
    source.shift()
    most = Math.min(most, entry.most)
    entries.push(entry)
  }
  return entries
}

function unlist(lane: OwnedLane, queues: readonly KeyQueue[]): void {
  const out = new Set(queues)
  keepListed(lane, new Set(lane.ready.filter((queue) => !out.has(queue))))
}

function keepListed(lane: OwnedLane, kept: ReadonlySet<KeyQueue>): void {
  for (const queue of lane.ready) queue.listed = kept.has(queue)
  lane.ready.splice(0, lane.ready.length, ...kept)
}
