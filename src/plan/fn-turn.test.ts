/** One turn of a function, without a runtime: what the tests of functions share. It holds no test of its own. */
import assert from 'node:assert/strict'
import { z } from 'zod'
import { app } from '../define/app.ts'
import type { Asking } from '../define/context.ts'
import { event, type AnyEvent } from '../define/event.ts'
import type { Fn } from '../define/fn.ts'
import type { Look, Subscription } from '../flow/subscription.ts'
import { OpenTurn, type Staged, type Taken } from '../flow/turn.ts'
import { isFault } from '../kit/fault.ts'
import type { Code } from '../kit/fault-codes.ts'
import type { Key, Placed, Row, Stored } from '../ports/store.ts'
import { planOf } from './compile.ts'
import { lowerFn } from './lower-fn.ts'
import { storedOf } from './stored-of.ts'

export const Asked = event('Asked', z.object({ key: z.string(), n: z.number() }), { key: ({ key }) => key })
export const Made = event('Made', z.object({ n: z.number() }))
export const Grown1 = event('Grown', z.object({ n: z.number() }))
export const Grown2 = event('Grown', z.object({ n: z.number(), unit: z.string() }), {
  version: 2,
  upcast: (from) => from(Grown1, (old) => ({ ...old, unit: 'g' })),
})
export const Part = event('Part', z.object({ n: z.number() }))
export const Other = event('Other', z.object({ n: z.number() }))
/** Read as Parts and Others: below 0 as an Other. */
export const Old = event('Old', z.object({ ns: z.array(z.number()) }), {
  becomes: (into) => into([Part, Other], ({ ns }) => ns.map((n) => (n < 0 ? Other({ n }) : Part({ n })))),
})
const all: readonly AnyEvent[] = [Asked, Made, Grown1, Grown2, Part, Other, Old]

/** How often anything was asked for: by name. */
export const asked: string[] = []

/** What was staged too late, as it was told. */
export const lates: string[] = []

const answers: Omit<Asking, 'signal'> = {
  log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  now: () => 7,
  use: () => JSON.parse('"used"') as never,
  rows: () => JSON.parse('"rows"') as never,
  ask: async () => JSON.parse('"answer"') as never,
}

export function lowered(of: Fn): Subscription {
  return lowerFn(planOf(app('shop', [...all, of])), of, {
    source: 'shop',
    late: (who, { message }) => void lates.push(`${who}: ${message}`),
    asking: (who, signal) => {
      asked.push(who)
      return {
        ...answers,
        get signal() {
          return signal()
        },
      }
    },
  })
}

export function placed(of: AnyEvent, data: unknown, rest: Partial<Placed> = {}): Placed {
  const stored = storedOf({ type: of.type, data }, of, {
    id: () => rest.id ?? 'e1',
    source: rest.source ?? 's',
    time: '2026-01-01T00:00:00Z',
  })
  return { ...stored, position: '1', lane: '0-1023', storedMs: 1_700_000_000_000, ...rest }
}

export function look(of: Fn, one: Placed): Look {
  return lowered(of).look(one)
}

export function ran(of: Look): Extract<Look, { is: 'run' }> {
  assert.equal(of.is, 'run', of.is === 'fault' ? of.fault.message : of.is)
  return of
}

interface How {
  readonly run?: number
  readonly attempt?: number
  readonly subscription?: string
  readonly store?: Map<string, Row>
  readonly storeMs?: number
}

/** One turn of these events, and what it staged. */
export async function turnOf(of: Fn, events: readonly Placed[], how: How = {}): Promise<Staged & { readonly events: readonly Stored[] }> {
  const { run = 0, attempt = 1, subscription = of.name, store = new Map<string, Row>(), storeMs = 1_700_000_100_000 } = how
  const one = lowered(of)
  const taken = events.map((event): Taken => {
    const { key, parts } = ran(one.look(event))
    return { event, key, parts, run }
  })
  const read = async (keys: readonly Key[]): Promise<(Row | undefined)[]> => keys.map(({ key }) => store.get(key))
  const turn = new OpenTurn(of.name, subscription, taken, attempt, storeMs, read)
  await one.run(turn)
  const staged = turn.close('its handler has returned')
  for (const { kind, part, key, value } of staged.writes.values())
    if (value !== undefined) store.set(key, { kind, part, key, value, rev: 'r' })
  return { ...staged, events: staged.appends.map((append) => append.event) }
}

export const refused =
  (code: Code, ...words: readonly string[]) =>
  (error: unknown): boolean =>
    isFault(error, code) && words.every((word) => error.message.includes(word))

export const one = placed(Asked, { key: 'k', n: 1 })
