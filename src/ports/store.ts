/**
 * What an engine that keeps events must be able to do. One Store is one atomic domain: whatever fits its limits commits
 * together, across its lanes.
 *
 *   slot   0 ────────────── 1023     hash of an event's key, stored with it for ever
 *   lane   [ 0–255 ][256–511][…]     a named range of slots; totally ordered by position
 *   reads  after ──events──▶ upTo    no position at or below upTo will ever appear again
 *
 * Checkpoints, leases, timers, holds and inboxes are rows with conditions, not concepts of the port. A weaker engine
 * says so in `limits`; the core never asks which engine it is.
 */

/** Compares with `<` inside one lane, and across lanes where `limits.order` is 'global'; adapters pad. `''` is before the first. */
export type Position = string

/** An SQL store gives each kind its table; an engine that partitions does it by part. `kind` is lower-case letters only. */
export interface Key {
  readonly kind: string
  readonly part: string
  readonly key: string
}

/** `rev` is the id of the change that put it. */
export interface Row extends Key {
  readonly value: string
  readonly rev: string
  readonly expiresMs?: number
}

export interface Lane {
  readonly name: string
  /** First and last slot, both included. */
  readonly from: number
  readonly to: number
}

export interface StoreLimits {
  /** Checks, appends, puts and deletes of one change, together. */
  readonly items: number
  /** Of all texts of one change. */
  readonly bytes: number
  readonly rowBytes: number
  readonly keyBytes: number
  readonly eventBytes: number
  readonly lanes: readonly Lane[]
  /** 'one': whoever opened it is the only writer, so that nobody else's lease can be alive. */
  readonly writers: 'one' | 'many'
  /** Whether positions compare across lanes. */
  readonly order: 'global' | 'lane'
  /** Whether `native` statements can be part of a change. */
  readonly native: boolean
  /** `changed` resolves within this time of a commit, even where a signal was lost. */
  readonly healMs: number
}

/** One fact as it is kept: columns, and `data` as text from door to store. */
export interface Stored {
  /** `''` until tenants come. */
  readonly tenant: string
  readonly source: string
  readonly id: string
  readonly type: string
  readonly version: number
  readonly key: string
  readonly slot: number
  readonly subject?: string
  /** RFC 3339, when it happened. */
  readonly time: string
  /** Number of its stream and its version in it, where it belongs to one. */
  readonly stream?: number
  readonly streamVersion?: number
  readonly tags?: readonly string[]
  readonly imported?: true
  readonly cause?: string
  readonly correlation?: string
  /** Other CloudEvents attributes, as JSON text. */
  readonly extra?: string
  /** JSON text. */
  readonly data: string
  /** `data` as it was parsed before it was appended; never stored, absent after a read from disk. */
  readonly parsed?: unknown
}

/** A fact with its place. `storedMs` grows within a lane. */
export interface Placed extends Stored {
  readonly position: Position
  readonly lane: string
  readonly storedMs: number
}

export interface Append {
  readonly event: Stored
  /** Its own stream and its tags', each by name. */
  readonly streams: readonly string[]
}

export interface Put extends Key {
  readonly value: string
  readonly expiresMs?: number
}

export type Expected = number | 'none' | 'exists' | 'any'

/** Staged SQL, on SQL stores: each unit runs in a savepoint of its own, on the app's own tables only. */
export interface Native {
  readonly unit: string
  readonly text: string
  readonly values: readonly (string | number | bigint | null | Uint8Array)[]
  /** How many rows it must touch. */
  readonly rows?: number
}

/** What commits together, or not at all. */
export interface Change {
  /** Chosen by the caller, unique; becomes the `rev` of every row put, so that a lost answer is decided by reading one back. */
  readonly id: string
  readonly incarnation: string
  /** `rev: null`: must be absent (an expired row is absent). */
  readonly checks: readonly (Key & { readonly rev: string | null })[]
  /** Of streams and tags read, appended to or not; judged before the change. A version is a count of events. */
  readonly expects: readonly { readonly stream: string; readonly expect: Expected }[]
  readonly appends: readonly Append[]
  readonly puts: readonly Put[]
  readonly deletes: readonly Key[]
  readonly trims: readonly { readonly lane: string; readonly upTo: Position; readonly types?: readonly string[] }[]
  readonly native: readonly Native[]
}

