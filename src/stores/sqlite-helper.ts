/**
 * The main thread's side of the helper thread. It is started when it is first needed.
 *
 *   WAL ── 16 MB ──▶ passes beside the commits ──▶ nearly all is written back ──▶ one pass while commits wait: the WAL begins anew
 */
import type { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'

export type Told = 'pass' | 'awake' | 'close'

export interface ThreadData {
  readonly path: string
  readonly beats: SharedArrayBuffer
  readonly limitMs: number
}

/** Where what stands in the shared numbers. Labels come behind them, as text. */
export const places = { beat: 0, awake: 1, inside: 2, last: 3 } as const
export const labelsAt = 16
export const labelBytes = 128
const labelsMax = 512

interface Passed {
  readonly log: number
  readonly done: number
  readonly error?: string
}

export class Helper {
  readonly beats = new SharedArrayBuffer(labelsAt + labelsMax * labelBytes)
  readonly #path: string
  readonly #limitMs: number
  #worker: Worker | undefined
  #passed: ((passed: Passed) => void) | undefined

  constructor(path: string, limitMs: number) {
    this.#path = path
    this.#limitMs = limitMs
  }

  awake(): void {
    this.#start().postMessage('awake' satisfies Told)
  }

  /** One pass. The process stays alive for it: commits may be waiting. */
  pass(): Promise<Passed> {
    const worker = this.#start()
    return new Promise((resolve) => {
      worker.ref()
      this.#passed = (passed) => {
        worker.unref()
        this.#passed = undefined
        resolve(passed)
      }
      worker.postMessage('pass' satisfies Told)
    })
  }

  /** Its connection is the last one then: it writes the rest of the WAL back. */
  async close(): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    worker.ref()
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    worker.postMessage('close' satisfies Told)
    await exited
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const file = new URL(import.meta.url.endsWith('.ts') ? './sqlite-thread.ts' : './sqlite-thread.js', import.meta.url)
    const workerData: ThreadData = { path: this.#path, beats: this.beats, limitMs: this.#limitMs }
    const worker = new Worker(file, { workerData, execArgv: [], env: {} })
    worker.on('message', (passed: Passed) => this.#passed?.(passed))
    worker.on('error', (error) => this.#lost(String(error)))
    worker.on('exit', () => this.#lost('it has ended'))
    // Listening has made the process wait for it.
    worker.unref()
    this.#worker = worker
    return worker
  }

  /** The next call starts another one. */
  #lost(error: string): void {
    this.#worker = undefined
    this.#passed?.({ log: -1, done: -1, error })
  }
}

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
  readonly helper: Pick<Helper, 'pass'>
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
        const passed = await this.#parts.helper.pass()
        if (passed.error !== undefined) return this.#alone()
        const { log, done } = this.#length()
        if (log - done <= restMax || log >= endAt) break
      }
      await this.#parts.hold()
      const last = await this.#parts.helper.pass()
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
