import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import type { Fact } from '../contracts/fact.ts'
import { app } from '../define/app.ts'
import { event, type AnyEvent } from '../define/event.ts'
import { projection, type AnyProjection } from '../define/projection.ts'
import { changeOf } from '../flow/change.ts'
import type { Look, Subscription } from '../flow/subscription.ts'
import { OpenTurn, type Taken } from '../flow/turn.ts'
import { isFault } from '../kit/fault.ts'
import type { Placed, Row, Store } from '../ports/store.ts'
import { memoryStore } from '../stores/memory.ts'
import { compile } from './compile.ts'
import { lowerProjection } from './lower-projection.ts'
import type { Services } from './services.ts'
import { storedOf } from './stored-of.ts'

const Moved = event('Moved', z.object({ account: z.string(), to: z.string(), cents: z.int(), what: z.string() }), {
  key: ({ account }) => account,
})

function placed(of: AnyEvent, data: unknown, n = 1, rest: Partial<Placed> = {}): Placed {
  const fact: Fact = { type: of.type, data }
  const stored = storedOf(fact, of, { id: () => `e${n}`, source: 's', time: '2026-01-01T00:00:00Z' })
  return { ...stored, position: String(n).padStart(9, '0'), lane: '0-1023', storedMs: n, ...rest }
}

/** What was staged too late, as it was told. */
const lates: string[] = []
const services: Services = {
  source: 'bank',
  asking: () => assert.fail('a projection asks nobody'),
  late: (who, { message }) => void lates.push(`${who}: ${message}`),
}

const lowered = (of: AnyProjection, ...events: AnyEvent[]): Subscription =>
  lowerProjection(compile(app('bank', [...events, of])), of, services)

const ran = (look: Look): Extract<Look, { is: 'run' }> => {
  assert.equal(look.is, 'run', look.is === 'fault' ? look.fault.message : look.is)
  return look
}

/** Runs all events in batches of this size, each committed; gives back all rows and entries. */
async function rowsAfter(subscription: Subscription, events: readonly Placed[], size: number): Promise<readonly string[]> {
  const store = memoryStore({ nowMs: () => 1, incarnation: 'one' })
  const taken = events.flatMap((one): Taken[] => {
    const look = subscription.look(one)
    return look.is === 'run' ? [{ event: one, key: look.key, parts: look.parts, run: 0 }] : []
  })
  for (let at = 0; at < taken.length; at += size) await commitTurn(store, subscription, taken.slice(at, at + size))
  const found: Row[] = []
  for (const [kind, part] of [
    ['row', 'p#1'],
    ['index', 'p#1/n'],
  ] as const)
    found.push(...(await store.scan({ kind, part, from: '', to: '', limit: 1_000 })))
  return found.map(({ kind, key, value }) => `${kind} ${key} ${value}`)
}

async function commitTurn(store: Store, subscription: Subscription, taken: readonly Taken[]): Promise<void> {
  const turn = new OpenTurn(subscription.name, 'p', taken, 1, 1, async (keys) => store.get(keys))
  await subscription.run(turn)
  const { writes, reads } = turn.close('it is over')
  const puts = [...writes.values()].flatMap(({ value, ...key }) => (value === undefined ? [] : [{ ...key, value }]))
  const deletes = [...writes.values()].filter(({ value }) => value === undefined)
  const id = `c${taken[0]?.event.position}`
  assert.ok((await store.commit(changeOf(store, id, { puts, deletes, checks: [...reads.values()] }))).ok)
}

