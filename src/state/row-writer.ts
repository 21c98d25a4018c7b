/**
 * What one turn of a projection does to its rows. Calls that need no answer wait until one is needed, or until the end:
 * so that all rows of a batch are read at once.
 * Rows are read and written under the order key of their event; a row that another order key wrote is the fault ROW_SHARED.
 */
import { validate, type Schema } from '../contracts/schema.ts'
import type { Turn } from '../flow/turn.ts'
import { fault } from '../kit/fault.ts'
import { decodeRow, indexKeys, rowKey, spaceOf, type KeptRow, type RowData, type RowShape } from './row-space.ts'

interface Known {
  readonly stored: KeptRow | undefined
  now: KeptRow | undefined
  changed: boolean
}

interface Call {
  readonly key: string
  readonly by: string
  /** `undefined`: the row goes. */
  change(row: RowData | undefined): RowData | undefined
}

export class RowWriter {
  readonly #turn: Turn
  readonly #shape: RowShape
  readonly #schema: Schema
  readonly #space: string
  readonly #known = new Map<string, Known>()
  #waiting: Call[] = []

  constructor(turn: Turn, shape: RowShape, schema: Schema) {
    this.#turn = turn
    this.#shape = shape
    this.#schema = schema
    this.#space = spaceOf(turn.subscription)
  }

  async get(key: string, by: string): Promise<RowData | undefined> {
    await this.#learn([...this.#waiting.map((call) => call.key), key])
    this.#applyWaiting()
    return this.#at(key, by).now?.row
  }

  put(row: RowData, by: string): void {
    const valid = this.#checked(row)
    const key = valid[this.#shape.key]
    if (typeof key !== 'string')
      throw fault('ROW_INVALID', `${this.#shape.name}: the key column '${this.#shape.key}' is no text`, { projection: this.#shape.name })
    this.#call({ key, by, change: () => valid })
  }

  change(key: string, by: string, change: (row: RowData | undefined) => RowData | undefined): void {
    this.#call({ key, by, change: (row) => this.#changed(key, change(row)) })
  }

  patch(key: string, by: string, fields: RowData): void {
    this.#call({ key, by, change: (row) => (row === undefined ? undefined : this.#changed(key, { ...row, ...fields })) })
  }

  delete(key: string, by: string): void {
    this.#call({ key, by, change: () => undefined })
  }

  /** Stages what has changed. */
  async end(): Promise<void> {
    if (this.#waiting.length > 0) {
      await this.#learn(this.#waiting.map((call) => call.key))
      this.#applyWaiting()
    }
    for (const [key, known] of this.#known) if (known.changed) this.#stage(key, known)
  }

  #call(call: Call): void {
    if (!this.#turn.open) throw fault('TURN_CLOSED', `${this.#shape.name}: its turn is over`, { projection: this.#shape.name })
    if (this.#waiting.length === 0 && this.#known.has(call.key)) this.#apply(call)
    else this.#waiting.push(call)
  }

  async #learn(keys: readonly string[]): Promise<void> {
    const unknown = [...new Set(keys)].filter((key) => !this.#known.has(key))
    if (unknown.length === 0) return
    const rows = await this.#turn.getAll(unknown.map((key) => rowKey(this.#space, key)))
    unknown.forEach((key, i) => {
      const row = rows[i]
      const stored = row === undefined ? undefined : decodeRow(row.value)
      this.#known.set(key, { stored, now: stored, changed: false })
    })
  }

  #applyWaiting(): void {
    const calls = this.#waiting
    this.#waiting = []
    for (const call of calls) this.#apply(call)
  }

  #apply({ key, by, change }: Call): void {
    const known = this.#at(key, by)
    const before = known.now?.row
    const row = change(before)
    if (row === undefined && before === undefined) return
    known.now = row === undefined ? { by } : { by, row }
    known.changed = true
  }

  #at(key: string, by: string): Known {
    const known = this.#known.get(key) ?? { stored: undefined, now: undefined, changed: false }
    if (known.now !== undefined && known.now.by !== by) {
      throw fault(
        'ROW_SHARED',
        `${this.#shape.name}: row '${key}' is written under order key '${known.now.by}', now under '${by}': give \`by\`, the same for all that meet in a row`,
        {
          projection: this.#shape.name,
          row: key,
        },
      )
    }
    return known
  }

  #changed(key: string, row: RowData | undefined): RowData | undefined {
    if (row === undefined) return undefined
    const valid = this.#checked(row)
    if (valid[this.#shape.key] === key) return valid
    throw fault('ROW_INVALID', `${this.#shape.name}: a change of row '${key}' gave it another key`, {
      projection: this.#shape.name,
      row: key,
    })
  }

  #checked(row: RowData): RowData {
    return validate(this.#schema, row, `a row of ${this.#shape.name}`) as RowData
  }

  #stage(key: string, { stored, now }: Known): void {
    const turn = this.#turn
    turn.put(rowKey(this.#space, key), JSON.stringify(now))
    const before = stored?.row === undefined ? [] : indexKeys(this.#space, this.#shape, stored.row)
    const after = now?.row === undefined ? [] : indexKeys(this.#space, this.#shape, now.row)
    const kept = new Set(after.map((entry) => `${entry.part}\n${entry.key}`))
    const there = new Set(before.map((entry) => `${entry.part}\n${entry.key}`))
    for (const entry of before) if (!kept.has(`${entry.part}\n${entry.key}`)) turn.delete(entry)
    for (const entry of after) if (!there.has(`${entry.part}\n${entry.key}`)) turn.put(entry, key)
  }
}
