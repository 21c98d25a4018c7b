import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { app } from '../define/app.ts'
import { batched } from '../define/batched.ts'
import type { Asking, Context } from '../define/context.ts'
import { event, type AnyEvent } from '../define/event.ts'
import { fn, type Fn } from '../define/fn.ts'
import type { Look, Subscription } from '../flow/subscription.ts'
import { OpenTurn, type Staged, type Taken } from '../flow/turn.ts'
import { isFault } from '../kit/fault.ts'
import type { Code } from '../kit/fault-codes.ts'
import { timeOfUuidV7 } from '../kit/uuid-v7.ts'
import type { Key, Placed, Row, Stored } from '../ports/store.ts'
import { planOf } from './compile.ts'
import { lowerFn } from './lower-fn.ts'
import { storedOf } from './stored-of.ts'

const Asked = event('Asked', z.object({ key: z.string(), n: z.number() }), { key: ({ key }) => key })
const Made = event('Made', z.object({ n: z.number() }))
const Grown1 = event('Grown', z.object({ n: z.number() }))
const Grown2 = event('Grown', z.object({ n: z.number(), unit: z.string() }), { version: 2, upcast: (from) => from(Grown1, (old) => ({ ...old, unit: 'g' })) })
const Part = event('Part', z.object({ n: z.number() }))
const Other = event('Other', z.object({ n: z.number() }))
/** Read as Parts and Others: below 0 as an Other. */
const Old = event('Old', z.object({ ns: z.array(z.number()) }), {
  becomes: (into) => into([Part, Other], ({ ns }) => ns.map((n) => (n < 0 ? Other({ n }) : Part({ n })))),
})
const all: readonly AnyEvent[] = [Asked, Made, Grown1, Grown2, Part, Other, Old]

/** How often anything was asked for: by name. */
const asked: string[] = []

const answers: Omit<Asking, 'signal'> = {
  log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  now: () => 7,
  use: () => JSON.parse('"used"') as never,
  rows: () => JSON.parse('"rows"') as never,
  ask: async () => JSON.parse('"answer"') as never,
}

