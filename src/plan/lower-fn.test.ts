import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batched } from '../define/batched.ts'
import { fn, type Fn } from '../define/fn.ts'
import type { Placed, Row } from '../ports/store.ts'
import { Asked, Made, Grown1, Grown2, Part, Other, Old, asked, lowered, placed, look, ran, turnOf, refused, one } from './fn-turn.test.ts'

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

test('given an event that can’t be read, when looked at, then it is held under its order key, or none where a field gives it', () => {
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

test('given a split event, when `where` or its consumer changes before it runs again, then its parts keep their keys and ids', async () => {
  const keysOf = async (of: Fn, found: Map<unknown, string>): Promise<ReadonlyMap<unknown, string>> => {
    const { events } = await turnOf(of, [placed(Old, { ns: [-1, 2, 3] })])
    for (const { data, id } of events)
      found.set((JSON.parse(data) as { n: number }).n, `${found.get((JSON.parse(data) as { n: number }).n)} ${id}`)
    return found
  }
  const noted = (found: Map<unknown, string>) => ({
    emits: [Made],
    run: ({ n }: { n: number }, ctx: { idempotencyKey: string }) => {
      found.set(n, ctx.idempotencyKey)
      return Made({ n })
    },
  })
  const [one, two, three] = [new Map<unknown, string>(), new Map<unknown, string>(), new Map<unknown, string>()]
  const all = await keysOf(fn('f', [Part, Other], noted(one)), one)
  const parts = await keysOf(fn('f', Part, noted(two)), two)
  const few = await keysOf(fn('f', [Part, Other], { where: { data: { n: [3] } }, ...noted(three) }), three)
  assert.deepEqual([...all.keys(), ...parts.keys(), ...few.keys()], [-1, 2, 3, 2, 3, 3])
  for (const [n, known] of [...parts, ...few]) assert.equal(known, all.get(n))
  assert.equal(new Set(all.values()).size, 3)
  assert.match(all.get(2) ?? '', /^f\/s\/e1\/0\/1 /)
})

test('given `once`, when the same thing comes again, then it is passed and counted: one by one, in one batch, and in parts', async () => {
  const seen: number[] = []
  let calls = 0
  const once = { by: ({ n }: { n: number }) => `thing ${n}`, within: '1h' } as const
  const store = new Map<string, Row>()
  const single = fn('f', [Asked, Part], { once, run: ({ n }) => void seen.push(n) })
  const first = await turnOf(single, [one], { store })
  assert.equal([...first.writes.values()][0]?.expiresMs, 1_700_000_100_000 + 3_600_000)
  assert.equal((await turnOf(single, [one], { store })).repeated, 1)
  assert.equal((await turnOf(single, [placed(Old, { ns: [1, 2, 2] })], { store })).repeated, 2)
  assert.deepEqual(seen, [1, 2])
  const batch = fn('g', batched(Asked, { size: 9, wait: '0s' }), {
    once,
    run: (items) => void (seen.push(...items.map(({ n }) => n)), (calls += 1)),
  })
  const more = [1, 5, 5, 6].map((n, i) => placed(Asked, { key: 'k', n }, { id: `e${i}` }))
  assert.equal((await turnOf(batch, more, { store })).repeated, 2)
  assert.deepEqual(seen, [1, 2, 5, 6])
  assert.equal((await turnOf(batch, more, { store })).repeated, 4)
  assert.equal(calls, 1, 'and a batch of which nothing is left is not run')
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
      assert.deepEqual(
        ctx.items.map(({ event: { data } }) => data),
        datas,
      )
      assert.deepEqual([ctx.attempt, ctx.signal.aborted], [2, false])
      for (const { emit } of ctx.items) emit(Made({ n: 1 }))
    },
  })
  const events = ['e1', 'e2'].map((id) => placed(Asked, { key: 'k', n: 1 }, { id }))
  const staged = await turnOf(of, events, { attempt: 2 })
  assert.deepEqual(keys, ['f/s/e1/0', 'f/s/e2/0'])
  assert.deepEqual(
    staged.events.map(({ cause }) => cause),
    ['e1', 'e2'],
  )
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
      assert.deepEqual(
        [use(undefined as never), rows(undefined as never), await ask(undefined as never, undefined as never)],
        ['used', 'rows', 'answer'],
      )
      assert.deepEqual([it.data, it.id, it.source, it.key, it.version, it.type, attempt], [data, 'e1', 's', 'k', 1, 'Asked', 1])
      assert.equal(signal.aborted, false)
    },
  })
  assert.deepEqual(
    (await turnOf(of, [one])).events.map(({ data }) => data),
    ['{"n":7}'],
  )
  assert.deepEqual(asked, ['f'])
})
