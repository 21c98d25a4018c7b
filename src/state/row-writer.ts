/**
 * What one turn of a projection does to its rows. Calls that need no answer wait until one is needed, or until the end:
 * so that all rows of a batch are read at once. They act in the order in which they were made, reads among them, and
 * rows are kept as text meanwhile: so what is done does not depend on what shares the turn, nor on what is done to a
 * row after it was given or taken.
 * Rows are read and written under the order key of their event; a row that another order key wrote is the fault ROW_SHARED.
 */
import { jsonText, mustCarry } from '../contracts/carried.ts'
import { validate, type Issue, type Schema } from '../contracts/schema.ts'
import type { Turn } from '../flow/turn.ts'
import { fault, isFault } from '../kit/fault.ts'
import type { Key } from '../ports/store.ts'
import { decodeIndexes, indexesKey, without, type Indexes } from './kept-indexes.ts'
import { decodeRow, indexKey, rowKey, spaceOf, type KeptRow, type RowData, type RowShape } from './row-space.ts'

interface Known {
  /** As it stands in the store. */
  readonly stored: string | undefined
  /** As it is now. */
  text: string | undefined
  /** Also of one that was deleted. */
  by: string | undefined
  there: boolean
  /** What `text` says, for the next to ask; `undefined` once it was handed out. */
  fresh: KeptRow | undefined
}

interface Call {
  readonly key: string
  readonly by: string
  /** What becomes of the row, as text; `undefined`: it goes. Absent: the call reads. */
  readonly change: ((known: Known) => string | undefined) | undefined
  /** What was read. */
  row: RowData | undefined
}

export class RowWriter {
  readonly #turn: Turn
  readonly #shape: RowShape
  readonly #schema: Schema
  readonly #late: (error: Error) => void
  readonly #space: string
  readonly #known = new Map<string, Known>()
  readonly #waiting: Call[] = []
  /** What the store wants kept up beside its own; `undefined` while it has not been asked. */
  #others: Indexes | undefined
  /** Of the first call that failed: whoever caught it, the turn fails with it. */
  #failure: { readonly thrown: unknown } | undefined
  #changing = false
  #ended = false

  /** `late` is told of what is called when the turn is over: nobody may be there to catch the fault. */
  constructor(turn: Turn, shape: RowShape, schema: Schema, late: (error: Error) => void = () => {}) {
    this.#late = late
    this.#turn = turn
    this.#shape = shape
    this.#schema = schema
    this.#space = spaceOf(turn.subscription)
  }

