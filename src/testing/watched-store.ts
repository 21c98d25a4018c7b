/** A memory store that a test looks into: what stands in it, without a promise, and whether something is under way. */
import type { Change, Committed, Cursor, Key, Placed, Row, Scan, Slice, Store, StoreLimits } from '../ports/store.ts'
import { memoryStoreOver } from '../stores/memory.ts'
import { MemoryState } from '../stores/memory-state.ts'
import type { VirtualEnvironment } from './virtual-environment.ts'

const all = { events: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER }

export class WatchedStore implements Store {
  readonly limits: StoreLimits
  readonly incarnation: string
  /** Calls and answers so far. */
  moves = 0
  /** Calls that have no answer yet, but for those that wait for a change. */
  underWay = 0
  readonly #state: MemoryState
  readonly #store: Store
  readonly #environment: VirtualEnvironment

  constructor(environment: VirtualEnvironment, lanes: number) {
    this.#environment = environment
    this.#state = new MemoryState({ lanes, incarnation: 'test' })
    const soon = (run: () => void): void => environment.soon(run)
    this.#store = memoryStoreOver(this.#state, () => environment.nowMs(), soon)
    this.limits = this.#store.limits
    this.incarnation = this.#store.incarnation
  }

  commit(change: Change): Promise<Committed> {
    return this.#watched(this.#store.commit(change))
  }

  get(keys: readonly Key[]): Promise<readonly (Row | undefined)[]> {
    return this.#watched(this.#store.get(keys))
  }

  scan(range: Scan): Promise<readonly Row[]> {
    return this.#watched(this.#store.scan(range))
  }

  read(from: readonly Cursor[], limit: { readonly events: number; readonly bytes: number }): Promise<readonly Slice[]> {
    return this.#watched(this.#store.read(from, limit))
  }

  async changed(names: readonly string[], signal: AbortSignal, types?: ReadonlySet<string>): Promise<void> {
    this.moves += 1
    await this.#store.changed(names, signal, types)
    this.moves += 1
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  /** The log as it stands, in order. */
  log(types: ReadonlySet<string>): readonly Placed[] {
    const cursors = this.limits.lanes.map(({ name }): Cursor => ({ of: 'lane', name, after: '', types }))
    const events = this.#state.read(cursors, all, this.#environment.nowMs()).flatMap((slice) => slice.events)
    return events.sort((a, b) => (a.position < b.position ? -1 : 1))
  }

  at(lane: string, position: string): Placed | undefined {
    return this.#state.read([{ of: 'place', name: lane, at: position }], all, this.#environment.nowMs())[0]?.events[0]
  }

  rows(kind: string, part: string, from = '', to = ''): readonly Row[] {
    return this.#state.scan({ kind, part, from, to, limit: Number.MAX_SAFE_INTEGER }, this.#environment.nowMs())
  }

  async #watched<T>(answer: Promise<T>): Promise<T> {
    this.moves += 1
    this.underWay += 1
    try {
      return await answer
    } finally {
      this.moves += 1
      this.underWay -= 1
    }
  }
}
