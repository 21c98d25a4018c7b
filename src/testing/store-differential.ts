/**
 * The same random calls on two stores, from one seed: at every step both must answer the same. Every kind of call and of answer must
 * have come up, else the run proves nothing, and faults.
 */
import assert from 'node:assert/strict'
import { asError, isFault } from '../kit/fault.ts'
import type { Change, Cursor, Key, Put, Slice, Store, Stored } from '../ports/store.ts'

export interface Differential {
  readonly left: Store
  readonly right: Store
  readonly seed: number
  readonly calls: number
  /** The clock of both. */
  readonly clock: { ms: number }
}

type Dice = (sides: number) => number

/** How often each kind of call and answer came up. */
export async function storeDifferential({ left, right, seed, calls, clock }: Differential): Promise<ReadonlyMap<string, number>> {
  const run = new Run(left, right, dice(seed), clock)
  for (let call = 0; call < calls;) {
    try {
      call += await run.step()
    } catch (error) {
      throw new Error(`seed ${seed}, call ${call}: ${asError(error).message}`, { cause: error })
    }
  }
  const missed = mustComeUp.filter((name) => !run.seen.has(name))
  assert.deepEqual(missed, [], `seed ${seed}, ${calls} calls: these never came up`)
  return run.seen
}

const mustComeUp = [
  'commit ok', 'commit rows', 'commit versions', 'commit ids', 'commit trims', 'commit trims types', 'commit streams', 'commit deletes',
  'fault INCARNATION_OTHER', 'fault CHANGE_TOO_LARGE', 'fault CHANGE_INVALID', 'fault TRIMMED', 'fault CURSOR_UNKNOWN',
  'get row', 'get absent', 'scan up', 'scan down', 'scan up to', 'scan down to',
  'read lane', 'read lane types', 'read stream', 'read place', 'read id',
] // prettier-ignore

const kinds = ['row', 'hold', 'lane']
const parts = ['', 'p', 'q']
const keys = ['', 'a', 'aa', 'b', 'é', '\uffee', '😀', '\u0001', 'z']
const types = ['A', 'B', 'C']
const streams = ['s', 't', 'u']

class Run {
  readonly seen = new Map<string, number>()
  readonly #left: Store
  readonly #right: Store
  readonly #dice: Dice
  readonly #clock: { ms: number }
  /** Where each side stands, of the readers that go on from slice to slice. */
  readonly #readers: [Cursor, Cursor][] = []
  #changes = 0
  #revs: string[] = []
  #head = 0

  constructor(left: Store, right: Store, dice: Dice, clock: { ms: number }) {
    this.#left = left
    this.#right = right
    this.#dice = dice
    this.#clock = clock
  }

  /** How many calls it made of each store. */
  async step(): Promise<number> {
    this.#clock.ms += this.#dice(20) === 0 ? -1_000 : this.#dice(100)
    const which = this.#dice(10)
    if (which < 4) return this.#commits()
    if (which < 5) return this.#gets()
    if (which < 6) return this.#scans()
    return which < 8 ? this.#readsOn() : this.#reads()
  }

  async #commits(): Promise<number> {
    const changes = Array.from({ length: 1 + this.#dice(4) }, () => this.#change())
    const ask = (store: Store): Promise<unknown[]> =>
      Promise.all(
        changes.map((change) => answer(store.commit(change.incarnation === '' ? { ...change, incarnation: store.incarnation } : change))),
      )
    const answers = await this.#same(ask)
    for (const [at, given] of answers.entries()) this.#note(changes[at], given)
    return changes.length
  }

  #note(change: Change | undefined, given: unknown): void {
    if (change === undefined || !isRecord(given)) return
    if (given['ok'] === true) {
      this.#count('commit ok')
      this.#head += change.appends.length
      this.#revs = [change.id, ...this.#revs.slice(0, 7)]
      if (change.trims.length > 0) this.#count(change.trims[0]?.types === undefined ? 'commit trims' : 'commit trims types')
      if (change.appends.some((append) => append.streams.length > 0)) this.#count('commit streams')
      if (change.deletes.length > 0) this.#count('commit deletes')
    }
    if (given['ok'] !== false) return
    for (const name of ['rows', 'ids', 'versions']) if (Object.keys(asObject(given[name])).length > 0) this.#count(`commit ${name}`)
  }

