/** The rows of the store as the checks see them, put together from the changes alone, and read by their formats. */
import type { Change, Key } from '../../src/ports/store.ts'
import type { Journal } from './journal.ts'

export interface MirrorRow extends Key {
  readonly value: string
  readonly rev: string
  /** Of the world, when it was put. */
  readonly atUs: number
}

export interface LaneRow {
  readonly owner: string
  readonly epoch: number
  readonly token: string
  readonly mark: string
  readonly holes: readonly string[]
  readonly counts: Readonly<Record<string, number>>
}

export interface HoldRow {
  readonly state: 'wait' | 'ready' | 'parked' | 'version'
  readonly attempt: number
  readonly dueMs: number
  readonly count: number
  readonly error?: { readonly code?: string; readonly message: string }
}

export interface HeldRow {
  readonly lane: string
  readonly position: string
  readonly run: number
  readonly data?: string
}

export class Mirror {
  readonly #parts = new Map<string, Map<string, MirrorRow>>()
  readonly #parsed = new WeakMap<MirrorRow, unknown>()
  readonly #journal: Journal

  constructor(journal: Journal) {
    this.#journal = journal
  }

  get(kind: string, part: string, key: string): MirrorRow | undefined {
    return this.#parts.get(`${kind}\n${part}`)?.get(key)
  }

  /** Unordered. */
  of(kind: string, part: string): Iterable<MirrorRow> {
    return this.#parts.get(`${kind}\n${part}`)?.values() ?? []
  }

  count(kind: string, part: string): number {
    return this.#parts.get(`${kind}\n${part}`)?.size ?? 0
  }

  lane(id: string, lane: string): LaneRow | undefined {
    return this.#read<LaneRow>(this.get('lane', id, lane))
  }

  hold(part: string, key: string): HoldRow | undefined {
    return this.#read<HoldRow>(this.get('hold', part, key))
  }

  held(part: string, key: string, position: string): HeldRow | undefined {
    return this.#read<HeldRow>(this.get('held', part, heldName(key, position)))
  }

  /** Rows of one held key. */
  heldCount(part: string, key: string): number {
    const start = `${plainKey(key)} `
    let count = 0
    for (const name of this.#parts.get(`held\n${part}`)?.keys() ?? []) if (name.startsWith(start)) count += 1
    return count
  }

  apply(change: Change, atUs: number): void {
    for (const { kind, part, key, value } of change.puts) {
      this.#journal.set(this.#part(kind, part), key, { kind, part, key, value, rev: change.id, atUs })
    }
    for (const { kind, part, key } of change.deletes) this.#journal.delete(this.#part(kind, part), key)
  }

  #part(kind: string, part: string): Map<string, MirrorRow> {
    const name = `${kind}\n${part}`
    const there = this.#parts.get(name)
    if (there !== undefined) return there
    const rows = new Map<string, MirrorRow>()
    this.#parts.set(name, rows)
    return rows
  }

  #read<T>(row: MirrorRow | undefined): T | undefined {
    if (row === undefined) return undefined
    const known = this.#parsed.get(row)
    if (known !== undefined) return known as T
    const parsed: unknown = JSON.parse(row.value)
    this.#parsed.set(row, parsed)
    return parsed as T
  }
}

export function heldName(key: string, position: string): string {
  return `${plainKey(key)} ${position}`
}

/** The order key and the position of a held row's key. */
export function readHeldName(name: string): { readonly key: string; readonly position: string } {
  const at = name.lastIndexOf(' ')
  return { key: name.slice(0, at).replaceAll('%20', ' ').replaceAll('%21', '!').replaceAll('%25', '%'), position: name.slice(at + 1) }
}

export function unitOf(part: string): { readonly id: string; readonly lane: string } {
  const at = part.indexOf('/')
  return { id: part.slice(0, at), lane: part.slice(at + 1) }
}

function plainKey(key: string): string {
  return key.replaceAll('%', '%25').replaceAll(' ', '%20').replaceAll('!', '%21')
}
