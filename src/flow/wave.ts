/**
 * What a wave of ended turns stages on one lane, as one change under the lane's record: effects, settlements, one mark, one owner check.
 * Building it changes nothing in memory: that is for after the commit.
 */
import { eventName } from '../event/event-name.ts'
import type { Append, Change, Key, Position, Put, StoreLimits } from '../ports/store.ts'
import { encodeBreaker } from './breaker.ts'
import type { Crew } from './crew.ts'
import type { Entry } from './entry.ts'
import { encodeHold, heldKey, holdKey, type Held, type Hold } from './holds.ts'
import type { KeyQueue } from './key-queue.ts'
import { encodeLane, laneKey, type Counts, type LaneRecord } from './lane-record.ts'
import type { Marks } from './marks.ts'
import { queuesOf, type Outcome } from './outcome.ts'
import { controlPuts } from './requests.ts'
import type { Staged, Write } from './turn.ts'

/** Who owns the lane, and what its row says besides the mark. */
export interface Ownership {
  readonly crew: Crew
  readonly lane: string
  readonly part: string
  readonly owner: string
  readonly epoch: number
  readonly token: string
  readonly rev: string
  readonly counts: Counts
  readonly marks: Marks
  readonly parkedKeys: number
  readonly parkedMax: number
}

export interface Wave {
  readonly change: Change
  /** Those that are in it, in order. */
  readonly outcomes: readonly Outcome[]
  /** Those that read what an earlier one of it writes: they run again. */
  readonly losers: readonly Outcome[]
  /** Those that it has no room for. */
  readonly left: readonly Outcome[]
  /** As it writes it. */
  readonly mark: Position
  /** Of the log; settled once it is committed. */
  readonly settled: readonly Entry[]
  readonly holds: ReadonlyMap<KeyQueue, Hold | undefined>
  /** Entries that got rows, by key. */
  readonly moved: ReadonlyMap<KeyQueue, ReadonlySet<Entry>>
  readonly counts: Counts
  readonly breaker: boolean
  readonly parkedKeys: number
  /** It parks a key, and as many are parked then as may be: it pauses the subscription, for this reason. */
  readonly pauses: string | undefined
}

export function buildWave(
  of: Ownership,
  outcomes: readonly Outcome[],
  limits: StoreLimits,
  id: string,
  incarnation: string,
  storeMs: number,
  known: ReadonlyMap<string, 'stored' | 'twice'>,
): Wave {
  const draft = new Draft(of, storeMs, known)
  const taken: Outcome[] = []
  const losers: Outcome[] = []
  const beaten = new Set<KeyQueue>()
  let at = 0
  for (; at < outcomes.length; at += 1) {
    const outcome = outcomes[at]
    if (outcome === undefined || (taken.length > 0 && draft.full(limits))) break
    if (draft.loses(outcome) || follows(outcome, beaten)) {
      losers.push(outcome)
      for (const queue of queuesOf(outcome)) beaten.add(queue)
      continue
    }
    draft.add(outcome)
    taken.push(outcome)
  }
  return { ...draft.finish(id, incarnation), outcomes: taken, losers, left: outcomes.slice(at) }
}

/** Whether a turn of it ran on top of one that loses. */
export function follows(outcome: Outcome, beaten: ReadonlySet<KeyQueue>): boolean {
  if (beaten.size === 0 || outcome.is === 'join' || outcome.is === 'spill' || outcome.is === 'request') return false
  return queuesOf(outcome).some((queue) => beaten.has(queue))
}

/** One that is meant for a key parked for a reason leaves others alone. */
function redrives(onlyIf: string | undefined, hold: Hold): boolean {
  return onlyIf === undefined || (hold.state === 'parked' && hold.error?.code === onlyIf)
}

