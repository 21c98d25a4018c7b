/**
 * One attempt at one event (or one batch): its own token, and what it has staged. Return, throw, time-out or loss of the lane closes it;
 * what comes later has no effect, and gets a named fault.
 */
import { fault } from '../kit/fault.ts'
import type { Append, Key, Placed, Row, Stored } from '../ports/store.ts'

/** An event in the queue of its key. */
export interface Taken {
  readonly event: Placed
  readonly key: string
  readonly parts: readonly unknown[]
  /** 0, and one more with each edit by an operator: an edited event is a new run. */
  readonly run: number
}

/** `undefined`: deleted. */
export type Write = Key & { readonly value: string | undefined; readonly expiresMs?: number }

export interface Staged {
  readonly reads: ReadonlyMap<string, Key & { readonly rev: string | null }>
  readonly writes: ReadonlyMap<string, Write>
  readonly appends: readonly Append[]
  /** So many things it found done before (`once`). */
  readonly repeated: number
  /** The store failed it: what becomes of it is no attempt. */
  readonly storeFailed: boolean
}

export interface Turn {
  /** What the store knows the subscription by. */
  readonly subscription: string
  /** One, or those of a batch, in the order of the lane. */
  readonly taken: readonly Taken[]
  /** 1 is the first. */
  readonly attempt: number
  /** Aborted on time-out, on loss of the lane and when a stop has waited long enough. */
  readonly signal: AbortSignal
  readonly open: boolean
  /** The store's time when the attempt began. */
  readonly storeMs: number
  /** What this turn has staged for it, else what the store has: then its revision is checked by the commit. */
  get(key: Key): Promise<Row | undefined>
  /** Several, as of one moment. */
  getAll(keys: readonly Key[]): Promise<readonly (Row | undefined)[]>
  put(key: Key, value: string, expiresMs?: number): void
  delete(key: Key): void
  append(event: Stored, streams?: readonly string[]): void
  /** Says that one thing was done before: it is counted. */
  repeated(): void
}

/** Reads rows of the store as of one moment. */
export type Look = (keys: readonly Key[]) => Promise<readonly (Row | undefined)[]>

/** How a row is known inside maps. Kinds and parts hold no line feed. */
export function rowName(key: Key): string {
  return `${key.kind}\n${key.part}\n${key.key}`
}

export class OpenTurn implements Turn {
  readonly taken: readonly Taken[]
  readonly attempt: number
  readonly storeMs: number
  readonly subscription: string
  readonly #who: string
  readonly #look: Look
  #reads: Map<string, Key & { rev: string | null }> | undefined
  #writes: Map<string, Write> | undefined
  #appends: Append[] | undefined
  #abort: AbortController | undefined
  #repeated = 0
  #storeFailed = false
  #closed: string | undefined

  constructor(who: string, subscription: string, taken: readonly Taken[], attempt: number, storeMs: number, look: Look) {
    this.#who = who
    this.subscription = subscription
    this.taken = taken
    this.attempt = attempt
    this.storeMs = storeMs
    this.#look = look
  }

  get open(): boolean {
    return this.#closed === undefined
  }

  /** Made when somebody asks for it: a controller costs more than the rest of a turn. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#closed !== undefined) this.#abort.abort(this.#lateFault())
    }
    return this.#abort.signal
  }

  async get(key: Key): Promise<Row | undefined> {
    const [row] = await this.getAll([key])
    return row
  }

  async getAll(keys: readonly Key[]): Promise<readonly (Row | undefined)[]> {
    this.#mustBeOpen()
    const unknown = keys.filter((key) => !(this.#writes?.has(rowName(key)) ?? false))
    const rows = unknown.length === 0 ? [] : await this.#lookUp(unknown)
    this.#mustBeOpen()
    unknown.forEach((key, i) => this.#remember(key, rows[i]))
    let at = 0
    return keys.map((key) => {
      if (at < unknown.length && unknown[at] === key) return rows[at++]
      const value = this.#writes?.get(rowName(key))?.value
      return value === undefined ? undefined : { kind: key.kind, part: key.part, key: key.key, value, rev: '' }
    })
  }

  put(key: Key, value: string, expiresMs?: number): void {
    this.#mustBeOpen()
    this.#writes ??= new Map()
    const row = { kind: key.kind, part: key.part, key: key.key, value }
    this.#writes.set(rowName(key), expiresMs === undefined ? row : { ...row, expiresMs })
  }

  delete(key: Key): void {
    this.#mustBeOpen()
    this.#writes ??= new Map()
    this.#writes.set(rowName(key), { kind: key.kind, part: key.part, key: key.key, value: undefined })
  }

  append(event: Stored, streams: readonly string[] = none): void {
    this.#mustBeOpen()
    this.#appends ??= []
    this.#appends.push({ event, streams })
  }

  repeated(): void {
    this.#mustBeOpen()
    this.#repeated += 1
  }

  /** Takes what was staged, and closes. */
  close(why: string, abort = false): Staged {
    this.#closed ??= why
    if (abort) this.#abort?.abort(this.#lateFault())
    return {
      reads: this.#reads ?? nothing,
      writes: this.#writes ?? nothing,
      appends: this.#appends ?? none,
      repeated: this.#repeated,
      storeFailed: this.#storeFailed,
    }
  }

  async #lookUp(keys: readonly Key[]): Promise<readonly (Row | undefined)[]> {
    try {
      return await this.#look(keys)
    } catch (thrown) {
      this.#storeFailed = true
      throw thrown
    }
  }

  #remember(key: Key, row: Row | undefined): void {
    this.#reads ??= new Map()
    const name = rowName(key)
    if (!this.#reads.has(name)) this.#reads.set(name, { kind: key.kind, part: key.part, key: key.key, rev: row?.rev ?? null })
  }

  #mustBeOpen(): void {
    if (this.#closed !== undefined) throw this.#lateFault()
  }

  #lateFault(): Error {
    return fault('TURN_CLOSED', `${this.#who}: ${this.#closed ?? ''}`, { subscription: this.#who, why: this.#closed })
  }
}

const nothing: ReadonlyMap<never, never> = new Map<never, never>()
const none: readonly never[] = []