function lowered(of: Fn): Subscription {
  return lowerFn(planOf(app('shop', [...all, of])), of, {
    source: 'shop',
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

function placed(of: AnyEvent, data: unknown, rest: Partial<Placed> = {}): Placed {
  const stored = storedOf({ type: of.type, data }, of, { id: () => rest.id ?? 'e1', source: rest.source ?? 's', time: '2026-01-01T00:00:00Z' })
  return { ...stored, position: '1', lane: '0-1023', storedMs: 1_700_000_000_000, ...rest }
}

const look = (of: Fn, one: Placed): Look => lowered(of).look(one)

const ran = (of: Look): Extract<Look, { is: 'run' }> => {
  assert.equal(of.is, 'run', of.is === 'fault' ? of.fault.message : of.is)
  return of as Extract<Look, { is: 'run' }>
}

interface How {
  readonly run?: number
  readonly attempt?: number
  readonly subscription?: string
  readonly store?: Map<string, Row>
  readonly storeMs?: number
}

/** One turn of these events, and what it staged. */
async function turnOf(of: Fn, events: readonly Placed[], how: How = {}): Promise<Staged & { readonly events: readonly Stored[] }> {
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
  for (const { kind, part, key, value } of staged.writes.values()) if (value !== undefined) store.set(key, { kind, part, key, value, rev: 'r' })
  return { ...staged, events: staged.appends.map((append) => append.event) }
}

const refused =
  (code: Code, ...words: readonly string[]) =>
  (error: unknown): boolean =>
    isFault(error, code) && words.every((word) => error.message.includes(word))

const one = placed(Asked, { key: 'k', n: 1 })

test('given an order by key, by none or by a field, when an event is looked at, then that is its order key', () => {
  const run = (): void => {}
  assert.equal(ran(look(fn('f', Asked, { run }), one)).key, 'k')
  assert.equal(ran(look(fn('f', Asked, { order: 'none', run }), one)).key, 's e1')
  assert.equal(ran(look(fn('f', Asked, { order: ({ n }) => `n${n}`, run }), one)).key, 'n1')
  assert.deepEqual(
    ['key' as const, 'none' as const, () => ''].map((order) => lowered(fn('f', Asked, { order, run })).merged),
    [false, false, true],
  )
})

test('given an event that can’t be read, when it is looked at, then it is held under its order key, and under none where a field gives it', () => {
  const run = (): void => {}
  const newer = { ...placed(Grown2, { n: 1, unit: 'g' }, { key: 'k' }), version: 3 }
  const broken = { ...placed(Grown1, { n: 1 }, { key: 'k' }), data: '{', parsed: undefined } as unknown as Placed
  for (const [event, is] of [
    [newer, 'wait'],
    [broken, 'fault'],
  ] as const) {
    const keys = ['key' as const, 'none' as const, () => ''].map((order) => {
      const found = look(fn('f', Grown2, { order, run }), event)
      assert.equal(found.is, is)
      return found.is === is ? found.key : ''
    })
    assert.deepEqual(keys, ['k', 's e1', undefined])
  }
})

test('given an order or a `where` that throws, or an order that gives no text, when an event is looked at, then it is a fault', () => {
  for (const order of [() => JSON.parse('5') as string, () => JSON.parse('{') as string]) {
    const found = look(fn('f', Asked, { order, run: () => {} }), one)
    assert.ok(found.is === 'fault' && found.fault.code === 'KEY_INVALID' && found.key === undefined)
  }
})

test('given `where`, when a split event is looked at, then only the parts that match are run, and none means it is skipped', () => {
  const some = fn('f', Part, { where: { data: { n: [{ numeric: ['>', 1] }] } }, run: () => {} })
  const parts = ran(look(some, placed(Old, { ns: [1, 2, -5, 3] }))).parts as { data: unknown; type: string; id: string }[]
  assert.deepEqual(
    parts.map(({ data, type, id }) => ({ data, type, id })),
    [2, 3].map((n) => ({ data: { n }, type: 'Part', id: 'e1' })),
  )
  assert.equal(look(some, placed(Old, { ns: [1, -5] })).is, 'skip')
  assert.equal(look(some, placed(Old, { ns: [] })).is, 'skip')
})

test('given parts with different order keys, when a split event is looked at, then it is SPLIT_KEYS_DIFFER', () => {
  const by = fn('f', Part, { order: ({ n }) => `n${n}`, run: () => {} })
  const found = look(by, placed(Old, { ns: [1, 2] }))
  assert.ok(found.is === 'fault' && found.fault.code === 'SPLIT_KEYS_DIFFER')
  assert.equal(ran(look(by, placed(Old, { ns: [2, 2] }))).parts.length, 2)
})

test('given a split event, when its turn runs, then its parts run one after another, each under its own idempotency key', async () => {
  const seen: string[] = []
  const of = fn('f', Part, {
    run: async ({ n }, ctx) => {
      seen.push(`in ${n} ${ctx.idempotencyKey}`)
      await Promise.resolve()
      seen.push(`out ${n}`)
    },
  })
  await turnOf(of, [placed(Old, { ns: [1, 2] })])
  assert.deepEqual(seen, ['in 1 f/s/e1/0', 'out 1', 'in 2 f/s/e1/0/1', 'out 2'])
})

test('given what a handler returns or emits, when it is one fact, several, nothing or null, then all of it is staged in order', async () => {
  const returned = async (what: (ctx: Context<never, { emits: [typeof Made] }>) => unknown): Promise<readonly unknown[]> => {
    const of = fn('f', Asked, { emits: [Made], run: (_, ctx) => what(ctx as never) as never })
    return (await turnOf(of, [one])).events.map(({ data }) => JSON.parse(data) as unknown)
  }
  assert.deepEqual(await returned(() => Made({ n: 1 })), [{ n: 1 }])
  assert.deepEqual(await returned(async () => [Made({ n: 1 }), Made({ n: 2 })]), [{ n: 1 }, { n: 2 }])
  assert.deepEqual(await returned(() => undefined), [])
  assert.deepEqual(await returned(() => null), [])
  assert.deepEqual(await returned(() => []), [])
  assert.deepEqual(
    await returned(({ emit }) => {
      emit(Made({ n: 1 }), Made({ n: 2 }))
      emit({ type: 'Made', data: { n: 3 } })
      return Made({ n: 4 })
    }),
    [1, 2, 3, 4].map((n) => ({ n })),
  )
  assert.deepEqual(await returned(() => ({ then: (done: (fact: unknown) => void) => done(Made({ n: 5 })) })), [{ n: 5 }])
  await assert.rejects(() => returned(() => ({ then: () => { throw new Error('a query failed') } })), /a query failed/)
})

test('given what is not declared or no fact, when it is emitted or returned, then it is EMIT_UNDECLARED, and says what it was', async () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [Other({ n: 1 }), 'Other'],
    [5, '5'],
    [[null], 'null'],
    [{}, 'an object without a type'],
    [[[Made({ n: 1 })]], 'an object without a type'],
  ]
  for (const [given, word] of cases) {
    const of = fn('f', Asked, { emits: [Made], run: () => given as never })
    await assert.rejects(async () => turnOf(of, [one]), refused('EMIT_UNDECLARED', 'fn f emits', word), word)
  }
  const wrong = fn('f', Asked, { emits: [Made], run: () => JSON.parse('{"type":"Made","data":{"n":"x"}}') as never })
  await assert.rejects(async () => turnOf(wrong, [one]), refused('VALIDATION_FAILED', '/n'))
})

test('given two versions declared, when a fact is emitted, then it is stored as the one that made it, and a plain one as the newest', async () => {
  for (const emits of [
    [Grown1, Grown2],
    [Grown2, Grown1],
  ]) {
    const of = fn('f', Asked, { emits, run: () => [Grown1({ n: 1 }), Grown2({ n: 1, unit: 'kg' }), { type: 'Grown', data: { n: 2, unit: 't' } }] as never })
    assert.deepEqual(
      (await turnOf(of, [one])).events.map(({ version, data }) => `${version} ${data}`),
      ['1 {"n":1}', '2 {"n":1,"unit":"kg"}', '2 {"n":2,"unit":"t"}'],
    )
  }
  const newest = fn('f', Asked, { emits: [Grown2], run: () => Grown1({ n: 1 }) as never })
  await assert.rejects(async () => turnOf(newest, [one]), refused('EMIT_UNDECLARED', 'Grown 1'))
})

test('given an emitted event, when it is staged, then its id is the same on every attempt, and another for another place, body, run, event or subscription', async () => {
  const of = fn('f', [Asked, Part], { emits: [Made], run: ({ n }, ctx) => { ctx.emit(Made({ n })); return Made({ n: n + ctx.attempt * 0 }) } })
  const ids = async (event: Placed, how: How = {}): Promise<readonly string[]> => (await turnOf(of, [event], how)).events.map(({ id }) => id)
  const first = await ids(one)
  assert.deepEqual(await ids(one, { attempt: 2, storeMs: 1_800_000_000_000 }), first)
  const others = [
    ...first,
    ...(await ids(placed(Asked, { key: 'k', n: 2 }))),
    ...(await ids(one, { run: 1 })),
    ...(await ids(one, { subscription: 'g' })),
    ...(await ids(placed(Asked, { key: 'k', n: 1 }, { id: 'e2' }))),
    ...(await ids(placed(Asked, { key: 'k', n: 1 }, { source: 't' }))),
    ...(await ids(placed(Old, { ns: [1, 1] }))),
  ]
  assert.equal(new Set(others).size, 16 - 2)
  assert.deepEqual(others.map(timeOfUuidV7), others.map(() => one.storedMs))
})

test('given an emitted event, when it is staged, then it names its cause and what all of it came from, its source and its time', async () => {
  const of = fn('f', Asked, { emits: [Made, Asked], run: () => [Made({ n: 1 }), Asked({ key: 'own', n: 1 })] })
  const [made, keyed] = (await turnOf(of, [one])).events
  assert.deepEqual([made?.cause, made?.correlation, made?.source, made?.time], ['e1', 'e1', 'shop', new Date(1_700_000_100_000).toISOString()])
  assert.deepEqual([made?.key, keyed?.key], [made?.id, 'own'])
  const [later] = (await turnOf(of, [{ ...one, correlation: 'first', cause: 'before' }])).events
  assert.deepEqual([later?.cause, later?.correlation], ['e1', 'first'])
})

test('given any two events, runs and parts, when their idempotency keys are equal, then so are they', async () => {
  const keys = async (source: string, id: string, run: number): Promise<readonly string[]> => {
    const found: string[] = []
    const of = fn('f', Part, { run: (_, ctx) => void found.push(ctx.idempotencyKey) })
    await turnOf(of, [placed(Old, { ns: [1, 2] }, { source, id })], { run })
    return found.map((key, part) => `${key} = ${JSON.stringify([source, id, run, part])}`)
  }
  const text = fc.string({ unit: fc.constantFrom('a', '/', '0', '1', '%', 'é', '\ud800'), minLength: 1, maxLength: 4 })
  const seen = new Map<string, string>()
  await fc.assert(
    fc.asyncProperty(text, text, fc.integer({ min: 0, max: 1 }), async (source, id, run) => {
      for (const line of await keys(source.toWellFormed(), id.toWellFormed(), run)) {
        const [key = '', of = ''] = line.split(' = ')
        assert.equal(seen.get(key) ?? of, of)
        assert.match(key, /^[\x21-\x7e]+$/)
        seen.set(key, of)
      }
    }),
    { numRuns: 400 },
  )
})

test('given `once`, when the same thing comes again, then it is passed and counted: one by one, in one batch, and in parts', async () => {
  const seen: number[] = []
  const once = { by: ({ n }: { n: number }) => `thing ${n}`, within: '1h' } as const
  const store = new Map<string, Row>()
  const single = fn('f', [Asked, Part], { once, run: ({ n }) => void seen.push(n) })
  const first = await turnOf(single, [one], { store })
  assert.equal([...first.writes.values()][0]?.expiresMs, 1_700_000_100_000 + 3_600_000)
  assert.equal((await turnOf(single, [one], { store })).repeated, 1)
  assert.equal((await turnOf(single, [placed(Old, { ns: [1, 2, 2] })], { store })).repeated, 2)
  assert.deepEqual(seen, [1, 2])
  const batch = fn('g', batched(Asked, { size: 9, wait: '0s' }), { once, run: (items) => void seen.push(...items.map(({ n }) => n)) })
  const more = [1, 5, 5, 6].map((n, i) => placed(Asked, { key: 'k', n }, { id: `e${i}` }))
  assert.equal((await turnOf(batch, more, { store })).repeated, 2)
  assert.deepEqual(seen, [1, 2, 5, 6])
  assert.equal((await turnOf(batch, more, { store })).repeated, 4)
  assert.deepEqual(seen, [1, 2, 5, 6], 'and a batch of which nothing is left is not run')
})

test('given an attempt that fails, when `once` is asked in the next, then it was not done', async () => {
  const store = new Map<string, Row>()
  const failing = fn('f', Asked, { once: { by: () => 'x', within: '1h' }, run: () => Promise.reject(new Error('no')) })
  await assert.rejects(async () => turnOf(failing, [one], { store }), /no/)
  const well = fn('f', Asked, { emits: [Made], once: { by: () => 'x', within: '1h' }, run: () => Made({ n: 1 }) })
  assert.equal((await turnOf(well, [one], { store })).events.length, 1)
})

test('given a `once` that gives no text that can be kept, when the turn runs, then it is KEY_INVALID', async () => {
  for (const by of ['5', '""', '"\\ud800"', '"a\\u0000"']) {
    const of = fn('f', Asked, { once: { by: () => JSON.parse(by) as string, within: '1h' }, run: () => {} })
    if (by === '""') await turnOf(of, [one])
    else await assert.rejects(async () => turnOf(of, [one]), refused('KEY_INVALID', 'once.by'), by)
  }
})

test('given a batch, when its turn runs, then each item has its event, its key, and what it emits is caused by it', async () => {
  let keys: readonly string[] = []
  const of = fn('f', batched(Asked, { size: 9, wait: '0s' }), {
    emits: [Made],
    run: (datas, ctx) => {
      keys = ctx.items.map(({ idempotencyKey }) => idempotencyKey)
      assert.deepEqual(ctx.items.map(({ event: { data } }) => data), datas)
      assert.deepEqual([ctx.attempt, ctx.signal.aborted], [2, false])
      for (const { emit } of ctx.items) emit(Made({ n: 1 }))
    },
  })
  const events = ['e1', 'e2'].map((id) => placed(Asked, { key: 'k', n: 1 }, { id }))
  const staged = await turnOf(of, events, { attempt: 2 })
  assert.deepEqual(keys, ['f/s/e1/0', 'f/s/e2/0'])
  assert.deepEqual(staged.events.map(({ cause }) => cause), ['e1', 'e2'])
  assert.equal(new Set(staged.events.map(({ id }) => id)).size, 2)
})

test('given a batch that returns facts, when its turn runs, then it is refused, for nobody could say which item caused them', async () => {
  const of = fn('f', batched(Asked, { size: 9, wait: '0s' }), { emits: [Made], run: (() => [Made({ n: 1 })]) as never })
  await assert.rejects(async () => turnOf(of, [one]), refused('EMIT_UNDECLARED', 'by item'))
})

test('given a batch by group, when an event is looked at, then its group is what `by` gives', () => {
  const of = fn('f', batched(Asked, { size: 9, wait: '5s', by: ({ n }) => `g${n}` }), { run: () => {} })
  const { batch } = lowered(of)
  assert.deepEqual([batch?.size, batch?.waitMs, batch?.group?.(ran(look(of, one)))], [9, 5_000, 'g1'])
})

test('given a handler, when it asks for nothing, then nothing is made for it; when it takes ctx apart, then all of it works', async () => {
  asked.length = 0
  await turnOf(fn('f', Asked, { run: () => {} }), [one])
  assert.deepEqual(asked, [])
  const of = fn('f', Asked, {
    emits: [Made],
    run: async (data, { event: it, attempt, emit, now, use, rows, ask, log, signal }) => {
      emit(Made({ n: now() }))
      log.info('hello')
      assert.deepEqual([use(undefined as never), rows(undefined as never), await ask(undefined as never, undefined as never)], ['used', 'rows', 'answer'])
      assert.deepEqual([it.data, it.id, it.source, it.key, it.version, it.type, attempt], [data, 'e1', 's', 'k', 1, 'Asked', 1])
      assert.equal(signal.aborted, false)
    },
  })
  assert.deepEqual((await turnOf(of, [one])).events.map(({ data }) => data), ['{"n":7}'])
  assert.deepEqual(asked, ['f'])
})

test('given a turn that is called off, when its handler goes on, then its signal says so, and what it emits is TURN_CLOSED', async () => {
  const goOn = Promise.withResolvers<void>()
  let aborted: boolean | undefined
  const of = fn('f', Asked, {
    emits: [Made],
    run: async (_, ctx) => {
      await goOn.promise
      aborted = ctx.signal.aborted
      return Made({ n: 1 })
    },
  })
  const subscription = lowered(of)
  const { key, parts } = ran(subscription.look(one))
  const turn = new OpenTurn('f', 'f', [{ event: one, key, parts, run: 0 }], 1, 1, async () => [])
  const running = subscription.run(turn)
  turn.close('its time was up', true)
  goOn.resolve()
  await assert.rejects(async () => running, refused('TURN_CLOSED', 'its time was up'))
  assert.equal(aborted, true)
})

test('given a handler that staged and has returned, when it emits later, then it is TURN_CLOSED, and nothing is added', async () => {
  let later: (() => void) | undefined
  const of = fn('f', Asked, { emits: [Made], run: (_, { emit }) => { later = () => emit(Made({ n: 2 })); emit(Made({ n: 1 })) } })
  const staged = await turnOf(of, [one])
  assert.throws(() => later?.(), refused('TURN_CLOSED'))
  assert.equal(staged.appends.length, 1)
})
