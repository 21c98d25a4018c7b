/**
 * Group commit: what a tick hands in is one transaction, and while it is flushed the next group gathers.
 *
 *   commit ──▶ waiting ──soon──▶ transaction ──▶ flush ──▶ answers, in order
 *                 ▲                                │
 *                 └───────── gathers meanwhile ◀───┘
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Fault } from '../kit/fault.ts'
import { fault } from '../kit/fault.ts'
import type { Change, Committed, Placed } from '../ports/store.ts'
import { isIoError, storeFault } from './sqlite-faults.ts'
import type { FlushChoice } from './sqlite-flush.ts'
import type { SqliteWrites } from './sqlite-writes.ts'

export interface Entry {
  readonly change: Change
  readonly resolve: (committed: Committed) => void
  readonly reject: (error: Fault) => void
  outcome: Committed | Fault | undefined
}

export interface Flushed {
  readonly entries: readonly Entry[]
  readonly events: readonly Placed[]
  readonly head: number
  /** The flush failed: nobody may see what it was for. */
  readonly lost: boolean
}

export interface GroupParts {
  readonly path: string
  readonly db: DatabaseSync
  readonly writes: SqliteWrites
  readonly choice: FlushChoice
  /** Right before a commit that is flushed later: from here on, until its flush, others read what was there before. */
  readonly hide: () => void
  /** Flushes the WAL in the pool. */
  readonly sync: (done: (error: Error | null) => void) => void
  readonly clockMs: () => number
  readonly monotonicMs: () => number
  readonly soon: (run: () => void) => void
  /** Before the answers are given. */
  readonly flushed: (flushed: Flushed) => void
}

/** Events of one transaction, as many as a lane may have open; a larger change has one of its own. */
const eventsMax = 1_000
/** So long may group follow group before the event loop turns. */
const turnMax = 8

export class GroupCommit {
  readonly #parts: GroupParts
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  #waiting: Entry[] = []
  #scheduled = false
  #flushing = false
  #held = false
  #synchronous: 'FULL' | 'NORMAL' | undefined
  #broken: Fault | undefined
  /** While it is there the event loop has not turned since `#turnMs`. */
  #turn: NodeJS.Immediate | undefined
  #turnMs = 0
  #idle: (() => void) | undefined
  #still: (() => void) | undefined

  constructor(parts: GroupParts) {
    this.#parts = parts
    this.#begin = parts.db.prepare('begin immediate')
    this.#commit = parts.db.prepare('commit')
  }

  add(entry: Entry): void {
    this.#waiting.push(entry)
    this.#gather()
  }

