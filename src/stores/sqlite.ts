/**
 * The store in one SQLite file: one process owns it, commits on its main thread in groups, and flushes without making anybody wait for
 * a slow disk.
 *
 *   changes ─▶ group ─▶ transaction ─▶ flush ─▶ answers ─▶ handed on to readers at the head
 *   reads   ─▶ what is flushed: this connection, or while a flush is under way one that stands before it
 */
import { closeSync, fdatasync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { fault } from '../kit/fault.ts'
import { idMint } from '../kit/uuid-v7.ts'
import type { Change, Committed, Cursor, Key, Row, Scan, Slice, Store, StoreLimits } from '../ports/store.ts'
import { Checkpoints } from './checkpoints.ts'
import { checkChange, storeLimits } from './change-bounds.ts'
import { laneOfSlot, positionText } from './lane-ranges.ts'
import { type LoopWatch, SharedLoopWatch } from './loop-watch.ts'
import { SideThread } from './side-thread.ts'
import { storeFault } from './sqlite-faults.ts'
import { FlushChoice, type FlushMode } from './sqlite-flush.ts'
import { type Flushed, GroupCommit } from './sqlite-group.ts'
import { openDatabaseSync, type Opened, type OpenSqlite, openSqlite } from './sqlite-open.ts'
import { type ReadLimit, SqliteReads } from './sqlite-reads.ts'
import { Tail } from './sqlite-tail.ts'
import { SqliteWrites } from './sqlite-writes.ts'
import { Waiters } from './waiters.ts'

export interface SqliteStoreOptions extends Omit<OpenSqlite, 'mint'> {
  readonly monotonicMs: () => number
  readonly soon: (run: () => void) => void
  readonly random: () => number
  readonly flush?: FlushMode
  readonly limits?: Partial<StoreLimits>
  /** A main thread that stands still for longer is named; one second unless said. */
  readonly blockedMs?: number
  /** Flushes a file; another one to make a disk slow or broken. */
  readonly sync?: (file: number, done: (error: Error | null) => void) => void
}

export interface SqliteStore extends Store {
  /** For whoever runs other people's code on the main thread. */
  readonly watch: LoopWatch
}

/** A second connection, with what makes it stand at what it sees. */
interface View {
  readonly db: DatabaseSync
  readonly reads: SqliteReads
  readonly begin: StatementSync
  readonly stand: StatementSync
  readonly end: StatementSync
}

export async function sqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const opened = openSqlite({ ...options, mint: idMint(options) })
  try {
    return new OpenStore(options, opened)
  } catch (error) {
    opened.db.close()
    opened.file?.hold.release()
    throw storeFault(error, options.path)
  }
}

class OpenStore implements SqliteStore {
  readonly limits: StoreLimits
  readonly incarnation: string
  readonly #options: SqliteStoreOptions
  readonly #opened: Opened
  readonly #group: GroupCommit
  readonly #reads: SqliteReads
  readonly #tail: Tail
  readonly #waiters = new Waiters()
  readonly watch: SharedLoopWatch
  readonly #thread: SideThread
  readonly #checkpoints: Checkpoints | undefined
  readonly #laneName: (slot: number) => string
  /** Where is read while a flush is under way. Made when the first one is. */
  #view: View | undefined
  /** Of each lane. */
  #firsts: readonly string[]
  #head: number
  #storeMs: number
  #closed: Promise<void> | undefined

  constructor(options: SqliteStoreOptions, opened: Opened) {
    const { path, flush = 'auto', monotonicMs, soon, sync = fdatasync } = options
    this.limits = storeLimits(opened.lanes, opened.native, options.limits)
    this.incarnation = opened.incarnation
    this.#options = options
    this.#opened = opened
    this.#head = opened.head
    this.#storeMs = opened.storedMs
    const laneOf = laneOfSlot(this.limits.lanes)
    this.#laneName = (slot) => this.limits.lanes[laneOf[slot] ?? 0]?.name ?? ''
    this.#reads = new SqliteReads(opened.db, this.limits.lanes)
    this.#firsts = this.#reads.firsts()
    this.#tail = new Tail(this.limits.lanes, positionText(opened.head))
    this.#thread = new SideThread(path, options.blockedMs ?? 1_000)
    this.watch = new SharedLoopWatch(this.#thread)
    const file = opened.file
    this.#group = new GroupCommit({
      ...{ path, monotonicMs, soon },
      db: opened.db,
      writes: new SqliteWrites(opened.db, this.limits.lanes, opened.head),
      choice: new FlushChoice(file === undefined ? 'inline' : flush),
      hide: () => this.#hide(),
      sync: (done) => (file === undefined ? done(null) : sync(file.wal, done)),
      clockMs: () => this.#clock(),
      flushed: (group) => this.#flushed(group),
    })
    const [hold, release] = [() => this.#group.hold(), () => this.#group.release()]
    this.#checkpoints = file === undefined ? undefined : new Checkpoints({ db: opened.db, thread: this.#thread, hold, release })
  }

