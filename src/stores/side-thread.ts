/** The one thread beside the main one, seen from there. It is started when it is first needed. */
import { Worker } from 'node:worker_threads'

export type Told = 'pass' | 'awake' | 'close'

export interface ThreadData {
  readonly path: string
  readonly beats: SharedArrayBuffer
  readonly limitMs: number
  /** Where file 2 is a terminal. The thread has no environment of its own. */
  readonly colours: boolean
}

/** Where what stands in the shared numbers. Labels come behind them, as text. */
export const places = { beat: 0, awake: 1, inside: 2, last: 3 } as const
export const labelsAt = 16
export const labelBytes = 128
const labelsMax = 512

export interface Passed {
  readonly log: number
  readonly done: number
  readonly error?: string
}

export class SideThread {
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
    const file = new URL(import.meta.url.endsWith('.ts') ? './side-thread-body.ts' : './side-thread-body.js', import.meta.url)
    const colours = process.env['NO_COLOR'] === undefined
    const workerData: ThreadData = { path: this.#path, beats: this.beats, limitMs: this.#limitMs, colours }
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
