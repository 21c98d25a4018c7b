/** Rows in memory: kind and part, then keys in order. What each write replaced goes to the undo log. */
import type { Key, Put, Row, Scan } from '../ports/store.ts'
import { SortedKeys } from './memory-keys.ts'

interface Part {
  readonly rows: Map<string, Row>
  readonly keys: SortedKeys
}

export class MemoryRows {
  readonly #parts = new Map<string, Part>()

  /** An expired row is absent. */
  get(key: Key, storeMs: number): Row | undefined {
    return alive(this.#parts.get(`${key.kind}\n${key.part}`)?.rows.get(key.key), storeMs)
  }

  put(put: Put, rev: string, undo: (() => void)[] | undefined): void {
    const { kind, part, key, value, expiresMs } = put
    this.#set(kind, part, key, { kind, part, key, value, rev, ...(expiresMs === undefined ? {} : { expiresMs }) }, undo)
  }

  delete(key: Key, undo: (() => void)[] | undefined): void {
    this.#set(key.kind, key.part, key.key, undefined, undo)
  }

  scan(range: Scan, storeMs: number): readonly Row[] {
    const part = this.#parts.get(`${range.kind}\n${range.part}`)
    const found: Row[] = []
    if (part === undefined || range.limit <= 0) return found
    const keys = range.reverse === true ? part.keys.backwards(range.from, range.to) : part.keys.between(range.from, range.to)
    for (const key of keys) {
      const row = alive(part.rows.get(key), storeMs)
      if (row === undefined) continue
      found.push(row)
      if (found.length >= range.limit) break
    }
    return found
  }

  #set(kind: string, partName: string, key: string, row: Row | undefined, undo: (() => void)[] | undefined): void {
    const name = `${kind}\n${partName}`
    const part = this.#parts.get(name) ?? { rows: new Map<string, Row>(), keys: new SortedKeys() }
    const before = part.rows.get(key)
    if (before === undefined && row === undefined) return
    if (row === undefined) {
      part.rows.delete(key)
      part.keys.remove(key)
      if (part.rows.size === 0) this.#parts.delete(name)
    } else {
      this.#parts.set(name, part)
      part.rows.set(key, row)
      if (before === undefined) part.keys.add(key)
    }
    undo?.push(() => this.#set(kind, partName, key, before, undefined))
  }
}

function alive(row: Row | undefined, storeMs: number): Row | undefined {
  if (row?.expiresMs !== undefined && row.expiresMs <= storeMs) return undefined
  return row
}
