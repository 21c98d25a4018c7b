/**
 * All that a store keeps, in memory, without a promise: what a memory store and a simulated one stand on.
 *
 *   applied ──flushed──▶ kept        a simulated power cut takes back what was applied after a mark:
 *      ◀──rewind(mark)──             const at = state.mark(); state.apply(…); state.rewind(at)
 */
import { eventName } from '../event/event-name.ts'
import { fault } from '../kit/fault.ts'
import type { Change, Committed, Cursor, Key, Lane, Refused, Row, Scan, Slice, StoreLimits } from '../ports/store.ts'
import { checkChange, storeLimits } from './change-bounds.ts'
import { MemoryLog } from './memory-log.ts'
import { MemoryRows } from './memory-rows.ts'
import { absentRow, meets, refusal } from './refusal.ts'

export interface MemoryStateOptions {
  /** How many. */
  readonly lanes: number
  readonly incarnation: string
  readonly limits?: Partial<StoreLimits>
}

export class MemoryState {
  readonly limits: StoreLimits
  readonly incarnation: string
  readonly #log: MemoryLog
  readonly #rows = new MemoryRows()
  /** The newest last; those before `#released` have been dropped. */
  #undo: (() => void)[] = []
  #released = 0
  #storeMs = 0

  constructor({ lanes, incarnation, limits }: MemoryStateOptions) {
    this.limits = storeLimits(lanes, false, limits)
    this.incarnation = incarnation
    this.#log = new MemoryLog(this.limits.lanes)
  }

  get lanes(): readonly Lane[] {
    return this.limits.lanes
  }

  /** The position of the newest event applied, as a number; 0 before the first. */
  get head(): number {
    return this.#log.head
  }

  /** All or nothing. Throws where the change is none that this store can keep. */
  apply(change: Change, storeMs: number): Committed {
    checkChange(change, this.limits, this.incarnation)
    for (const trim of change.trims) this.#log.known(trim)
    const nowMs = this.#clock(storeMs)
    const refused = this.#judge(change, nowMs)
    if (refused !== undefined) return refused
    for (const trim of change.trims) this.#log.trim(trim, this.#undo)
    const at = change.appends.map((append) => this.#log.append(append, nowMs, this.#undo))
    for (const put of change.puts) this.#rows.put(put, change.id, this.#undo)
    for (const key of change.deletes) this.#rows.delete(key, this.#undo)
    return { ok: true, at, storeMs: nowMs }
  }

  get(keys: readonly Key[], storeMs: number): readonly (Row | undefined)[] {
    const nowMs = this.#clock(storeMs)
    return keys.map((key) => this.#rows.get(key, nowMs))
  }

  scan(range: Scan, storeMs: number): readonly Row[] {
    return this.#rows.scan(range, this.#clock(storeMs))
  }

  /** `head`: the newest position that is flushed, where that is not all that was applied. */
  read(
    from: readonly Cursor[],
    limit: { readonly events: number; readonly bytes: number },
    storeMs: number,
    head = this.head,
  ): readonly Slice[] {
    const nowMs = this.#clock(storeMs)
    return from.map((cursor) => this.#log.read(cursor, limit, nowMs, head))
  }

  /** A moment to come back to. */
  mark(): number {
    return this.#released + this.#undo.length
  }

  /** Takes back all that was applied since. */
  rewind(mark: number): void {
    if (mark < this.#released) throw fault('STORE_FAILED', 'what has been released cannot be taken back')
    while (this.#released + this.#undo.length > mark) this.#undo.pop()?.()
  }

  /** What was applied before it can't be taken back any more: it is flushed. */
  release(mark = this.mark()): void {
    if (mark <= this.#released) return
    this.#undo = this.#undo.slice(mark - this.#released)
    this.#released = mark
  }

  /** The store's time never goes back, whatever the machine's does. */
  #clock(storeMs: number): number {
    if (storeMs > this.#storeMs) this.#storeMs = storeMs
    return this.#storeMs
  }

  #judge(change: Change, nowMs: number): Refused | undefined {
    const rows: Row[] = []
    for (const check of change.checks) {
      const row = this.#rows.get(check, nowMs)
      if ((row?.rev ?? null) !== check.rev) rows.push(row ?? absentRow(check))
    }
    const versions: Record<string, number> = {}
    for (const { stream, expect } of change.expects) {
      const version = this.#log.version(stream)
      if (!meets(expect, version)) versions[stream] = version
    }
    const ids = knownIds(change, (name) => this.#log.has(name))
    return refusal(rows, versions, ids)
  }
}

/** Known before, or brought twice by this very change. */
function knownIds(change: Change, known: (name: string) => boolean): readonly string[] {
  if (change.appends.length === 0) return []
  const seen = new Set<string>()
  const ids = new Set<string>()
  for (const { event } of change.appends) {
    const name = eventName(event)
    if (seen.has(name) || known(name)) ids.add(name)
    seen.add(name)
  }
  return [...ids]
}
