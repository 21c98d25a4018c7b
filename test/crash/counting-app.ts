/** An app whose every effect can be told from its log: what crashes are tried on, and what is published to it. */
import type { DatabaseSync } from 'node:sqlite'
import type { FlushMode } from '../../src/stores/sqlite-flush.ts'
import { app, event, fn, projection, type Schema } from '../../src/entry/index.ts'
import { textHash } from '../../src/testing/sim-random.ts'

export interface Counted {
  readonly account: string
  readonly life: number
  readonly loop: number
  readonly n: number
  readonly part: number
  /** As long as chance wants, and made of the rest: half an event is found by it. */
  readonly text: string
}

/** What a function made of it. */
export interface Made {
  readonly account: string
  readonly of: string
}

/** The order of events is in its hashes. */
export interface Total {
  readonly account: string
  readonly count: number
  readonly hash: number
  readonly forwards: number
  readonly forwardsHash: number
}

export const counted = event('counted', shape<Counted>(), { key: ({ account }) => account })
export const forwarded = event('forwarded', shape<Made>(), { key: ({ account }) => account })
export const settled = event('settled', shape<Made>(), { key: ({ account }) => account })

/** By subscription, the types that it takes. */
export const takes: Readonly<Record<string, readonly string[]>> = {
  forward: ['counted'],
  moody: ['counted'],
  note: ['forwarded'],
  totals: ['counted', 'forwarded'],
}

const retry = { attempts: 6, from: '5ms', to: '20ms' } as const

/** `started` is told of every start of a handler. */
export function countingApp(started: (who: string, event: string) => void) {
  const forward = fn('forward', counted, {
    from: 'start',
    emits: [forwarded],
    retry,
    async run({ account }, ctx) {
      started('forward', ctx.event.id)
      if (dice(ctx.event.id) % 4 === 0) await rest(dice(ctx.event.id) % 5)
      ctx.emit(forwarded({ account, of: ctx.event.id }))
    },
  })
  const moody = fn('moody', counted, {
    from: 'start',
    emits: [settled],
    retry,
    breaker: false,
    run({ account, n }, ctx) {
      if (!isMoody(n)) return undefined
      started('moody', ctx.event.id)
      if (ctx.attempt === 1 && dice(ctx.event.id) % 7 === 0) throw new Error('not in the mood')
      return settled({ account, of: ctx.event.id })
    },
  })
  const note = fn('note', forwarded, {
    from: 'start',
    async run(_, ctx) {
      started('note', ctx.event.id)
      if (dice(ctx.event.id) % 16 === 0) await rest(1)
    },
  })
  const totals = projection('totals', shape<Total>(), {
    key: 'account',
    apply: (on) => [
      on(counted, (rows, data) => rows.change(data.account, (row) => addCounted(row ?? emptyTotal(data.account), data))),
      on(forwarded, (rows, data) => rows.change(data.account, (row) => addForwarded(row ?? emptyTotal(data.account), data))),
    ],
  })
  return app('counting', [counted, forwarded, settled, forward, moody, note, totals])
}

export function isMoody(n: number): boolean {
  return n % 3 === 0
}

export function emptyTotal(account: string): Total {
  return { account, count: 0, hash: 0, forwards: 0, forwardsHash: 0 }
}

export function addCounted(total: Total, { life, loop, n, part }: Counted): Total {
  return { ...total, count: total.count + 1, hash: chained(total.hash, `${life} ${loop} ${n} ${part}`) }
}

export function addForwarded(total: Total, { of }: Made): Total {
  return { ...total, forwards: total.forwards + 1, forwardsHash: chained(total.forwardsHash, of) }
}

/** What loop `loop` of a life publishes as its `n`th: always the same. */
export function publishOf(
  life: number,
  loop: number,
  n: number,
  textBytes: number,
): { readonly id: string; readonly facts: readonly Counted[] } {
  const id = `${life}-${loop}-${n}`
  const facts = Array.from({ length: dice(id) % 5 === 0 ? 3 : 1 }, (_, part): Counted => {
    const chance = dice(`${id} ${part}`)
    const text = `${id} ${part} `.repeat(1 + Math.floor((chance % textBytes) / 8))
    return { account: `${loop}.${chance % 3}`, life, loop, n, part, text }
  })
  return { id, facts }
}

/** Of a store that runs this app: how it is opened, and what is wrong with it on purpose. */
export interface Life {
  readonly path: string
  readonly life: number
  readonly flush: FlushMode
  readonly lanes: number
  readonly loops: number
  /** Of each loop; 0: until it is killed. */
  readonly publishes: number
  readonly textBytes: number
  /** By loop, what the life before did not see acknowledged. */
  readonly again: readonly number[]
  /** `never`: nothing is flushed. `early`: acknowledged before the flush. */
  readonly planted?: 'never' | 'early'
  /** Tells file 3 when the suspects of the life before have settled. */
  readonly saysReady?: true
  /** Ends without letting go of anything. */
  readonly abrupt?: true
}

/** What waits for a subscription, up to a position: not settled yet. */
export function isSettled(db: DatabaseSync, upTo: number): boolean {
  const lanes = db.prepare('select part, key, value from rows_lane').all()
  for (const row of lanes) {
    const { mark, holes } = JSON.parse(String(row['value'])) as { mark: string; holes: readonly string[] }
    if (holes.some((position) => Number(position) <= upTo)) return false
    const [from, to] = String(row['key']).split('-').map(Number)
    const types = takes[String(row['part'])] ?? []
    const waits = db
      .prepare(
        `select 1 from events where position > ? and position <= ? and slot between ? and ?
         and type in (${types.map(() => '?').join()}) limit 1`,
      )
      .get(Number(mark), upTo, from ?? 0, to ?? 1_023, ...types)
    if (waits !== undefined) return false
  }
  return lanes.length >= Object.keys(takes).length && isFree(db, 'held', upTo) && isFree(db, 'start', upTo)
}

export function headOf(db: DatabaseSync): number {
  return Number(db.prepare('select coalesce(max(position), 0) as head from events').get()?.['head'])
}

/** The keys of both kinds end with the position that they are for. */
function isFree(db: DatabaseSync, kind: 'held' | 'start', upTo: number): boolean {
  const known = db.prepare('select 1 from sqlite_master where name = ?').get(`rows_${kind}`)
  const rows = known === undefined ? [] : db.prepare(`select key from rows_${kind}`).all()
  return rows.every((row) => Number(String(row['key']).split(' ').at(-1)) > upTo)
}

function dice(text: string): number {
  return textHash(text) >>> 3
}

function chained(hash: number, text: string): number {
  return (Math.imul(hash, 31) + textHash(text)) >>> 0
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function shape<T>(): Schema<T> {
  return { '~standard': { version: 1, vendor: 'crash', validate: (value) => ({ value: value as T }) } }
}
