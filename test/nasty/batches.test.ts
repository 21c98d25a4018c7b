/** Batches: they hold their keys until their commit, halve where they fail, and are attempts only one by one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Turn } from '../../src/flow/turn.ts'
import { consumer, note } from './consumer.ts'
import { effectOf, engines, happened, ids, Stage } from './stage.ts'

const numbers = (turn: Turn): readonly number[] => turn.taken.map(({ event }) => Number(event.id))

for (const engine of engines) {
  test(`given a batch with one that fails, when it is halved, then that one alone has attempts, the rest is done (${engine})`, async () => {
    const stage = await Stage.open(engine)
    const turns: { size: number; attempt: number; poison: boolean }[] = []
    await stage.life(() => [
      consumer({
        batch: { size: 16, waitMs: 0 },
        policy: { retry: { attempts: 3, fromMs: 10, toMs: 10 } },
        run(turn) {
          const poison = numbers(turn).includes(5)
          turns.push({ size: turn.taken.length, attempt: turn.attempt, poison })
          if (poison) throw new Error('5 fails')
          note(turn)
        },
      }),
    ])
    await stage.publish(Array.from({ length: 16 }, (_, n) => happened(n, `key ${n}`)))
    await stage.pass(5_000)
    assert.deepEqual(
      ids(stage.effects)
        .map(Number)
        .toSorted((a, b) => a - b),
      Array.from({ length: 16 }, (_, n) => n).filter((n) => n !== 5),
    )
    assert.deepEqual(
      turns.filter(({ poison }) => poison).map(({ size, attempt }) => [size, attempt]),
      [
        [16, 1],
        [8, 1],
        [4, 1],
        [2, 1],
        [1, 1],
        [1, 2],
        [1, 3],
      ],
    )
    const holds = await stage.holds('f')
    assert.deepEqual(
      [...holds].map(([key, { state, attempt }]) => [key, state, attempt]),
      [['key 5', 'parked', 3]],
    )
    assert.equal((await stage.record('f')).counts.failed, 3)
  })

  test(`given a batch whose commit is under way, when more of its keys arrive, then they run only after it (${engine})`, async () => {
    const stage = await Stage.open(engine)
    let committed = 0
    const seen: { first: number; before: number }[] = []
    const gate: { open?: () => void } = {}
    stage.door = (change) => {
      if (!change.puts.some(({ kind }) => kind === 'effect')) return undefined
      return new Promise<void>((resolve) => {
        gate.open = () => {
          committed += 1
          resolve()
        }
      })
    }
    await stage.life(() => [
      consumer({
        batch: { size: 3, waitMs: 0 },
        run(turn) {
          seen.push({ first: numbers(turn)[0] ?? -1, before: committed })
          note(turn)
        },
      }),
    ])
    await stage.publish([1, 2, 3].map((n) => happened(n, 'a')))
    await stage.pass(10)
    await stage.publish([4, 5].map((n) => happened(n, 'a')))
    await stage.pass(1_000)
    assert.deepEqual(seen, [{ first: 1, before: 0 }])
    gate.open?.()
    await stage.pass(10)
    gate.open?.()
    await stage.pass(10)
    assert.deepEqual(seen, [
      { first: 1, before: 0 },
      { first: 4, before: 1 },
    ])
    assert.deepEqual(ids(stage.effects), ['1', '2', '3', '4', '5'])
  })
}

test('given a batch that is not full, when its wait is over, then it runs with what there is, and a full one does not wait', async () => {
  const stage = await Stage.open('memory')
  const turns: { at: number; events: readonly number[] }[] = []
  await stage.life(() => [
    consumer({
      batch: { size: 3, waitMs: 1_000 },
      run(turn) {
        turns.push({ at: Math.round(stage.nowMs), events: numbers(turn) })
      },
    }),
  ])
  const start = Math.round(stage.nowMs)
  await stage.publish([1, 2].map((n) => happened(n, `key ${n}`)))
  await stage.pass(500)
  assert.equal(turns.length, 0)
  await stage.pass(1_000)
  assert.deepEqual(
    turns.map(({ events }) => events),
    [[1, 2]],
  )
  assert.ok((turns[0]?.at ?? 0) - start >= 1_000)
  const before = Math.round(stage.nowMs)
  await stage.publish([3, 4, 5].map((n) => happened(n, `key ${n}`)))
  await stage.pass(100)
  assert.deepEqual(turns[1]?.events, [3, 4, 5])
  assert.ok((turns[1]?.at ?? 0) - before < 50)
})

test('given a batch by group, when events of two groups wait, then no turn has both, and order by key stays', async () => {
  const stage = await Stage.open('memory')
  const turns: (readonly number[])[] = []
  await stage.life(() => [
    consumer({
      batch: { size: 10, waitMs: 0, group: ({ parts }) => (parts[0] as { group: string }).group },
      run(turn) {
        turns.push(numbers(turn))
        note(turn)
      },
    }),
  ])
  await stage.publish(Array.from({ length: 20 }, (_, n) => happened(n, `key ${n % 3}`, { group: n % 2 === 0 ? 'even' : 'odd' })))
  await stage.pass(1_000)
  for (const turn of turns) assert.equal(new Set(turn.map((n) => n % 2)).size, 1, turn.join(' '))
  assert.equal(stage.effects.length, 20)
  for (let key = 0; key < 3; key += 1) {
    const order = ids(stage.effects)
      .map(Number)
      .filter((n) => n % 3 === key)
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    )
  }
})

test('given a batch that times out, when its grace is over, then it is halved as one that failed, nothing done twice', async () => {
  const stage = await Stage.open('memory')
  const sizes: number[] = []
  await stage.life(() => [
    consumer({
      batch: { size: 4, waitMs: 0 },
      policy: { timeoutMs: 1_000, graceMs: 200 },
      run(turn) {
        sizes.push(turn.taken.length)
        note(turn)
        return turn.taken.length > 2 ? new Promise(() => {}) : undefined
      },
    }),
  ])
  await stage.publish([1, 2, 3, 4].map((n) => happened(n, `key ${n}`)))
  await stage.pass(10_000)
  assert.deepEqual(sizes, [4, 2, 2])
  assert.equal(stage.effects.length, 4)
  assert.equal((await stage.record('f')).counts.failed, 0)
})

test('given one in a batch that cannot be decoded, when it runs, then that one alone is held and the others share turns', async () => {
  const stage = await Stage.open('memory')
  await stage.life(() => [
    consumer({
      batch: { size: 10, waitMs: 0 },
      knows: 1,
    }),
  ])
  await stage.publish([1, 2, 3, 4, 5].map((n) => happened(n, `key ${n % 2}`, {}, n === 2 ? { version: 2 } : {})))
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['1', '3', '5'])
  assert.deepEqual(
    [...(await stage.holds('f'))].map(([key, { state, count }]) => [key, state, count]),
    [['key 0', 'version', 2]],
  )
})

for (const size of [1, 7, 1_000]) {
  test(`given a fold in batches of ${size}, when the process is killed between, then its rows are the log's fold`, async () => {
    const stage = await Stage.open('memory', { wayMs: 0.05 })
    const subscriptions = () => [
      consumer({
        kind: 'projection',
        batch: { size, waitMs: 0 },
        async run(turn) {
          const folded = new Map<string, number>()
          for (const { event, key } of turn.taken) {
            const row = { kind: 'row', part: 'f', key }
            const before = folded.get(key) ?? Number((await turn.get(row))?.value ?? 7)
            const after = (Math.imul(before, 31) + Number(event.id)) | 0
            folded.set(key, after)
            turn.put(row, String(after))
            turn.put(effectOf('f', event), event.id)
          }
        },
      }),
    ]
    let life = await stage.life(subscriptions)
    for (let n = 0; n < 30; n += 1) {
      await stage.publish(Array.from({ length: 10 }, (_, i) => happened(n * 10 + i, `key ${i % 3}`)))
      if (n % 5 !== 4) continue
      life.kill()
      await stage.pass(1)
      life = await stage.life(subscriptions)
      // What ran when it died runs alone now: another death here would accuse it.
      await stage.pass(100)
    }
    await stage.pass(5_000)
    const expected = new Map<string, number>()
    for (let n = 0; n < 300; n += 1) expected.set(`key ${(n % 10) % 3}`, (Math.imul(expected.get(`key ${(n % 10) % 3}`) ?? 7, 31) + n) | 0)
    assert.deepEqual(new Map((await stage.rows('row', 'f')).map(({ key, value }) => [key, Number(value)])), expected)
    assert.equal(stage.effects.length, 300)
  })
}

test('given a batch by group, when the group of one cannot be computed, then it alone parks and the others are done', async () => {
  const stage = await Stage.open('memory')
  await stage.life(() => [
    consumer({
      batch: {
        size: 10,
        waitMs: 0,
        group({ parts }) {
          const { group } = parts[0] as { group?: string }
          if (group === undefined) throw new TypeError('no group')
          return group
        },
      },
    }),
  ])
  await stage.publish([1, 2, 3, 4].map((n) => happened(n, `key ${n}`, n === 2 ? {} : { group: 'one' })))
  await stage.pass(1_000)
  await stage.publish([happened(5, 'key 5', { group: 'one' })])
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects).toSorted(), ['1', '3', '4', '5'])
  assert.deepEqual(
    [...(await stage.holds('f'))].map(([key, { state }]) => [key, state]),
    [['key 2', 'parked']],
  )
})

test('given a batch by group, when two groups together would fill it, then each still waits for its own', async () => {
  const stage = await Stage.open('memory')
  const turns: { at: number; events: readonly number[] }[] = []
  await stage.life(() => [
    consumer({
      batch: { size: 4, waitMs: 1_000, group: ({ parts }) => (parts[0] as { group: string }).group },
      run: (turn) => void turns.push({ at: stage.nowMs, events: numbers(turn) }),
    }),
  ])
  await stage.publish([0, 1, 2, 3].map((n) => happened(n, `key ${n}`, { group: n % 2 === 0 ? 'even' : 'odd' })))
  await stage.pass(500)
  await stage.publish([4, 6].map((n) => happened(n, `key ${n}`, { group: 'even' })))
  await stage.pass(5_000)
  assert.deepEqual(
    turns.map(({ events }) => events),
    [
      [0, 2, 4, 6],
      [1, 3],
    ],
  )
})
