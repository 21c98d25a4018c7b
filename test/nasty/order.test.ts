/** Order, places to run and commits, whatever the handlers do and whenever the process dies. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Settings } from '../../src/flow/settings.ts'
import { consumer, note, numberOf } from './consumer.ts'
import { engines, happened, ids, Stage, type Engine, type Here, type Life } from './stage.ts'

const concurrency = 3

async function storm(engine: Engine, seed: number, settings: Partial<Settings> = {}): Promise<void> {
  const stage = await Stage.open(engine, { lanes: 4, seed, wayMs: 0.05 })
  const { random } = stage.world
  const running = new Set<string>()
  const committing = new Set<string>()
  let most = 0
  stage.door = (change) => {
    const lane = change.puts.find(({ kind }) => kind === 'lane')
    if (lane === undefined) return undefined
    const name = `${lane.part}/${lane.key}`
    assert.ok(!committing.has(name), `two commits of lane ${name} at once`)
    committing.add(name)
    return new Promise((resolve) => {
      stage.world.after(random.below(2_000), undefined, 0, () => {
        committing.delete(name)
        resolve()
      })
    })
  }
  const subscriptions = ({ environment }: Here) => [
    consumer({
      policy: { concurrency, retry: { attempts: 1_000, fromMs: 2, toMs: 20 } },
      async run(turn) {
        const key = turn.taken[0]?.key ?? ''
        assert.ok(!running.has(key), `two turns of key ${key} at once`)
        running.add(key)
        most = Math.max(most, running.size)
        try {
          await environment.wait(random.next() * 4)
          if (random.chance(0.15)) throw new Error('fails')
          note(turn)
        } finally {
          running.delete(key)
        }
      },
    }),
  ]
  let life: Life = await stage.life(subscriptions, { settings })
  for (let n = 0; n < 120; n += 1) {
    await stage.publish([happened(n, `key ${n % 7}`)])
    if (random.chance(0.3)) await stage.pass(random.below(10))
    if (n % 40 !== 39) continue
    life.kill()
    running.clear()
    committing.clear()
    await stage.pass(5)
    life = await stage.life(subscriptions, { settings })
    // What ran when it died runs alone now: another death would accuse it.
    await stage.pass(300)
  }
  await stage.pass(20_000)
  assert.equal(stage.effects.length, 120, `seed ${seed}`)
  for (let key = 0; key < 7; key += 1) {
    const order = ids(stage.effects)
      .map(Number)
      .filter((n) => n % 7 === key)
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
      `seed ${seed}`,
    )
  }
  assert.ok(most > 1 && most <= concurrency, `${most} at once`)
  assert.equal((await stage.holds('f')).size, 0)
}

for (const engine of engines) {
  test(`given failures, slow commits, kills, when all settles, then keys ran in order, one commit at a time (${engine})`, async () => {
    for (let seed = 1; seed <= 15; seed += 1) await storm(engine, seed)
  })

  test(`given publishes nobody waits for, when they are stored, then a key's stand in the order of the calls (${engine})`, async () => {
    const stage = await Stage.open(engine, { lanes: 4 })
    await stage.wait(Promise.all(Array.from({ length: 200 }, (_, n) => stage.publishing([happened(n, `key ${n % 5}`)]))))
    const log = await stage.log()
    assert.equal(log.length, 200)
    for (let key = 0; key < 5; key += 1) {
      const order = log.filter((event) => event.key === `key ${key}`).map(({ id }) => Number(id))
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      )
    }
  })
}

test('given a turn that loses to another, when it runs again with later ones of its key behind it, then their order is kept', async () => {
  const stage = await Stage.open('memory')
  const sum = { kind: 'sum', part: 'f', key: 'all' }
  await stage.life(({ environment }) => [
    consumer({
      async run(turn) {
        if (numberOf(turn) % 3 === 0) {
          const row = await turn.get(sum)
          await environment.wait(environment.random() * 3)
          turn.put(sum, String(Number(row?.value ?? 0) + 1))
        }
        note(turn)
      },
    }),
  ])
  await stage.publish(Array.from({ length: 90 }, (_, n) => happened(n, `key ${n % 10}`)))
  await stage.pass(5_000)
  assert.equal(await stage.row('sum', 'f', 'all'), '30')
  assert.equal(stage.effects.length, 90)
  for (let key = 0; key < 10; key += 1) {
    const order = ids(stage.effects)
      .map(Number)
      .filter((n) => n % 10 === key)
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    )
  }
  assert.ok((stage.counted.get('millrace_reruns_total') ?? 0) > 0)
})

test('given a death with a turn under way and rows of its key, when taken over, then the turn runs before the rows', async () => {
  for (let extra = 0; extra < 12; extra += 1) {
    const stage = await Stage.open('memory', { wayMs: 0.05 })
    let hangs = true
    const subscriptions = () => [
      consumer({
        policy: { timeoutMs: 3_600_000 },
        run(turn) {
          if (hangs && turn.taken[0]?.key === 'slow') return new Promise(() => {})
          note(turn)
        },
      }),
    ]
    const settings = { holesMax: 4 }
    const first = await stage.life(subscriptions, { settings })
    // Its later ones are spilled into rows, while it is itself a hole.
    await stage.publish([1, 2, 3, 4, 5, 6].map((n) => happened(n, 'slow')))
    await stage.publish([happened(7, 'other')])
    await stage.pass(0.1 * extra)
    first.kill()
    hangs = false
    await stage.pass(1)
    await stage.life(subscriptions, { settings })
    await stage.pass(1_000)
    assert.deepEqual(
      ids(stage.effects).filter((id) => id !== '7'),
      ['1', '2', '3', '4', '5', '6'],
      `killed ${extra}`,
    )
    assert.equal(stage.effects.length, 7)
  }
})

for (const engine of engines) {
  test(`given every limit at its least, when failures and kills come, then all is done in order (${engine})`, async () => {
    const least = { holesMax: 1, readEvents: 1, readBytes: 1, waveTurns: 1, drainRows: 1, skipsMax: 1 }
    for (let seed = 1; seed <= 3; seed += 1) await storm(engine, seed, least)
    await storm(engine, 4, { ...least, holesMax: 2, drainRows: 2 })
  })

  test(`given keys of any characters, when their events park and are redriven, then all are done (${engine})`, async () => {
    const stage = await Stage.open(engine)
    const keys = ['', ' ', '  ', '!', '%', '%20', 'a b', 'a%20b', 'a', 'a!', 'a\nb', 'ä', '😀', '\uffff', "a'b", 'k'.repeat(200)]
    let fails = true
    await stage.life(() => [
      consumer({
        policy: { retry: { attempts: 2, fromMs: 10, toMs: 10 } },
        run(turn) {
          if (fails) throw new Error('fails')
          note(turn)
        },
      }),
    ])
    await stage.publish(Array.from({ length: 3 * keys.length }, (_, n) => happened(n, keys[n % keys.length] ?? '')))
    await stage.pass(1_000)
    assert.deepEqual(new Set((await stage.holds('f')).keys()), new Set(keys))
    fails = false
    for (const key of keys) await stage.request('f', '0-1023', { op: 'redrive', key, by: 'ann', atMs: 1 })
    await stage.pass(1_000)
    assert.equal((await stage.holds('f')).size, 0)
    assert.equal(stage.effects.length, 3 * keys.length)
    for (const [i] of keys.entries()) {
      const order = ids(stage.effects)
        .map(Number)
        .filter((n) => n % keys.length === i)
      assert.deepEqual(order, [i, i + keys.length, i + 2 * keys.length])
    }
  })
}

test('given four lanes with work for one place to run, when places free, then no lane waits until another is drained', async () => {
  const stage = await Stage.open('memory', { lanes: 4 })
  const lanes: string[] = []
  await stage.publish(Array.from({ length: 200 }, (_, n) => happened(n, `key ${n}`)))
  await stage.life(({ environment }) => [
    consumer({
      policy: { concurrency: 1 },
      async run(turn) {
        lanes.push(turn.taken[0]?.event.lane ?? '')
        await environment.wait(1)
        note(turn)
      },
    }),
  ])
  await stage.pass(60_000)
  assert.equal(lanes.length, 200)
  assert.equal(new Set(lanes.slice(0, 40)).size, 4, `of the first 40 turns all are of ${[...new Set(lanes.slice(0, 40))].join(' and ')}`)
})