  /** Nothing is begun until `release`; resolves once nothing is under way: somebody needs the file to stand still. */
  hold(): Promise<void> {
    this.#held = true
    return new Promise((resolve) => {
      if (this.#flushing) this.#still = resolve
      else resolve()
    })
  }

  release(): void {
    this.#held = false
    this.#gather()
  }

  /** When nothing waits and nothing is under way. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve
      this.#gather()
    })
  }

  #gather(): void {
    if (this.#scheduled || this.#flushing || this.#held) return
    this.#scheduled = true
    const run = (): void => {
      this.#scheduled = false
      this.#run()
    }
    const { soon, monotonicMs } = this.#parts
    if (this.#turn !== undefined && monotonicMs() - this.#turnMs > turnMax) setImmediate(run)
    else soon(() => soon(run))
  }

  /** Whoever commits again as soon as it is answered would else keep the event loop from ever turning. */
  #noteTurn(): void {
    if (this.#turn !== undefined) return
    this.#turnMs = this.#parts.monotonicMs()
    this.#turn = setImmediate(() => (this.#turn = undefined))
  }

  #run(): void {
    if (this.#flushing || this.#held) return
    if (this.#waiting.length === 0) return this.#rest()
    this.#noteTurn()
    const entries = this.#take()
    if (this.#broken !== undefined)
      return this.#answer({ entries: refuse(entries, this.#broken), events: [], head: this.#parts.writes.head, lost: true })
    const mode = this.#mode()
    const events: Placed[] = []
    this.#write(entries, events)
    const group = { entries, events, head: this.#parts.writes.head, lost: false }
    if (mode === 'inline' || this.#broken !== undefined || !entries.some(wrote)) return this.#answer(group)
    this.#flush(group)
  }

  /** As many events as fit one transaction, in order; what brings none goes along, for publishers never hold up the commits of turns. */
  #take(): Entry[] {
    const all = this.#waiting
    let events = 0
    for (const { change } of all) events += change.appends.length
    if (events <= eventsMax) {
      this.#waiting = []
      return all
    }
    const taken: Entry[] = []
    const left: Entry[] = []
    events = 0
    for (const entry of all) {
      const { length } = entry.change.appends
      if (length > 0 && events > 0 && (left.length > 0 || events + length > eventsMax)) left.push(entry)
      else {
        taken.push(entry)
        events += length
      }
    }
    this.#waiting = left
    return taken
  }

  #mode(): 'inline' | 'pool' {
    const { choice, db } = this.#parts
    const synchronous = choice.now === 'pool' ? 'NORMAL' : 'FULL'
    if (synchronous !== this.#synchronous) db.exec(`pragma synchronous = ${synchronous}`)
    this.#synchronous = synchronous
    return choice.now
  }

  /**
   * One transaction; where something fails that is none of a change's own checks, each change has one of its own, so that it fails
   * alone.
   */
  #write(entries: readonly Entry[], events: Placed[]): void {
    const failed = this.#transaction(entries, events)
    if (failed === undefined) return
    if (entries.length === 1 || this.#broken !== undefined) return void refuse(entries, failed)
    for (const entry of entries) {
      const alone = this.#broken ?? this.#transaction([entry], events)
      if (alone !== undefined) entry.outcome = alone
    }
  }

  #transaction(entries: readonly Entry[], events: Placed[]): Fault | undefined {
    const { db, writes, choice, path, clockMs, monotonicMs, hide } = this.#parts
    const before = { head: writes.head, events: events.length }
    const storeMs = clockMs()
    let committing = false
    try {
      this.#begin.run()
      for (const entry of entries) entry.outcome = writes.apply(entry.change, storeMs, events)
      if (choice.now === 'pool') hide()
      committing = true
      const startMs = monotonicMs()
      this.#commit.run()
      if (choice.now === 'inline' && entries.some(wrote)) choice.took(monotonicMs() - startMs)
      return undefined
    } catch (error) {
      if (db.isTransaction) db.exec('rollback')
      writes.rows.forget()
      writes.head = before.head
      events.length = before.events
      if (committing && isIoError(error)) return this.#break(error)
      return storeFault(error, path)
    }
  }

  #flush(group: Flushed): void {
    const { sync, choice, monotonicMs } = this.#parts
    const startMs = monotonicMs()
    this.#flushing = true
    sync((error) => {
      this.#flushing = false
      choice.took(monotonicMs() - startMs)
      if (error !== null) refuse(group.entries, this.#break(error))
      this.#answer(error === null ? group : { ...group, lost: true })
    })
  }

  #answer(group: Flushed): void {
    this.#parts.flushed(group)
    for (const { outcome, resolve, reject } of group.entries) {
      if (outcome === undefined) reject(fault('STORE_FAILED', 'a change was not looked at'))
      else if ('ok' in outcome) resolve(outcome)
      else reject(outcome)
    }
    this.#still?.()
    this.#still = undefined
    if (this.#waiting.length > 0 || this.#idle !== undefined) queueMicrotask(() => this.#gather())
  }

  /** After a flush that failed nobody knows what is on the disk, and a second one may say 'well' of pages that the kernel has dropped. */
  #break(cause: unknown): Fault {
    const { path } = this.#parts
    const detail = `${path}: a flush failed; what is on the disk is unknown, so nothing more is written: start again`
    this.#broken = fault('STORE_FAILED', detail, { path, unknown: false, flush: 'failed before' }, cause)
    return fault('STORE_FAILED', detail, { path, unknown: true, flush: 'failed' }, cause)
  }

  #rest(): void {
    this.#idle?.()
    this.#idle = undefined
  }
}

function wrote({ outcome, change }: Entry): boolean {
  if (outcome === undefined || !('ok' in outcome) || !outcome.ok) return false
  return (
    change.appends.length > 0 || change.puts.length > 0 || change.deletes.length > 0 || change.trims.length > 0 || change.native.length > 0
  )
}

function refuse(entries: readonly Entry[], outcome: Fault): readonly Entry[] {
  for (const entry of entries) entry.outcome = outcome
  return entries
}