const balances = projection('p', z.object({ id: z.string(), n: z.int(), seen: z.array(z.string()) }), {
  key: 'id',
  index: ['n'],
  apply: (on) => [
    on(Moved, async (rows, { account, to, cents, what }, { id: seenBy }) => {
      const id = `${account}/${to}`
      if (what === 'put') rows.put({ id, n: cents, seen: [seenBy] })
      if (what === 'patch') rows.patch(id, { n: cents })
      if (what === 'delete') rows.delete(id)
      if (what === 'change')
        rows.change(id, (row) => {
          if (row === undefined) return { id, n: cents, seen: [] }
          row.seen.push(seenBy)
          row.n += cents
          return row.n % 7 === 0 ? undefined : row
        })
      if (what === 'read') {
        const row = await rows.get(id)
        rows.put({ id: `${account}/read`, n: row?.n ?? -1, seen: row?.seen ?? [] })
        row?.seen.push('never written')
      }
      if (what === 'beside') {
        const reading = rows.get(id)
        rows.put({ id, n: cents, seen: [] })
        rows.patch(`${account}/beside`, { n: cents })
        const row = await reading
        rows.put({ id: `${account}/beside`, n: row?.n ?? -2, seen: [] })
      }
    }),
  ],
})

/** What the rows come to, one event after another, by the plainest code. */
function fold(events: readonly Placed[]): readonly string[] {
  const rows = new Map<string, { by: string; row?: { id: string; n: number; seen: string[] } }>()
  const put = (by: string, row: { id: string; n: number; seen: string[] }): void => void rows.set(row.id, { by, row: structuredClone(row) })
  for (const { data, id: seenBy } of events) {
    const { account, to, cents, what } = JSON.parse(data) as { account: string; to: string; cents: number; what: string }
    const id = `${account}/${to}`
    const row = structuredClone(rows.get(id)?.row)
    if (what === 'put') put(account, { id, n: cents, seen: [seenBy] })
    if (what === 'patch' && row !== undefined) put(account, { ...row, n: cents })
    if (what === 'delete' && row !== undefined) rows.set(id, { by: account })
    if (what === 'change') {
      if (row === undefined) put(account, { id, n: cents, seen: [] })
      else if ((row.n + cents) % 7 === 0) rows.set(id, { by: account })
      else put(account, { id, n: row.n + cents, seen: [...row.seen, seenBy] })
    }
    if (what === 'read') put(account, { id: `${account}/read`, n: row?.n ?? -1, seen: row?.seen ?? [] })
    if (what === 'beside') {
      put(account, { id, n: cents, seen: [] })
      put(account, { id: `${account}/beside`, n: row?.n ?? -2, seen: [] })
    }
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, kept]) => `row ${key} ${JSON.stringify(kept)}`)
}

