import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Context } from '../define/context.ts'
import { fn } from '../define/fn.ts'
import { OpenTurn } from '../flow/turn.ts'
import { timeOfUuidV7 } from '../kit/uuid-v7.ts'
import type { Placed } from '../ports/store.ts'
import { Asked, Made, Grown1, Grown2, Part, Other, Old, lates, lowered, placed, ran, turnOf, refused, one } from './fn-turn.test.ts'

test('given one fact, several, nothing or null, when returned or emitted, then all of it is staged in order', async () => {
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
  await assert.rejects(
    () =>
      returned(() => ({
        then: () => {
          throw new Error('a query failed')
        },
      })),
    /a query failed/,
  )
})

test('given what is not declared or no fact, when emitted or returned, then EMIT_UNDECLARED says what it was', async () => {
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

test('given two versions declared, when a fact is emitted, then it is stored as its own, and a plain one as the newest', async () => {
  for (const emits of [
    [Grown1, Grown2],
    [Grown2, Grown1],
  ]) {
    const of = fn('f', Asked, {
      emits,
      run: () => [Grown1({ n: 1 }), Grown2({ n: 1, unit: 'kg' }), { type: 'Grown', data: { n: 2, unit: 't' } }] as never,
    })
    assert.deepEqual(
      (await turnOf(of, [one])).events.map(({ version, data }) => `${version} ${data}`),
      ['1 {"n":1}', '2 {"n":1,"unit":"kg"}', '2 {"n":2,"unit":"t"}'],
    )
  }
  const newest = fn('f', Asked, { emits: [Grown2], run: () => Grown1({ n: 1 }) as never })
  await assert.rejects(async () => turnOf(newest, [one]), refused('EMIT_UNDECLARED', 'Grown 1'))
})

test('given an emitted event, when it is staged, then its id is the same on every attempt, and another for all else', async () => {
  const of = fn('f', [Asked, Part], {
    emits: [Made],
    run: ({ n }, ctx) => {
      ctx.emit(Made({ n }))
      return Made({ n: ctx.attempt > 0 ? n : 0 })
    },
  })
  const ids = async (event: Placed, how: Parameters<typeof turnOf>[2] = {}): Promise<readonly string[]> =>
    (await turnOf(of, [event], how)).events.map(({ id }) => id)
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
  assert.deepEqual(
    others.map(timeOfUuidV7),
    others.map(() => one.storedMs),
  )
})

test('given an emitted event, when it is staged, then it names its cause, what all came from, its source and its time', async () => {
  const of = fn('f', Asked, { emits: [Made, Asked], run: () => [Made({ n: 1 }), Asked({ key: 'own', n: 1 })] })
  const [made, keyed] = (await turnOf(of, [one])).events
  assert.deepEqual(
    [made?.cause, made?.correlation, made?.source, made?.time],
    ['e1', 'e1', 'shop', new Date(1_700_000_100_000).toISOString()],
  )
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
  const of = fn('f', Asked, {
    emits: [Made],
    run: (_, { emit }) => {
      later = () => emit(Made({ n: 2 }))
      emit(Made({ n: 1 }))
    },
  })
  const staged = await turnOf(of, [one])
  lates.length = 0
  assert.throws(() => later?.(), refused('TURN_CLOSED'))
  assert.deepEqual(lates, ['f: TURN_CLOSED: f: its handler has returned'])
  assert.equal(staged.appends.length, 1)
})
