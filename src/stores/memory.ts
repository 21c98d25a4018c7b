/** A store that keeps nothing beyond its process: for tests, for simulation, and for trying things out. */
import { fault } from '../kit/fault.ts'
import type { Change, Committed, Cursor, Key, Lane, Row, Scan, Slice, Store, StoreLimits } from '../ports/store.ts'
import { laneOfSlot } from './lane-ranges.ts'
import { MemoryState, type MemoryStateOptions } from './memory-state.ts'
import { Waiters } from './waiters.ts'

export interface MemoryStoreOptions extends Omit<MemoryStateOptions, 'lanes'> {
  readonly nowMs: () => number
  /** How many; four unless said. */
  readonly lanes?: number
  /** Given: a commit is answered only then, as after a flush. */
  readonly soon?: (run: () => void) => void
}

export function memoryStore({ nowMs, lanes = 4, soon, ...options }: MemoryStoreOptions): Store {
  return memoryStoreOver(new MemoryState({ lanes, ...options }), nowMs, soon)
}

/** Over a state that the caller holds too: a test looks into it without a promise. */
export function memoryStoreOver(state: MemoryState, nowMs: () => number, soon?: (run: () => void) => void): Store {
  return new MemoryStore(state, nowMs, soon)
}

class MemoryStore implements Store {
  readonly limits: StoreLimits
  readonly incarnation: string
  readonly #state: MemoryState
  readonly #nowMs: () => number
  readonly #soon: ((run: () => void) => void) | undefined
  readonly #waiters = new Waiters()
  readonly #lanes: readonly Lane[]
  readonly #laneOf: Uint16Array
  #closed = false

  constructor(state: MemoryState, nowMs: () => number, soon: ((run: () => void) => void) | undefined) {
    this.#state = state
    this.#nowMs = nowMs
    this.#soon = soon
    this.limits = state.limits
    this.incarnation = state.incarnation
    this.#lanes = state.limits.lanes
    this.#laneOf = laneOfSlot(this.#lanes)
  }

  async commit(change: Change): Promise<Committed> {
    this.#mustBeOpen()
    const committed = this.#state.apply(change, this.#nowMs())
    this.#state.release()
    const soon = this.#soon
    if (soon !== undefined) await new Promise<void>((resolve) => soon(resolve))
    if (!committed.ok) return committed
    this.#waiters.note(change, (slot) => this.#lanes[this.#laneOf[slot] ?? 0]?.name ?? '')
    this.#waiters.tell()
    return committed
  }

  async get(keys: readonly Key[]): Promise<readonly (Row | undefined)[]> {
    this.#mustBeOpen()
    return this.#state.get(keys, this.#nowMs())
  }

  async scan(range: Scan): Promise<readonly Row[]> {
    this.#mustBeOpen()
    return this.#state.scan(range, this.#nowMs())
  }

  async read(from: readonly Cursor[], limit: { readonly events: number; readonly bytes: number }): Promise<readonly Slice[]> {
    this.#mustBeOpen()
    return this.#state.read(from, limit, this.#nowMs())
  }

  async changed(names: readonly string[], signal: AbortSignal, types?: ReadonlySet<string>): Promise<void> {
    this.#mustBeOpen()
    await this.#waiters.wait(names, signal, types)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#waiters.wakeAll()
  }

  #mustBeOpen(): void {
    if (this.#closed) throw fault('STORE_CLOSED')
  }
}