class Draft {
  readonly #of: Ownership
  readonly #storeMs: number
  readonly #known: ReadonlyMap<string, 'stored' | 'twice'>
  readonly #checks = new Map<string, Key & { readonly rev: string | null }>()
  readonly #puts: Put[] = []
  readonly #deletes: Key[] = []
  readonly #appends: Append[] = []
  /** What turns staged, by name: of two that write one row blindly the later stands. */
  readonly #written = new Map<string, Write>()
  readonly #settled: Entry[] = []
  readonly #holds = new Map<KeyQueue, Hold | undefined>()
  readonly #moved = new Map<KeyQueue, Set<Entry>>()
  readonly #emitted = new Set<string>()
  #done = 0
  #failed = 0
  #parked = 0
  #discarded = 0
  #once = 0
  #bytes = 0

  constructor(of: Ownership, storeMs: number, known: ReadonlyMap<string, 'stored' | 'twice'>) {
    this.#of = of
    this.#storeMs = storeMs
    this.#known = known
  }

  /** Room is kept for the lane's record, the breaker's row and one key that is held whole. */
  full(limits: StoreLimits): boolean {
    const items = this.#checks.size + this.#written.size + this.#puts.length + this.#deletes.length + this.#appends.length
    return items > limits.items / 2 || this.#bytes > limits.bytes / 2
  }