  #change(): Change {
    const odd = this.#dice(150)
    const large = 'x'.repeat(this.#left.limits.rowBytes + 1)
    return {
      id: `c${++this.#changes}`,
      incarnation: odd === 0 ? 'another' : '',
      checks: this.#few(2, 2, () => ({ ...this.#key(), rev: this.#dice(2) === 0 ? null : (this.#revs[this.#dice(8)] ?? 'never') })),
      expects: this.#few(3, 2, () => ({
        stream: this.#one(streams),
        expect: this.#one(['none', 'exists', 'any', 'any', this.#dice(300)] as const),
      })),
      appends: this.#few(2, 4, () => ({
        event: this.#event(),
        streams: this.#few(3, 2, () => this.#one(streams)).filter((name, at, all) => all.indexOf(name) === at),
      })),
      puts: [
        ...this.#few(2, 3, () => this.#put()),
        ...(odd === 1 ? [{ ...this.#put(), value: large }] : odd === 2 ? [{ ...this.#put(), kind: 'Bad' }] : []),
      ],
      deletes: this.#few(4, 2, () => this.#key()),
      trims: this.#dice(60) === 0 ? [this.#trim()] : [],
      native: [],
    }
  }

  #event(): Stored {
    const id = this.#dice(8) === 0 ? `e${this.#dice(this.#changes)}` : `e${this.#changes}-${this.#dice(4)}`
    const plain = {
      tenant: '',
      source: this.#one(['s', 's', 't']),
      id,
      type: this.#one(types),
      version: 1,
      key: id,
      slot: this.#dice(1_024),
      time: 't',
    }
    const data = `"${'x'.repeat(this.#dice(60))}"`
    if (this.#dice(4) > 0) return { ...plain, data }
    return {
      ...plain,
      data,
      subject: 'é',
      tags: ['a', 'b'],
      stream: 3,
      streamVersion: this.#dice(9),
      imported: true,
      cause: 'c',
      correlation: 'd',
      extra: '{}',
    }
  }

  #trim(): Change['trims'][number] {
    const trim = { lane: this.#lane(), upTo: this.#place(this.#head - this.#dice(300)) }
    return this.#dice(2) === 0 ? trim : { ...trim, types: [this.#one(types)] }
  }

  async #gets(): Promise<number> {
    const wanted = this.#few(1, 5, () => this.#key())
    for (const row of asList(await this.#same((store) => answer(store.get(wanted)))))
      this.#count(row === undefined ? 'get absent' : 'get row')
    return 1
  }

  async #scans(): Promise<number> {
    const reverse = this.#dice(2) === 0
    const to = this.#one(keys)
    const range = { kind: this.#one([...kinds, 'never']), part: this.#one(parts), from: this.#one(keys), to, limit: this.#dice(6), reverse }
    const found = asList(await this.#same((store) => answer(store.scan(range))))
    if (found.length > 0) this.#count(`scan ${reverse ? 'down' : 'up'}${to === '' ? '' : ' to'}`)
    return 1
  }

  async #reads(): Promise<number> {
    const cursor = this.#cursor()
    const limit = { events: this.#dice(8), bytes: this.#dice(200) }
    const [slice] = asList(await this.#same((store) => answer(store.read([cursor], limit).then(plain))))
    const count = asList(isRecord(slice) ? slice['events'] : []).length
    if (count > 0) this.#count(`read ${cursor.of}${'types' in cursor ? ' types' : ''}`)
    return 1
  }

  /** Some readers go on from where they were, each with what its own store gave it. */
  async #readsOn(): Promise<number> {
    const lane: Cursor = { of: 'lane', name: this.#lane(), after: this.#place(this.#head - this.#dice(20)), ...this.#types() }
    if (this.#readers.length < 12) this.#readers.push([lane, lane])
    const which = this.#dice(this.#readers.length)
    const reader = this.#readers[which] ?? [lane, lane]
    const limit = { events: 1 + this.#dice(40), bytes: 1 + this.#dice(2_000) }
    const slices: Slice[][] = [[], []]
    await this.#same((store) => {
      const side = store === this.#left ? 0 : 1
      return answer(store.read([reader[side]], limit).then((read) => ((slices[side] = [...read]), plain(read))))
    })
    const next: [Cursor, Cursor] = [slices[0]?.[0]?.next ?? lane, slices[1]?.[0]?.next ?? lane]
    this.#readers[which] = this.#dice(50) === 0 ? [lane, lane] : next
    return 1
  }

  #cursor(): Cursor {
    const which = this.#dice(5)
    if (which === 0) return { of: 'id', tenant: '', source: 's', id: `e${this.#dice(this.#changes + 1)}-${this.#dice(4)}` }
    if (which === 1) return { of: 'place', name: this.#lane(), at: this.#place(this.#dice(this.#head + 3)) }
    if (which === 2)
      return {
        of: 'stream',
        name: this.#one([...streams, 'never']),
        after: String(this.#dice(2) * this.#dice(this.#head + 1)),
        ...this.#types(),
      }
    const after = this.#dice(40) === 0 ? 'nowhere' : this.#place(this.#dice(this.#head + 2))
    return { of: 'lane', name: this.#lane(), after, ...this.#types() }
  }

  /** Both answer, and they answer the same. */
  async #same<T>(ask: (store: Store) => Promise<T>): Promise<T> {
    const [left, right] = await Promise.all([ask(this.#left), ask(this.#right)])
    const [one, other] = [JSON.stringify(left), JSON.stringify(right)]
    if (one !== other) assert.deepEqual(right, left)
    for (const code of one.matchAll(/"fault":"([A-Z_]+)"/g)) this.#count(`fault ${code[1]}`)
    return left
  }

  #types(): { types?: ReadonlySet<string> } {
    return this.#dice(2) === 0 ? {} : { types: new Set(this.#few(1, 2, () => this.#one([...types, 'never']))) }
  }

  #key(): Key {
    return { kind: this.#one(kinds), part: this.#one(parts), key: this.#one(keys) }
  }

  #put(): Put {
    const put = { ...this.#key(), value: `v${this.#dice(1_000)}` }
    return this.#dice(4) === 0 ? { ...put, expiresMs: this.#clock.ms + this.#dice(2_000) } : put
  }

  #lane(): string {
    return this.#one(this.#left.limits.lanes).name
  }

  #place(position: number): string {
    return position <= 0 ? '' : String(position).padStart(16, '0')
  }

  /** None, most often; else up to `most`. */
  #few<T>(oneIn: number, most: number, make: () => T): T[] {
    return this.#dice(oneIn) === 0 ? Array.from({ length: 1 + this.#dice(most) }, make) : []
  }

  #one<T>(of: readonly T[]): T {
    const one = of[this.#dice(of.length)]
    if (one === undefined) throw new Error('nothing to choose from')
    return one
  }

  #count(name: string): void {
    this.seen.set(name, (this.seen.get(name) ?? 0) + 1)
  }
}

/** A fault is an answer too. Anything else that is thrown ends the run. */
async function answer<T>(asked: Promise<T>): Promise<T | { fault: string; data: unknown }> {
  try {
    return await asked
  } catch (error) {
    if (!isFault(error)) throw error
    const { store: _, ...data } = error.data
    return { fault: error.code, data }
  }
}

function plain(slices: readonly Slice[]): unknown {
  return slices.map(({ next, ...slice }) => ({ ...slice, next: 'after' in next ? next.after : '' }))
}

function dice(seed: number): Dice {
  let state = seed | 0
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * sides)
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function asObject(value: unknown): object {
  return isRecord(value) ? value : {}
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