export type Committed =
  | {
      readonly ok: true
      /** One per append, in order. */
      readonly at: readonly { readonly lane: string; readonly position: Position; readonly versions: readonly number[] }[]
      readonly storeMs: number
    }
  | Refused

/** Every check that failed, each with what stands there now. */
export interface Refused {
  readonly ok: false
  /** A row whose check failed; where it is absent, `value` is '' and `rev` is ''. */
  readonly rows: readonly Row[]
  readonly versions: Readonly<Record<string, number>>
  /** Known (tenant, source, id), each as `eventName` gives it. */
  readonly ids: readonly string[]
  readonly native?: { readonly unit: string; readonly code: string }
}

/**
 * Where a read begins. A reader that goes on from a slice hands in its `next`: a store may have hung on it what makes
 * the next read cheap.
 */
export type Cursor =
  /** `limit` of the read is per cursor. Of a stream `after` is a version, in digits. */
  | { readonly of: 'lane' | 'stream'; readonly name: string; readonly after: Position; readonly types?: ReadonlySet<string> }
  /** One, by reference: a retry, a hole. */
  | { readonly of: 'place'; readonly name: string; readonly at: Position }
  /** A lost answer, a duplicate, a question. */
  | { readonly of: 'id'; readonly tenant: string; readonly source: string; readonly id: string }

export interface Slice {
  readonly events: readonly Placed[]
  /** All up to here has been seen by this cursor; passes over types that it did not ask for. */
  readonly upTo: Position
  /** The first position that has not been trimmed, '' where nothing has been. */
  readonly first: Position
  readonly storeMs: number
  readonly next: Cursor
}

export interface Scan {
  readonly kind: string
  readonly part: string
  /** Included; `''` is the beginning. */
  readonly from: string
  /** Excluded; `''` is the end. */
  readonly to: string
  readonly limit: number
  readonly reverse?: boolean
}

export interface Store {
  readonly limits: StoreLimits
  /** Which life of the store this is: a restored one has another. */
  readonly incarnation: string
  /**
   * MUST apply all or nothing, across lanes. MUST resolve after durability. A refusal MUST name every check that
   * failed. MUST NOT retry by itself.
   * MUST NOT let one change's conflict fail another's (waiting changes may share a transaction, below the port). MUST
   * allocate positions after it holds the streams, so that
   * lane order never contradicts version order. A known (tenant, source, id) is refused, one that a waiting change of
   * the same group brings too.
   * MUST hide trimmed events at once. Changes handed in by one process one after another for one key are stored in that order.
   * Rejects with a fault where the engine fails (STORE_FULL, STORE_FAILED, STORE_CLOSED, CHANGE_TOO_LARGE,
   * INCARNATION_OTHER): then nothing of it is visible, or, where `fault.data.unknown` is true, it may or may not be.
   */
  commit(change: Change): Promise<Committed>
  /** MUST see every acknowledged commit, and several keys as of one moment. An expired row reads as absent. */
  get(keys: readonly Key[]): Promise<readonly (Row | undefined)[]>
  /** MUST order by UTF-8 bytes of the key within one part, and see every acknowledged commit. Pages need not share a snapshot. */
  scan(range: Scan): Promise<readonly Row[]>
  /**
   * One slice per cursor. MUST never return `upTo` past a position that may still appear, nor an event that is not
   * flushed; MUST advance `upTo` over skipped types.
   * MUST fault TRIMMED where an event that it would have returned is gone, and only there. With a global order an idle
   * lane's `upTo` MUST reach the head.
   * MAY return the very object that was appended, with its place filled in (so that a fact is parsed once).
   */
  read(from: readonly Cursor[], limit: { readonly events: number; readonly bytes: number }): Promise<readonly Slice[]>
  /**
   * A hint over lanes and `kind/part` names: may be false; MUST resolve within `limits.healMs` of a commit that touches
   * one, at once where the signal is aborted. `types`: whoever waits wants only these of the lanes' events, and may be left
   * alone while others come.
   */
  changed(names: readonly string[], signal: AbortSignal, types?: ReadonlySet<string>): Promise<void>
  /** Waits for what is under way. Later calls are the fault STORE_CLOSED. */
  close(): Promise<void>
}
