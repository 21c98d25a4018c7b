/**
 * One store under all simulated processes. *Applied* and *flushed* are apart: a commit is applied at once, flushed with
 * others after a while, and answered only then;
 * a power cut takes back whatever was not flushed.
 *
 *   call ──way──▶ applied ──flush──▶ flushed ──way──▶ answer
 *
 * It decides nothing by itself: the weather says what goes wrong and how long things take, the witness sees each change at the door.
 */
import type { Change, Committed, Cursor, Key, Row, Scan, Slice, StoreLimits } from '../ports/store.ts'
import { MemoryState } from '../stores/memory-state.ts'
import type { SimProcess } from './sim-process.ts'
import type { SimWorld } from './sim-world.ts'

/** What may go wrong with one call. */
export type StoreFault =
  | 'none'
  /** Refused, nothing applied: STORE_FULL or STORE_FAILED. */
  | 'full'
  | 'failed'
  /** STORE_FAILED with `unknown`: applied all the same, or not. */
  | 'lost'
  | 'missed'
  /** As lost and missed, but it takes a time-out to find out. */
  | 'silent'
  | 'mute'
  /** Applied and answered, very late. */
  | 'slow'
  /** Given up with `unknown`, and applied only after that. */
  | 'stray'

export type StoreCall = 'commit' | 'get' | 'scan' | 'read'

export interface Weather {
  /** What becomes of a call. `op` is what the witness calls it. */
  fault(process: SimProcess, call: StoreCall, op: string): StoreFault
  wayUs(process: SimProcess): number
  flushUs(): number
  slowUs(): number
  silentUs(): number
  /** Whether a commit that is on its way when its process crashes still arrives. */
  outlives(): boolean
  hint(): 'prompt' | 'late' | 'lost' | 'false'
  /** Whether a wait for a change ends after a while in any case. */
  polls(): boolean
}

export type Stage = 'called' | 'applied' | 'flushed' | 'answered'

export interface Witness {
  nameOf(change: Change): string
  stage(process: SimProcess, op: string, stage: Stage): void
  /** The store as it is before the change. */
  before(process: SimProcess, op: string, change: Change): void
  after(process: SimProcess, op: string, change: Change, committed: Committed): void
  flushed(upTo: number): void
  /** What was not flushed has been taken back. */
  cutOff(): void
}

export interface DiskOptions {
  readonly lanes: number
  readonly limits: Partial<StoreLimits>
  readonly incarnation: string
  /** How far its clock is from the world's. */
  readonly skewMs: number
  /** Whether a look at rows waits until what it saw is flushed. */
  readonly gated: boolean
}

interface Waiting {
  readonly upTo: number
  readonly go: () => void
}

export const diskLabel = 3

export class SimDisk {
  readonly world: SimWorld
  readonly weather: Weather
  readonly witness: Witness
  readonly options: DiskOptions
  readonly state: MemoryState
  /** Grows with each power cut: what was on its way then never arrives. */
  life = 0
  applied = 0
  flushedUpTo = 0
  #flushing = false
  #waiting: Waiting[] = []
  #headFlushed = 0
  #markFlushed: number
  #onFlush: ((names: ReadonlySet<string>) => void) | undefined
  #touched = new Set<string>()

  constructor(world: SimWorld, weather: Weather, witness: Witness, options: DiskOptions) {
    this.world = world
    this.weather = weather
    this.witness = witness
    this.options = options
    this.state = new MemoryState({ lanes: options.lanes, incarnation: options.incarnation, limits: { writers: 'many', ...options.limits } })
    this.#markFlushed = this.state.mark()
  }

  get nowMs(): number {
    return Math.floor(this.world.nowMs + this.options.skewMs)
  }

  /** Who wants to know what was flushed: the hints. */
  onFlush(tell: (names: ReadonlySet<string>) => void): void {
    this.#onFlush = tell
  }

  /** Applies now; `then` is called once it is flushed, or at once where it was refused for what is flushed already. */
  commit(process: SimProcess, op: string, change: Change, then: (committed: Committed) => void): void {
    this.witness.before(process, op, change)
    const committed = this.state.apply(change, this.nowMs)
    if (committed.ok) {
      this.applied += 1
      this.#touch(change, committed)
    }
    this.witness.after(process, op, change, committed)
    this.witness.stage(process, op, 'applied')
    this.flushedThen(() => {
      if (committed.ok) this.witness.stage(process, op, 'flushed')
      then(committed)
    })
  }

  get(keys: readonly Key[]): readonly (Row | undefined)[] {
    return this.state.get(keys, this.nowMs)
  }

  scan(range: Scan): readonly Row[] {
    return this.state.scan(range, this.nowMs)
  }

  /** Only what is flushed. */
  read(from: readonly Cursor[], limit: { readonly events: number; readonly bytes: number }): readonly Slice[] {
    return this.state.read(from, limit, this.nowMs, this.#headFlushed)
  }

  get headFlushed(): number {
    return this.#headFlushed
  }

  /** Calls back once what is applied now is flushed. */
  flushedThen(go: () => void): void {
    if (this.flushedUpTo >= this.applied) go()
    else this.#waiting.push({ upTo: this.applied, go })
    this.#flush()
  }

  /** Power is gone: what is not flushed never was. Whoever was connected has crashed too. */
  cut(): void {
    this.life += 1
    this.#flushing = false
    this.#waiting = []
    this.#touched.clear()
    this.state.rewind(this.#markFlushed)
    this.applied = this.flushedUpTo
    this.witness.cutOff()
  }

  #flush(): void {
    if (this.#flushing || this.flushedUpTo >= this.applied) return
    this.#flushing = true
    const upTo = this.applied
    const head = this.state.head
    const mark = this.state.mark()
    const life = this.life
    const touched = this.#touched
    this.#touched = new Set()
    this.world.after(this.weather.flushUs(), undefined, diskLabel, () => {
      if (life !== this.life) return
      this.#flushing = false
      this.flushedUpTo = upTo
      this.#headFlushed = head
      this.#markFlushed = mark
      this.state.release(mark)
      this.witness.flushed(upTo)
      this.#onFlush?.(touched)
      const ready = this.#waiting.filter((waiting) => waiting.upTo <= upTo)
      this.#waiting = this.#waiting.filter((waiting) => waiting.upTo > upTo)
      for (const { go } of ready) if (life === this.life) go()
      this.#flush()
    })
  }

  #touch(change: Change, committed: Extract<Committed, { ok: true }>): void {
    for (const { lane } of committed.at) this.#touched.add(lane)
    for (const { kind, part } of change.puts) this.#touched.add(`${kind}/${part}`)
    for (const { kind, part } of change.deletes) this.#touched.add(`${kind}/${part}`)
  }
}