  /** Whether it read a row that an earlier one of this wave writes, or one that others have changed since an earlier one read it. */
  loses(outcome: Outcome): boolean {
    if (outcome.is !== 'done' || outcome.staged.reads.size === 0) return false
    for (const [name, { rev }] of outcome.staged.reads) {
      if (this.#written.has(name)) return true
      const checked = this.#checks.get(name)
      if (checked !== undefined && checked.rev !== rev) return true
    }
    return false
  }

  add(outcome: Outcome): void {
    if (outcome.is === 'done') this.#addDone(outcome.work.entries, outcome.work.queues, outcome.staged)
    else if (outcome.is === 'failed') this.#addFailed(outcome)
    else if (outcome.is === 'join') this.#addRow(outcome.queue, outcome.entry, this.#holdOf(outcome.queue))
    else if (outcome.is === 'spill') this.#addWaiting(outcome.queue, this.#holdOf(outcome.queue))
    else if (outcome.is === 'start') this.#addStarts(outcome.starts)
    else this.#addRequest(outcome)
  }

  finish(id: string, incarnation: string): Omit<Wave, 'outcomes' | 'losers' | 'left'> {
    const { crew, owner, epoch, token, lane, rev, marks } = this.#of
    const parkedKeys = this.#putHolds()
    const pauses = this.#pauses(id, parkedKeys)
    for (const { value, ...write } of this.#written.values()) {
      if (value === undefined) this.#deletes.push(write)
      else this.#puts.push({ ...write, value })
    }
    for (const entry of this.#settled) entry.settling = true
    const { mark, holes } = marks.after(this.#settled)
    for (const entry of this.#settled) entry.settling = false
    const counts = this.#counts(marks.skippedTo(mark))
    const record: LaneRecord = { owner, epoch, token, mark, holes, counts }
    const key = laneKey(crew.id, lane)
    this.#puts.push({ ...key, value: encodeLane(record) })
    const checks = [{ ...key, rev }, ...this.#checks.values()]
    if (crew.breakerChanged) {
      const breaker = { kind: 'breaker', part: '', key: crew.id }
      checks.push({ ...breaker, rev: crew.breakerRev })
      this.#puts.push({ ...breaker, value: encodeBreaker(crew.breaker) })
    }
    const change: Change = {
      id,
      incarnation,
      checks,
      expects: none,
      appends: this.#appends,
      puts: this.#puts,
      deletes: this.#deletes,
      trims: none,
      native: none,
    }
    const { breakerChanged: breaker } = crew
    return { change, mark, settled: this.#settled, holds: this.#holds, moved: this.#moved, counts, breaker, parkedKeys, pauses }
  }

  /** Tells how many keys of the lane are parked with it. */
  #putHolds(): number {
    let { parkedKeys } = this.#of
    for (const [queue, hold] of this.#holds) {
      if (queue.hold?.state === 'parked') parkedKeys -= 1
      if (hold === undefined || hold.count === 0) this.#deletes.push(holdKey(this.#of.part, queue.key))
      else {
        this.#puts.push({ ...holdKey(this.#of.part, queue.key), value: encodeHold(queue.key, hold) })
        if (hold.state === 'parked') parkedKeys += 1
      }
    }
    return parkedKeys
  }

  /** In the commit that parks the last key that may: were it in the next, an owner that dies between the two would lose it. */
  #pauses(id: string, parkedKeys: number): string | undefined {
    const { crew, parkedMax } = this.#of
    if (this.#parked === 0 || parkedKeys < parkedMax) return undefined
    const why = `${parkedKeys} keys are parked, which is as many as it may`
    this.#puts.push(...controlPuts(id, crew.id, { paused: true, by: 'millrace', atMs: this.#storeMs, why }))
    return why
  }

  #counts(skipped: number): Counts {
    const before = this.#of.counts
    return {
      done: before.done + this.#done,
      skipped: before.skipped + skipped,
      failed: before.failed + this.#failed,
      parked: before.parked + this.#parked,
      discarded: before.discarded + this.#discarded,
      once: before.once + this.#once,
    }
  }

  #addDone(entries: readonly Entry[], queues: readonly KeyQueue[], staged: Staged): void {
    // Most turns read and write no rows: an iterator for each would cost more than to ask.
    if (staged.reads.size > 0) for (const [name, read] of staged.reads) this.#checks.set(name, read)
    if (staged.writes.size > 0) this.#addWrites(staged.writes)
    for (const append of staged.appends) {
      if (this.#known.size > 0 && this.#drops(eventName(append.event))) continue
      this.#appends.push(append)
      this.#bytes += append.event.data.length + 200
    }
    for (const entry of entries) this.#leave(entry, queues)
    this.#done += entries.length
    this.#once += staged.repeated
  }

  #addWrites(writes: Staged['writes']): void {
    for (const [name, write] of writes) {
      this.#written.set(name, write)
      this.#bytes += (write.value?.length ?? 0) + write.key.length
    }
  }

  /** The store has it; or this wave has it already. */
  #drops(name: string): boolean {
    const known = this.#known.get(name)
    if (known !== 'twice') return known === 'stored'
    if (this.#emitted.has(name)) return true
    this.#emitted.add(name)
    return false
  }

  /** It is settled: of the log by the mark, of a row by taking the row away. */
  #leave(entry: Entry, queues: readonly KeyQueue[]): void {
    if (entry.suspect) this.#deletes.push({ kind: 'start', part: this.#of.part, key: entry.event.position })
    if (entry.held === undefined) {
      this.#settled.push(entry)
      return
    }
    const queue = queues.length === 1 ? queues[0] : queues.find((one) => one.key === entry.key)
    if (queue === undefined) return
    this.#deletes.push(heldKey(this.#of.part, entry.key, entry.event.position))
    const hold = this.#holdOf(queue)
    this.#holds.set(queue, { state: 'ready', attempt: 0, dueMs: 0, count: hold.count - 1, sinceMs: hold.sinceMs })
  }

  #addFailed({ queue, entry, next, failure }: Extract<Outcome, { is: 'failed' }>): void {
    const before = this.#holdOf(queue)
    if (entry.suspect) this.#deletes.push({ kind: 'start', part: this.#of.part, key: entry.event.position })
    if (entry.held === undefined) this.#addRow(queue, entry, before)
    this.#addWaiting(queue, this.#holdOf(queue))
    const { count, sinceMs } = this.#holdOf(queue)
    const error = next.state === 'version' ? undefined : failure
    this.#holds.set(queue, {
      state: next.state,
      attempt: next.state === 'version' ? before.attempt : next.attempt,
      dueMs: next.state === 'wait' ? next.dueMs : 0,
      count,
      sinceMs,
      ...(error === undefined ? {} : { error }),
    })
    if (next.state !== 'version') this.#failed += 1
    if (next.state === 'parked') this.#parked += 1
  }

  #addWaiting(queue: KeyQueue, before: Hold): void {
    let hold = before
    for (const entry of queue.waiting) {
      if (this.#moved.get(queue)?.has(entry) ?? false) continue
      this.#addRow(queue, entry, hold)
      hold = this.#holdOf(queue)
    }
  }

  #addRow(queue: KeyQueue, entry: Entry, hold: Hold): void {
    const { event } = entry
    const held: Held = { lane: event.lane, position: event.position, id: event.id, type: event.type, run: 0 }
    const key = heldKey(this.#of.part, queue.key, event.position)
    this.#putRow(key.kind, key.part, key.key, JSON.stringify(held))
    this.#settled.push(entry)
    this.#holds.set(queue, { ...hold, count: hold.count + 1 })
    const moved = this.#moved.get(queue)
    if (moved === undefined) this.#moved.set(queue, new Set([entry]))
    else moved.add(entry)
  }

  #addStarts(starts: ReadonlyMap<Entry, readonly string[]>): void {
    for (const [entry, before] of starts) {
      this.#putRow('start', this.#of.part, entry.event.position, JSON.stringify([...before, this.#of.token]))
    }
  }

  #addRequest(outcome: Extract<Outcome, { is: 'request' }>): void {
    const { queue, request, held, head, more, settles, refused } = outcome
    this.#recordRequest(outcome)
    if (settles !== undefined) {
      this.#settled.push(settles)
      this.#discarded += 1
    }
    if (queue === undefined || refused !== undefined) return
    const hold = this.#holdOf(queue)
    if (request.op === 'redrive' && hold.count > 0 && redrives(request.onlyIf, hold))
      this.#holds.set(queue, { ...hold, state: 'ready', attempt: 0, dueMs: 0 })
    if (request.op === 'edit') for (const one of held) this.#edit(queue, one, request.data)
    if (request.op !== 'discard') return
    for (const one of held) {
      this.#deletes.push(heldKey(this.#of.part, queue.key, one.position))
      this.#deletes.push({ kind: 'start', part: this.#of.part, key: one.position })
    }
    const count = hold.count - held.length
    this.#discarded += held.length
    if (held.length === 0) return
    // What is left of it must not run, whoever owns the lane by then.
    if (more) this.#holds.set(queue, { ...hold, attempt: 0, count })
    else this.#holds.set(queue, head ? { state: 'ready', attempt: 0, dueMs: 0, count, sinceMs: hold.sinceMs } : { ...hold, count })
  }

  /** Who asked for what, when, and what it touched. A step of several has a record of its own. */
  #recordRequest({ queue, row, request, held, more, refused }: Extract<Outcome, { is: 'request' }>): void {
    const { kind, part, key } = row
    if (!more) this.#deletes.push({ kind, part, key })
    const positions = queue === undefined ? [] : held.map(({ position }) => position)
    const asked = refused === undefined ? request : { ...request, data: undefined, refused }
    const name = more ? `${key} ${positions[0] ?? ''}` : key
    this.#putRow('operation', '', name, JSON.stringify({ ...asked, part, positions, doneMs: this.#storeMs }))
  }

  #edit(queue: KeyQueue, held: Held, data: string): void {
    const key = heldKey(this.#of.part, queue.key, held.position)
    this.#putRow(key.kind, key.part, key.key, JSON.stringify({ ...held, run: held.run + 1, data }))
  }

  #holdOf(queue: KeyQueue): Hold {
    const drafted = this.#holds.get(queue)
    if (drafted !== undefined) return drafted
    return queue.hold ?? { state: 'ready', attempt: 0, dueMs: 0, count: 0, sinceMs: this.#storeMs }
  }

  #putRow(kind: string, part: string, key: string, value: string, expiresMs?: number): void {
    this.#puts.push(expiresMs === undefined ? { kind, part, key, value } : { kind, part, key, value, expiresMs })
    this.#bytes += value.length + key.length
  }
}

const none: readonly never[] = []
