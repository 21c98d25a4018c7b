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
}

export interface Turn {
  /** One, or those of a batch, in the order of the lane. */
  readonly taken: readonly Taken[]
  /** 1 is the first. */
  readonly attempt: number
  /** Aborted on time-out, on loss of the lane and when a stop has waited long enough. */
  readonly signal: AbortSignal
  readonly open: boolean
  /** Of the store's own time, at the last answer of the store: the same for all of a wave. */
  readonly storeMs: number
  /** What this turn has staged for it, else what the store has: then its revision is checked by the commit. */
  get(key: Key): Promise<Row | undefined>
  put(key: Key, value: string, expiresMs?: number): void
  delete(key: Key): void
  append(event: Stored, streams?: readonly string[]): void
}

/** How a row is known inside maps. Kinds and parts hold no line feed. */
export function rowName(key: Key): string {
  return `${key.kind}\n${key.part}\n${key.key}`
}

export class OpenTurn implements Turn {
  readonly taken: readonly Taken[]
  readonly attempt: number
  readonly storeMs: number
  readonly #who: string
  readonly #look: (key: Key) => Promise<Row | undefined>
  #reads: Map<string, Key & { rev: string | null }> | undefined
  #writes: Map<string, Write> | undefined
  #appends: Append[] | undefined
  #abort: AbortController | undefined
  #closed: string | undefined

  constructor(who: string, taken: readonly Taken[], attempt: number, storeMs: number, look: (key: Key) => Promise<Row | undefined>) {
    this.#who = who
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
    this.#mustBeOpen()
    const name = rowName(key)
    const written = this.#writes?.get(name)
    if (written !== undefined) return written.value === undefined ? undefined : { ...key, value: written.value, rev: '' }
    const row = await this.#look(key)
    this.#mustBeOpen()
    this.#reads ??= new Map()
    if (!this.#reads.has(name)) this.#reads.set(name, { kind: key.kind, part: key.part, key: key.key, rev: row?.rev ?? null })
    return row
  }

  put(key: Key, value: string, expiresMs?: number): void {
    this.#mustBeOpen()
    this.#writes ??= new Map()
    this.#writes.set(rowName(key), { kind: key.kind, part: key.part, key: key.key, value, ...(expiresMs === undefined ? {} : { expiresMs }) })
  }

  delete(key: Key): void {
    this.#mustBeOpen()
    this.#writes ??= new Map()
    this.#writes.set(rowName(key), { kind: key.kind, part: key.part, key: key.key, value: undefined })
  }

  append(event: Stored, streams: readonly string[] = []): void {
    this.#mustBeOpen()
    this.#appends ??= []
    this.#appends.push({ event, streams })
  }

  /** Takes what was staged, and closes. */
  close(why: string, abort = false): Staged {
    this.#closed ??= why
    if (abort) this.#abort?.abort(this.#lateFault())
    return { reads: this.#reads ?? nothing, writes: this.#writes ?? nothing, appends: this.#appends ?? [] }
  }

  #mustBeOpen(): void {
    if (this.#closed !== undefined) throw this.#lateFault()
  }

  #lateFault(): Error {
    return fault('TURN_CLOSED', `${this.#who}: ${this.#closed ?? ''}`, { subscription: this.#who, why: this.#closed })
  }
}

const nothing: ReadonlyMap<string, never> = new Map()