  /** As it is at this place among the calls. */
  async get(key: string, by: string): Promise<RowData | undefined> {
    const call: Call = { key, by, change: undefined, row: undefined }
    if (!this.#call(call)) await this.#act()
    if (this.#failure !== undefined) throw this.#failure.thrown
    return call.row
  }

  put(row: RowData, by: string): void {
    const key = (row as RowData | undefined)?.[this.#shape.key]
    const valid = this.#checked(key, row)
    const own = valid[this.#shape.key]
    if (typeof own !== 'string') throw this.#invalid(own, `the key column '${this.#shape.key}' is no text`)
    const text = this.#textOf(own, by, valid)
    this.#call({ key: own, by, change: () => text, row: undefined })
  }

  change(key: string, by: string, change: (row: RowData | undefined) => RowData | undefined): void {
    this.#call({ key, by, change: (known) => this.#changed(key, by, change(rowOf(known))), row: undefined })
  }

  patch(key: string, by: string, fields: RowData): void {
    const given = { ...fields }
    this.change(key, by, (row) => (row === undefined ? undefined : { ...row, ...given }))
  }

  delete(key: string, by: string): void {
    this.#call({ key, by, change: () => undefined, row: undefined })
  }

  /** Stages what has changed. What is called later is a fault. */
  async end(): Promise<void> {
    while (this.#waiting.length > 0) await this.#act()
    this.#ended = true
    if (this.#failure !== undefined) throw this.#failure.thrown
    for (const [key, known] of this.#known) if (known.text !== known.stored) this.#stage(key, known)
  }

  #lateFault(): Error {
    const { name } = this.#shape
    const late = fault('TURN_CLOSED', `${name}: its turn is over`, { projection: name })
    this.#late(late)
    return late
  }

  /** `false`: it waits. */
  #call(call: Call): boolean {
    if (this.#ended || !this.#turn.open) throw this.#lateFault()
    if (typeof call.key !== 'string' || !call.key.isWellFormed() || call.key.includes('\u0000'))
      throw this.#invalid(call.key, 'its key is no text, or holds half a surrogate pair, or NUL')
    if (this.#changing) this.#fail(this.#invalid(call.key, 'is asked for inside the change of another'))
    const known = this.#waiting.length === 0 ? this.#known.get(call.key) : undefined
    if (known === undefined) this.#waiting.push(call)
    else this.#run(call, known)
    if (this.#failure !== undefined) throw this.#failure.thrown
    return known !== undefined
  }

  /** All that wait now, after their rows have been read; what is called meanwhile, as far as its rows are known. */
  async #act(): Promise<void> {
    const unknown = [...new Set(this.#waiting.map(({ key }) => key))].filter((key) => !this.#known.has(key))
    if (unknown.length > 0) {
      const keys = unknown.map((key) => rowKey(this.#space, key))
      const rows = await this.#turn.getAll(this.#others === undefined ? [...keys, indexesKey(this.#turn.subscription)] : keys)
      this.#others ??= without(decodeIndexes(rows.at(-1)?.value).live, this.#shape.indexes)
      unknown.forEach((key, i) => this.#learn(key, rows[i]?.value))
    }
    let acted = 0
    for (const call of this.#waiting) {
      const known = this.#known.get(call.key)
      if (known === undefined) break
      this.#run(call, known)
      acted += 1
    }
    this.#waiting.splice(0, acted)
  }

  /** Of two that read it at once, the first has perhaps changed it already. */
  #learn(key: string, stored: string | undefined): void {
    if (this.#known.has(key)) return
    const fresh = stored === undefined ? undefined : decodeRow(stored)
    this.#known.set(key, { stored, text: stored, by: fresh?.by, there: fresh?.row !== undefined, fresh })
  }

  #run(call: Call, known: Known): void {
    try {
      this.#mustBeOwn(call, known)
      if (call.change === undefined) call.row = rowOf(known)
      else this.#apply(call.by, call.change, known)
    } catch (thrown) {
      this.#fail(thrown)
    }
  }

  #apply(by: string, change: (known: Known) => string | undefined, known: Known): void {
    let text: string | undefined
    this.#changing = true
    try {
      text = change(known)
    } finally {
      this.#changing = false
    }
    if (text === undefined && !known.there) return
    known.text = text ?? JSON.stringify({ by })
    known.by = by
    known.there = text !== undefined
    known.fresh = undefined
  }

  #fail(thrown: unknown): void {
    this.#failure ??= { thrown }
  }

  #mustBeOwn({ key, by }: Call, known: Known): void {
    if (known.by === undefined || known.by === by) return
    const { name } = this.#shape
    throw fault(
      'ROW_SHARED',
      `${name}: row '${key}' is written under order key '${known.by}', now under '${by}': give \`by\`, the same for all that meet in a row`,
      { projection: name, row: key },
    )
  }

  #changed(key: string, by: string, row: RowData | undefined): string | undefined {
    if (row === undefined) return undefined
    const valid = this.#checked(key, row)
    if (valid[this.#shape.key] === key) return this.#textOf(key, by, valid)
    throw this.#invalid(key, 'its change gave it another key')
  }

  #checked(key: unknown, row: RowData): RowData {
    try {
      return validate(this.#schema, row, `a row of ${this.#shape.name}`) as RowData
    } catch (thrown) {
      if (!isFault(thrown, 'VALIDATION_FAILED')) throw thrown
      const issues = thrown.data['issues'] as readonly Issue[]
      throw this.#invalid(key, issues.map(({ path, message }) => `${path} ${message}`.trim()).join('; '), { issues })
    }
  }

  /** A `KeptRow`. */
  #textOf(key: string, by: string, row: RowData): string {
    try {
      const text = jsonText(row, '')
      mustCarry(row, '')
      return `{"by":${JSON.stringify(by)},"row":${text}}`
    } catch (thrown) {
      if (!isFault(thrown, 'NOT_JSON')) throw thrown
      throw this.#invalid(key, thrown.message.replace('NOT_JSON: : ', ''), { path: thrown.data['path'] }, thrown)
    }
  }

  #invalid(key: unknown, why: string, data: Readonly<Record<string, unknown>> = {}, cause?: unknown): Error {
    const { name } = this.#shape
    return fault('ROW_INVALID', `${name}: row '${String(key)}': ${why}`, { projection: name, row: key, ...data }, cause)
  }

  #stage(key: string, { stored, text }: Known): void {
    if (text === undefined) return
    const turn = this.#turn
    turn.put(rowKey(this.#space, key), text)
    if (this.#shape.indexes.length === 0 && (this.#others?.length ?? 0) === 0) return
    const before = this.#entries(stored, false)
    const after = this.#entries(text, true)
    for (const [name, entry] of before) if (!after.has(name)) turn.delete(entry)
    for (const [name, entry] of after) if (!before.has(name)) turn.put(entry, key)
  }

  /** `strict`: its own indexes must take the row. The others take what they can: no code that runs here asks along them. */
  #entries(text: string | undefined, strict: boolean): ReadonlyMap<string, Key> {
    const entries = new Map<string, Key>()
    const row = text === undefined ? undefined : decodeRow(text).row
    if (row === undefined) return entries
    const add = (entry: Key | undefined): void => void (entry && entries.set(`${entry.part}\n${entry.key}`, entry))
    for (const columns of this.#shape.indexes) add(strict ? indexKey(this.#space, this.#shape, columns, row) : this.#tried(columns, row))
    for (const columns of this.#others ?? []) add(this.#tried(columns, row))
    return entries
  }

  #tried(columns: readonly string[], row: RowData): Key | undefined {
    try {
      return indexKey(this.#space, this.#shape, columns, row)
    } catch {
      return undefined
    }
  }
}

/** One for each who asks: nobody sees what another does to it. */
function rowOf(known: Known): RowData | undefined {
  const { text, fresh } = known
  known.fresh = undefined
  return fresh === undefined ? (text === undefined ? undefined : decodeRow(text).row) : fresh.row
}