test('given any events, when they are applied in whatever batches, then the rows and their entries are the log’s fold', async () => {
  const subscription = lowered(balances, Moved)
  const moved = fc.record({
    account: fc.constantFrom('a', 'b'),
    to: fc.constantFrom('x', 'y', 'read', 'beside'),
    cents: fc.integer({ min: 0, max: 9 }),
    what: fc.constantFrom('put', 'patch', 'change', 'delete', 'read', 'beside'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(moved, { maxLength: 40 }), async (datas) => {
      const events = datas.map((data, n) => placed(Moved, data, n + 1))
      const [single, seven, all] = await Promise.all([1, 7, 1_000].map(async (size) => rowsAfter(subscription, events, size)))
      assert.deepEqual(seven, single)
      assert.deepEqual(all, single)
      assert.deepEqual(
        single?.filter((line) => line.startsWith('row')),
        fold(events),
      )
    }),
    { numRuns: 200 },
  )
})

const rowOf = z.object({ id: z.string() })

test('given takes with `by`, when an event is looked at, then its order key is what `by` gives, and the subscription is merged', () => {
  const by = projection('p', rowOf, { key: 'id', apply: (on) => [on(Moved, { by: ({ to }) => to }, () => {})] })
  const plain = projection('p', rowOf, { key: 'id', apply: (on) => [on(Moved, () => {})] })
  const one = placed(Moved, { account: 'a', to: 'x', cents: 1, what: '' })
  assert.equal(lowered(by, Moved).merged, true)
  assert.equal(lowered(plain, Moved).merged, false)
  assert.equal(ran(lowered(by, Moved).look(one)).key, 'x')
  assert.equal(ran(lowered(plain, Moved).look(one)).key, 'a')
})

test('given two takes of one event that give it different keys, when it is looked at, then it is SPLIT_KEYS_DIFFER', () => {
  const two = projection('p', rowOf, { key: 'id', apply: (on) => [on(Moved, { by: ({ to }) => to }, () => {}), on(Moved, () => {})] })
  const subscription = lowered(two, Moved)
  const look = subscription.look(placed(Moved, { account: 'a', to: 'x', cents: 1, what: '' }))
  assert.ok(look.is === 'fault' && look.fault.code === 'SPLIT_KEYS_DIFFER' && look.key === undefined)
  assert.equal(ran(subscription.look(placed(Moved, { account: 'a', to: 'a', cents: 1, what: '' }))).parts.length, 2)
})

test('given a `by` that throws or gives no text, when an event is looked at, then it is a fault without an order key', () => {
  for (const by of [() => JSON.parse('5') as string, () => JSON.parse('{') as string]) {
    const subscription = lowered(projection('p', rowOf, { key: 'id', apply: (on) => [on(Moved, { by }, () => {})] }), Moved)
    const look = subscription.look(placed(Moved, { account: 'a', to: 'x', cents: 1, what: '' }))
    assert.ok(look.is === 'fault' && look.fault.code === 'KEY_INVALID' && look.key === undefined)
  }
})

test('given `where`, when an event does not match, then it is skipped', () => {
  const some = projection('p', rowOf, { key: 'id', apply: (on) => [on(Moved, { where: { data: { to: ['x'] } } }, () => {})] })
  const subscription = lowered(some, Moved)
  assert.equal(subscription.look(placed(Moved, { account: 'a', to: 'y', cents: 1, what: '' })).is, 'skip')
  assert.equal(ran(subscription.look(placed(Moved, { account: 'a', to: 'x', cents: 1, what: '' }))).parts.length, 1)
})

test('given what `apply` returns can be awaited, when it is no promise, then it is awaited all the same', async () => {
  const slow = projection('p', rowOf, {
    key: 'id',
    apply: (on) => [
      on(Moved, (rows, { account }) => {
        const thenable = { then: (done: () => void) => queueMicrotask(() => (rows.put({ id: account }), done())) }
        return thenable as Promise<void>
      }),
    ],
  })
  assert.deepEqual(await rowsAfter(lowered(slow, Moved), [placed(Moved, { account: 'a', to: 'x', cents: 1, what: '' })], 1), [
    'row a {"by":"a","row":{"id":"a"}}',
  ])
})

test('given a row that two order keys write, when they share a batch or not, then the turn is ROW_SHARED', async () => {
  const shared = projection('p', rowOf, { key: 'id', apply: (on) => [on(Moved, (rows, { to }) => rows.put({ id: to }))] })
  const events = ['a', 'b'].map((account, n) => placed(Moved, { account, to: 'x', cents: 1, what: '' }, n + 1))
  for (const size of [1, 2])
    await assert.rejects(
      () => rowsAfter(lowered(shared, Moved), events, size),
      (error) => isFault(error, 'ROW_SHARED'),
    )
})

test('given a write that nobody waits for, when it comes after the turn, then it is TURN_CLOSED, and told under its name', async () => {
  const goOn = Promise.withResolvers<void>()
  let late: Promise<void> | undefined
  const forgetful = projection('p', rowOf, {
    key: 'id',
    apply: (on) => [on(Moved, (rows, { to }) => void (late = goOn.promise.then(() => rows.put({ id: to }))))],
  })
  const events = [placed(Moved, { account: 'a', to: 'x', cents: 1, what: '' })]
  assert.deepEqual(await rowsAfter(lowered(forgetful, Moved), events, 1), [])
  goOn.resolve()
  await assert.rejects(
    async () => late,
    (error) => isFault(error, 'TURN_CLOSED'),
  )
  assert.deepEqual(lates, ['p: TURN_CLOSED: p: its turn is over'])
})
