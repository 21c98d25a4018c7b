/** What an owner knows of one lane of one subscription, in memory. Only what a commit has confirmed, and what is on its way there. */
import { Chain } from '../kit/chain.ts'
import type { Position } from '../ports/store.ts'
import type { Attempt } from './attempt.ts'
import type { FlowContext } from './context.ts'
import type { Crew } from './crew.ts'
import type { Entry } from './entry.ts'
import { KeyQueue } from './key-queue.ts'
import type { Counts, LaneRecord } from './lane-record.ts'
import { Marks } from './marks.ts'
import type { Look } from './subscription.ts'
import type { Ownership } from './wave.ts'

/** So many empty keys are kept before they are swept out. */
const sweepAt = 1_024

export class OwnedLane implements Ownership {
  readonly context: FlowContext
  readonly crew: Crew
  readonly lane: string
  /** Of its holds, rows and requests. */
  readonly part: string
  readonly owner: string
  readonly epoch: number
  readonly token: string
  rev: string
  counts: Counts
  readonly marks: Marks
  #keys = new Map<string, KeyQueue>()
  #empty = 0
  /** Keys that may have a turn to start, in the order in which they came. */
  readonly ready: KeyQueue[] = []
  readonly attempts = new Chain<Attempt>()
  phase: 'running' | 'draining' | 'over' = 'running'
  /** Rows that turns lost to, and the keys that run again because of it, oldest first. */
  readonly contention = new Map<string, KeyQueue[]>()
  parkedKeys = 0
  /** Start rows that this owner wrote and has not taken away: positions, with their keys. */
  readonly started = new Map<Position, string>()
  /** Since an owner's unclean end: who started what before this owner, by position; those that came back are left out. */
  readonly starts = new Map<string, readonly string[]>()

  /** Entries that no attempt can help, with why: each gets its row when it is the first of its key. */
  readonly unreadable = new Map<Entry, Look>()

  constructor(context: FlowContext, crew: Crew, lane: string, record: LaneRecord, rev: string) {
    this.context = context
    this.crew = crew
    this.lane = lane
    this.part = `${crew.id}/${lane}`
    this.owner = record.owner
    this.epoch = record.epoch
    this.token = record.token
    this.rev = rev
    this.counts = record.counts
    this.marks = new Marks(record.mark, crew.subscription.merged)
  }

  get parkedMax(): number {
    return this.context.settings.parkedMax
  }

  /** Never in a batch. */
  setUnreadable(entry: Entry, look: Look): void {
    entry.most = 1
    this.unreadable.set(entry, look)
  }

  /** As many handlers as may go on after their time and their grace: nothing starts. */
  get hanging(): boolean {
    return this.crew.abandoned >= this.context.settings.abandonedMax
  }

  /** Empty ones may be among them for a while. */
  get keys(): ReadonlyMap<string, KeyQueue> {
    return this.#keys
  }

  queueOf(key: string): KeyQueue {
    const known = this.#keys.get(key)
    if (known !== undefined) {
      if (known.dropped) this.#empty -= 1
      known.dropped = false
      return known
    }
    const queue = new KeyQueue(key)
    this.#keys.set(key, queue)
    return queue
  }

  /** A turn of it may be startable now. */
  list(queue: KeyQueue): void {
    if (queue.listed) return
    queue.listed = true
    this.ready.push(queue)
  }

  dropIfEmpty(queue: KeyQueue): void {
    if (queue.dropped || !queue.empty) return
    queue.dropped = true
    this.#empty += 1
    if (this.#empty >= sweepAt && this.#empty * 2 >= this.#keys.size) this.#sweep()
  }

  /** Many at once, into a new map: to delete each as it empties would cost more in collection than all the rest of its turn. */
  #sweep(): void {
    const kept = new Map<string, KeyQueue>()
    for (const queue of this.#keys.values()) {
      if (queue.dropped && queue.empty) continue
      queue.dropped = false
      kept.set(queue.key, queue)
    }
    this.#keys = kept
    this.#empty = 0
  }

  /** Whether it is this key's turn to run again after it lost to a row. */
  mayContend(queue: KeyQueue): boolean {
    return queue.contends === undefined || this.contention.get(queue.contends)?.[0] === queue
  }

  contend(queue: KeyQueue, row: string): void {
    if (queue.contends !== undefined) return
    queue.contends = row
    const line = this.contention.get(row)
    if (line === undefined) this.contention.set(row, [queue])
    else line.push(queue)
  }

  /** Its turn is committed, or it waits for another reason now: the next of the line may run. */
  endContention(queue: KeyQueue): void {
    const row = queue.contends
    if (row === undefined) return
    queue.contends = undefined
    const line = (this.contention.get(row) ?? []).filter((one) => one !== queue)
    if (line.length === 0) this.contention.delete(row)
    else this.contention.set(row, line)
    const [next] = line
    if (next !== undefined) this.list(next)
  }
}