  commit(change: Change): Promise<Committed> {
    return new Promise((resolve, reject) => {
      this.#mustBeOpen()
      checkChange(change, this.limits, this.incarnation)
      for (const { lane, upTo } of change.trims) this.#reads.known(lane, upTo)
      this.#group.add({ change, resolve, reject, outcome: undefined })
    })
  }

  async get(keys: readonly Key[]): Promise<readonly (Row | undefined)[]> {
    return this.#look((reads, storeMs) => keys.map((key) => reads.rows.get(key, storeMs)))
  }

  async scan(range: Scan): Promise<readonly Row[]> {
    return this.#look((reads, storeMs) => reads.rows.scan(range, storeMs))
  }

  async read(from: readonly Cursor[], limit: ReadLimit): Promise<readonly Slice[]> {
    this.#mustBeOpen()
    const storeMs = this.#clock()
    const slices: Slice[] = []
    for (const cursor of from) slices.push(this.#tail.read(cursor, limit, storeMs, this.#firsts) ?? (await this.#readStore(cursor, limit)))
    return slices
  }

  async changed(names: readonly string[], signal: AbortSignal, types?: ReadonlySet<string>): Promise<void> {
    this.#mustBeOpen()
    await this.#waiters.wait(names, signal, types)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await this.#checkpoints?.idle()
    await this.#group.idle()
    this.#waiters.wakeAll()
    this.watch.stop()
    const { file } = this.#opened
    try {
      await this.#closeFiles()
      file?.hold.remember({ incarnation: this.incarnation, head: this.#head })
    } catch (error) {
      // What is remembered is a lower bound: without room for it the old one stands.
      const failed = storeFault(error, this.#options.path)
      if (failed.code !== 'STORE_FULL') throw failed
    } finally {
      file?.hold.release()
    }
  }

  async #closeFiles(): Promise<void> {
    const { db, file } = this.#opened
    this.#view?.db.close()
    if (file !== undefined) closeSync(file.wal)
    db.close()
    await this.#thread.close()
  }

  /** A window at a time, so that a reader of what is rare does not hold up the process. */
  async #readStore(cursor: Cursor, limit: ReadLimit): Promise<Slice> {
    for (let from = cursor; ;) {
      const { slice, whole } = this.#look((reads, storeMs) => reads.read(from, limit, storeMs, this.#head))
      if (whole) return this.#tail.join(slice)
      from = slice.next
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }

  #look<T>(run: (reads: SqliteReads, storeMs: number) => T): T {
    this.#mustBeOpen()
    try {
      const reads = this.#view?.db.isTransaction === true ? this.#view.reads : this.#reads
      return run(reads, this.#clock())
    } catch (error) {
      throw storeFault(error, this.#options.path)
    }
  }

  /** A second connection that begins to read before the commit goes on seeing what was there, until it ends. */
  #hide(): void {
    this.#view ??= this.#openView()
    if (this.#view.db.isTransaction) return
    this.#view.begin.run()
    this.#view.stand.get()
  }

  #openView(): View {
    const db = (this.#options.openDatabase ?? openDatabaseSync)(this.#options.path, { readOnly: true })
    const [begin, stand, end] = [db.prepare('begin'), db.prepare('select 1 from store'), db.prepare('commit')]
    return { db, reads: new SqliteReads(db, this.limits.lanes), begin, stand, end }
  }

  /** After a flush that failed the other connection goes on standing where it is: what it does not see may not be there tomorrow. */
  #flushed({ entries, events, head, lost }: Flushed): void {
    if (lost) return
    if (this.#view?.db.isTransaction === true) this.#view.end.run()
    this.#head = head
    this.#tail.add(events)
    // A page for what a change touches, and what an event has besides its data.
    let bytes = entries.length * 4_096
    for (const { data } of events) bytes += data.length + 300
    for (const { change, outcome } of entries) {
      if (outcome === undefined || !('ok' in outcome) || !outcome.ok) continue
      if (change.trims.length > 0) this.#trimmed(head)
      for (const { value } of change.puts) bytes += value.length + 300
      this.#waiters.note(change, this.#laneName)
    }
    this.#waiters.tell()
    this.#checkpoints?.wrote(bytes)
  }

  #trimmed(head: number): void {
    this.#tail.restart(positionText(head))
    this.#firsts = this.#reads.firsts()
  }

  /** The store's time never goes back, whatever the machine's does. */
  #clock(): number {
    const nowMs = this.#options.nowMs()
    if (nowMs > this.#storeMs) this.#storeMs = nowMs
    return this.#storeMs
  }

  #mustBeOpen(): void {
    if (this.#closed !== undefined) throw fault('STORE_CLOSED')
  }
}
