/** What the store's contract is written with: a store under a clock that stands still, changes, and facts. */
import assert from 'node:assert/strict'
import { isFault } from '../kit/fault.ts'
import type { Code } from '../kit/fault-codes.ts'
import type { Append, Change, Committed, Cursor, Key, Placed, Put, Slice, Store, Stored } from '../ports/store.ts'

export interface ContractSubject {
  readonly name: string
  /** `test` of node:test, or another runner's. */
  readonly test: (title: string, run: () => Promise<void>) => unknown
  /** A store that holds nothing, on the clock given. */
  readonly open: (given: { readonly nowMs: () => number }) => Store | Promise<Store>
  /** Closes nothing: opens once more what a closed store kept. Where nothing survives its process, `undefined`. */
  readonly reopen: ((closed: Store, given: { readonly nowMs: () => number }) => Store | Promise<Store>) | undefined
}

/** A store, its clock, and short ways to speak with it. */
export interface Desk {
  readonly store: Store
  clockMs: number
  change(parts: Partial<Change>): Change
  commit(parts: Partial<Change>): Promise<Committed>
  /** Commits, and faults where it is refused. */
  done(parts: Partial<Change>): Promise<Extract<Committed, { ok: true }>>
  /** All events of all lanes, by position. */
  all(): Promise<readonly Placed[]>
  lane(at: number): string
}

const plenty = { events: 10_000, bytes: 10_000_000 }

export function contractTest(subject: ContractSubject, title: string, run: (desk: Desk) => Promise<void>): void {
  subject.test(`${subject.name}: ${title}`, async () => {
    const clock = { ms: 1_000_000 }
    const store = await subject.open({ nowMs: () => clock.ms })
    try {
      await run(deskFor(store, clock))
    } finally {
      await store.close()
    }
  })
}

export function deskFor(store: Store, clock: { ms: number }): Desk {
  let changes = 0
  const desk: Desk = {
    store,
    get clockMs() {
      return clock.ms
    },
    set clockMs(ms) {
      clock.ms = ms
    },
    change: (parts) => ({
      id: `change-${++changes}`,
      incarnation: store.incarnation,
      checks: [],
      expects: [],
      appends: [],
      puts: [],
      deletes: [],
      trims: [],
      native: [],
      ...parts,
    }),
    commit: (parts) => store.commit(desk.change(parts)),
    async done(parts) {
      const committed = await desk.commit(parts)
      assert.ok(committed.ok, `refused: ${JSON.stringify(committed)}`)
      return committed
    },
    async all() {
      const cursors = store.limits.lanes.map(({ name }): Cursor => ({ of: 'lane', name, after: '' }))
      const slices = await store.read(cursors, plenty)
      return slices.flatMap(({ events }) => events).toSorted((a, b) => (a.position < b.position ? -1 : 1))
    },
    lane: (at) => laneAt(store, at),
  }
  return desk
}

export function fact(id: string, more: Partial<Stored> = {}): Stored {
  return {
    tenant: '',
    source: 'shop',
    id,
    type: 'OrderPlaced',
    version: 1,
    key: id,
    slot: 0,
    time: '2026-01-01T00:00:00Z',
    data: '{}',
    ...more,
  }
}

export function append(id: string, more: Partial<Stored> = {}, streams: readonly string[] = []): Append {
  return { event: fact(id, more), streams }
}

export function key(name: string, part = 'main', kind = 'row'): Key {
  return { kind, part, key: name }
}

export function put(name: string, value: string, more: Partial<Put> = {}): Put {
  return { ...key(name), value, ...more }
}

export async function slice(store: Store, cursor: Cursor, limit = plenty): Promise<Slice> {
  const [only] = await store.read([cursor], limit)
  assert.ok(only !== undefined)
  return only
}

export function ids(events: readonly Stored[]): readonly string[] {
  return events.map(({ id }) => id)
}

/** A slot of each lane, so that a test spreads over as many lanes as there are. */
export function slots(store: Store): readonly number[] {
  return store.limits.lanes.map(({ from }) => from)
}

export function lastSlot(store: Store): number {
  return store.limits.lanes.at(-1)?.to ?? 0
}

export async function faults(run: Promise<unknown>, code: Code, data: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await assert.rejects(run, (error) => {
    assert.ok(isFault(error, code), `expected ${code}, got ${String(error)}`)
    for (const [name, value] of Object.entries(data)) assert.deepEqual(error.data[name], value)
    return true
  })
}

function laneAt(store: Store, at: number): string {
  const { lanes } = store.limits
  return lanes[at % lanes.length]?.name ?? ''
}
