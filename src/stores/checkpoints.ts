/**
 * Keeps the WAL short, without making commits wait for the disk.
 *
 *   16 MB ──▶ passes beside the commits ──▶ nearly all is written back ──▶ one pass while commits wait: the WAL begins anew
 */
import type { DatabaseSync } from 'node:sqlite'
import type { SideThread } from './side-thread.ts'

/** Frames of 4 KB. */
const beginAt = 4_000
const endAt = 14_000
const hardMax = 16_000
/** So few can be waited for. */
const restMax = 1_000
/** How often the length is looked at, in bytes that were written, about. */
const lookEvery = 1_048_576

export interface CheckpointParts {
  readonly db: DatabaseSync
  readonly thread: Pick<SideThread, 'pass'>
  /** No commit is begun, and none is under way when it resolves. */
  readonly hold: () => Promise<void>
  readonly release: () => void
}

export class Checkpoints {
  readonly #parts: CheckpointParts
  #bytes = 0
  #busy: Promise<void> | undefined
  /** After a pass that a reader elsewhere kept from its end the WAL must grow before it is tried again. */
  #from = beginAt

  constructor(parts: CheckpointParts) {
    this.#parts = parts
  }

  /** After each flushed group. Where the passes can't keep up commits wait. */
  wrote(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes < lookEvery) return
    this.#bytes = 0
    const { log } = this.#length()
    if (this.#busy === undefined && log >= this.#from) this.#busy = this.#run().finally(() => (this.#busy = undefined))
    if (this.#busy !== undefined && log >= Math.max(endAt, this.#from)) void this.#parts.hold()
  }

  async idle(): Promise<void> {
    await this.#busy
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        const passed = await this.#parts.thread.pass()
        if (passed.error !== undefined) return this.#alone()
        const { log, done } = this.#length()
        if (log - done <= restMax || log >= endAt) break
      }
      await this.#parts.hold()
      const last = await this.#parts.thread.pass()
      this.#from = last.log === last.done ? beginAt : Math.max(last.log, this.#length().log) + beginAt / 2
    } finally {
      this.#parts.release()
    }
  }

  /** Without the thread, and late: it makes the commits wait. */
  #alone(): void {
    if (this.#length().log < hardMax) return void (this.#from = Math.min(hardMax, this.#from + beginAt))
    this.#parts.db.exec('pragma wal_checkpoint(passive)')
    this.#from = beginAt
  }

  #length(): { readonly log: number; readonly done: number } {
    const row = this.#parts.db.prepare('pragma wal_checkpoint(noop)').get()
    return { log: Number(row?.['log']), done: Number(row?.['checkpointed']) }
  }
}
