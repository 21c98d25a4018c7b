/**
 * What one would write by hand for the same durability, and nothing else of ours: publish, handle, mark, over one SQLite file.
 *
 *   publish ──▶ waiting ──tick──▶ one transaction: events, and the mark of what was handled ──▶ flush ──▶ answers, handlers
 *
 * No validation, no routing, no retries, one process. Events are typed columns. Two ways to flush: inside the commit (FULL),
 * or one fdatasync of the WAL in the thread pool after it (NORMAL).
 */
import { closeSync, fdatasync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

export type BareFlush = 'inline' | 'pool'
export type Handler<Data> = (data: Data) => Promise<void>

export interface BareOptions<Data> {
  readonly path: string
  readonly flush: BareFlush
  /** With an index that refuses an id it has: without it a call that is made again is stored twice. */
  readonly uniqueIds?: boolean
  readonly type: string
  keyOf(data: Data): string
  /** Each with a mark of its own. */
  readonly handlers: readonly Handler<Data>[]
  /** After each flush, so that a slow disk can be played. */
  readonly sync?: (wal: number, done: (error: Error | null) => void) => void
}

interface Waiting<Data> {
  readonly data: Data
  readonly stored: () => void
  readonly failed: (error: Error) => void
}

export class BareLoop<Data> {
  readonly #options: BareOptions<Data>
  readonly #db: DatabaseSync
  readonly #wal: number
  readonly #handled: number[]
  readonly #marked: number[]
  #waiting: Waiting<Data>[] = []
  #head = 0
  #busy = false
  #idle: (() => void) | undefined
  readonly #insert
  readonly #mark
  readonly #begin
  readonly #commit

  constructor(options: BareOptions<Data>) {
    this.#options = options
    const db = new DatabaseSync(options.path)
    db.exec(`pragma journal_mode = wal; pragma wal_autocheckpoint = 4000;
      pragma synchronous = ${options.flush === 'inline' ? 'full' : 'normal'};
      create table if not exists events
        (position integer primary key, slot integer, type text, id text, version integer, key text, time text, data text);
      create table if not exists marks (name integer primary key, position integer)`)
    if (options.uniqueIds === true) db.exec('create unique index if not exists ids on events (id)')
    this.#db = db
    this.#insert = db.prepare('insert into events values (?, ?, ?, ?, ?, ?, ?, ?)')
    this.#mark = db.prepare('insert or replace into marks values (?, ?)')
    this.#begin = db.prepare('begin immediate')
    this.#commit = db.prepare('commit')
    db.exec('insert or replace into marks values (0, 0)')
    this.#wal = openSync(`${options.path}-wal`, 'r+')
    this.#handled = options.handlers.map(() => 0)
    this.#marked = options.handlers.map(() => 0)
  }

  publish(data: Data): Promise<void> {
    return new Promise((stored, failed) => {
      this.#waiting.push({ data, stored, failed })
      this.#tick()
    })
  }

  /** Once all that was published is handled and marked. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve
      this.#tick()
    })
  }

  close(): void {
    closeSync(this.#wal)
    this.#db.close()
  }

  #tick(): void {
    if (this.#busy) return
    this.#busy = true
    setImmediate(() => this.#run())
  }

  #run(): void {
    const group = this.#waiting
    if (group.length === 0 && this.#handled.every((handled, at) => handled === this.#marked[at])) return this.#rest()
    this.#waiting = []
    this.#write(group)
    if (this.#options.flush === 'inline') return this.#flushed(group, null)
    const sync = this.#options.sync ?? fdatasync
    sync(this.#wal, (error) => this.#flushed(group, error))
  }

  #write(group: readonly Waiting<Data>[]): void {
    const { type, keyOf } = this.#options
    const now = new Date()
    const [time, head] = [now.toISOString(), now.getTime().toString(16).padStart(12, '0')]
    this.#begin.run()
    for (const { data } of group) {
      const position = ++this.#head
      const id = `${head}-${position.toString(16).padStart(12, '0')}`
      this.#insert.run(position, position & 1_023, type, id, 1, keyOf(data), time, JSON.stringify(data))
    }
    for (const [name, handled] of this.#handled.entries()) {
      if (handled === this.#marked[name]) continue
      this.#mark.run(name, handled)
      this.#marked[name] = handled
    }
    this.#commit.run()
  }

  #flushed(group: readonly Waiting<Data>[], error: Error | null): void {
    this.#busy = false
    for (const { stored, failed } of group) {
      if (error === null) stored()
      else failed(error)
    }
    for (const [name, handle] of this.#options.handlers.entries()) {
      for (const { data } of group) {
        void handle(data).then(() => {
          this.#handled[name] = (this.#handled[name] ?? 0) + 1
          this.#tick()
        })
      }
    }
    this.#tick()
  }

  #rest(): void {
    this.#busy = false
    if (this.#waiting.length > 0 || this.#handled.some((handled) => handled < this.#head)) return
    this.#idle?.()
    this.#idle = undefined
  }
}
