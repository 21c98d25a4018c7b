/**
 * Says what the main thread is doing, so that another thread can name it while it is stuck. Two stores into shared memory a call; no
 * timer and no thread while nothing runs.
 */
import { telemetryTo, type Sink } from '../observe/telemetry.ts'
import { type SideThread, labelBytes, labelsAt, places } from './side-thread.ts'

export interface LoopWatch {
  /** Runs `run`; where that blocks the event loop, `label` is named. The part behind an `await` counts as the last one known. */
  during<T>(label: string, run: () => T): T
}

const beatMs = 100
/** After so many beats without a call it falls asleep. */
const drowsy = 10

export class SharedLoopWatch implements LoopWatch {
  readonly #thread: Pick<SideThread, 'awake' | 'beats'>
  readonly #shared: Int32Array
  readonly #numbers = new Map<string, number>()
  #timer: ReturnType<typeof setInterval> | undefined
  #quiet = 0

  constructor(thread: Pick<SideThread, 'awake' | 'beats'>) {
    this.#thread = thread
    this.#shared = new Int32Array(thread.beats, 0, labelsAt / 4)
  }

  during<T>(label: string, run: () => T): T {
    const before = this.#shared[places.inside] ?? 0
    const number = this.#numbers.get(label) ?? this.#number(label)
    this.#quiet = 0
    if (this.#timer === undefined) this.#wake()
    this.#shared[places.inside] = number
    this.#shared[places.last] = number
    try {
      return run()
    } finally {
      this.#shared[places.inside] = before
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    Atomics.store(this.#shared, places.awake, 0)
  }

  #wake(): void {
    Atomics.store(this.#shared, places.awake, 1)
    this.#thread.awake()
    this.#timer = setInterval(() => this.#beat(), beatMs).unref()
  }

  #beat(): void {
    Atomics.add(this.#shared, places.beat, 1)
    this.#quiet++
    if (this.#quiet > drowsy) this.stop()
  }

  /** Beyond what there is room for, labels share the last place. */
  #number(label: string): number {
    const room = (this.#thread.beats.byteLength - labelsAt) / labelBytes
    const number = Math.min(this.#numbers.size + 1, room)
    this.#numbers.set(label, number)
    const bytes = new Uint8Array(this.#thread.beats, labelsAt + (number - 1) * labelBytes, labelBytes)
    bytes.fill(0)
    new TextEncoder().encodeInto(label, bytes)
    return number
  }
}

/** What ran when it stopped; '' where nobody knows. */
export interface Blocked {
  readonly forMs: number
  readonly inside: string
  readonly last: string
}

/** A line as every other of the log. */
export function blockedLine({ forMs, inside, last }: Blocked, as: Pick<Sink, 'form' | 'colours' | 'nowMs'>): string {
  const who = inside !== '' ? `in ${inside}` : last !== '' ? `in nothing that is known; the last was ${last}` : 'in nothing that is known'
  const lines: string[] = []
  const { log } = telemetryTo({ ...as, least: 'error', write: (line) => void lines.push(line) })
  const blockedMs = Math.round(forMs)
  log('error', `the event loop has been blocked for ${blockedMs} ms, ${who}`, { blockedMs, in: inside || last })
  return lines.join('\n')
}
