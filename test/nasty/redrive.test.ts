/** Redrive, discard and edit: requests that only the owner carries out, while live events go on arriving and processes die. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Request } from '../../src/flow/requests.ts'
import type { Subscription } from '../../src/flow/subscription.ts'
import { isFault } from '../../src/kit/fault.ts'
import { consumer, note, numberOf } from './consumer.ts'
import { engines, happened, ids, Stage, type Engine } from './stage.ts'

const once = { retry: { attempts: 1, fromMs: 10, toMs: 10 } }
const redrive: Request = { op: 'redrive', key: 'a', by: 'ann', atMs: 1 }

interface Scene {
  readonly stage: Stage
  readonly failing: Set<number>
  readonly subscriptions: () => readonly Subscription[]
}

/** 5 has failed and is parked; 6 and 7 stand behind it. */
async function parkedAtFive(engine: Engine): Promise<Scene> {
  const stage = await Stage.open(engine, { wayMs: 0.05 })
  const failing = new Set([5])
  const subscriptions = (): readonly Subscription[] => [
    consumer({
      policy: once,
      run(turn) {
        if (failing.has(numberOf(turn))) throw new Error(`${numberOf(turn)} fails`)
        note(turn)
      },
    }),
  ]
  return { stage, failing, subscriptions }
}

async function redriven(engine: Engine, killAtStep: number): Promise<boolean> {
  const { stage, failing, subscriptions } = await parkedAtFive(engine)
  const first = await stage.life(subscriptions)
  await stage.publish([5, 6, 7].map((n) => happened(n, 'a')))
  await stage.pass(100)
  assert.equal((await stage.holds('f')).get('a')?.count, 3)
  failing.delete(5)
  failing.add(6)
  const from = stage.world.steps
  const asked = stage.requesting('f', '0-1023', redrive)
  const later = stage.publishing([8, 9].map((n) => happened(n, 'a')))
  const reached = await stage.until(() => stage.world.steps - from >= killAtStep, 20)
  first.kill()
  await stage.pass(1)
  await stage.life(subscriptions)
  await stage.wait(Promise.all([asked, later]))
  await stage.pass(500)
  assert.deepEqual(ids(stage.effects), ['5'], `killed at step ${killAtStep}`)
  assert.equal((await stage.holds('f')).get('a')?.state, 'parked')
  failing.clear()
  await stage.request('f', '0-1023', redrive)
  await stage.pass(500)
  assert.deepEqual(ids(stage.effects), ['5', '6', '7', '8', '9'], `killed at step ${killAtStep}`)
  assert.equal((await stage.holds('f')).size, 0)
  assert.equal((await stage.held('f')).length, 0)
  return reached
}

for (const engine of engines) {
  test(`given 5, 6, 7 parked, when redriven beside 8, 9, with deaths, then 5 to 9 are done once, in order (${engine})`, async () => {
    let deaths = 0
    for (let step = 0; await redriven(engine, step); step += 1) deaths += 1
    assert.ok(deaths > 10, `${deaths} deaths`)
  })
}

test('given a parked key, when it is redriven, then its attempts begin at 0 again, and after the last it parks again', async () => {
  const stage = await Stage.open('memory')
  const attempts: number[] = []
  await stage.life(() => [
    consumer({
      run(turn) {
        attempts.push(turn.attempt)
        throw new Error('always')
      },
    }),
  ])
  await stage.publish([happened(1, 'a')])
  await stage.pass(10_000)
  assert.equal((await stage.holds('f')).get('a')?.state, 'parked')
  assert.equal((await stage.holds('f')).get('a')?.attempt, 3)
  await stage.request('f', '0-1023', redrive)
  await stage.pass(10_000)
  const operations = (await stage.rows('operation', '')).map(({ value }) => JSON.parse(value) as { by?: string; positions?: string[] })
  const [head] = await stage.held('f')
  assert.deepEqual(
    operations.map(({ by, positions }) => ({ by, positions })),
    [{ by: 'ann', positions: [head?.position] }],
  )
  assert.deepEqual(attempts, [1, 2, 3, 1, 2, 3])
  assert.equal((await stage.holds('f')).get('a')?.state, 'parked')
})

test('given a parked key, when its head is discarded, then it is done, on record, and what stood behind it runs', async () => {
  const { stage, subscriptions } = await parkedAtFive('memory')
  await stage.life(subscriptions)
  await stage.publish([5, 6, 7].map((n) => happened(n, 'a')))
  await stage.pass(100)
  const [head] = await stage.held('f')
  await stage.request('f', '0-1023', { op: 'discard', key: 'a', position: head?.position ?? '', by: 'ann', atMs: 7 })
  await stage.pass(100)
  assert.deepEqual(ids(stage.effects), ['6', '7'])
  const { mark, holes, counts } = await stage.record('f')
  assert.deepEqual({ holes, discarded: counts.discarded }, { holes: [], discarded: 1 })
  assert.equal(mark, (await stage.log()).at(-1)?.position)
  const operations = (await stage.rows('operation', '')).map(
    ({ value }) => JSON.parse(value) as { op?: string; by?: string; positions?: string[] },
  )
  assert.deepEqual(
    operations.filter(({ op }) => op === 'discard').map(({ by, positions }) => ({ by, positions })),
    [{ by: 'ann', positions: [head?.position] }],
  )
})

test('given a parked key, when all of it is discarded, then nothing of it runs and later events of the key do', async () => {
  const { stage, subscriptions } = await parkedAtFive('memory')
  await stage.life(subscriptions)
  await stage.publish([5, 6, 7].map((n) => happened(n, 'a')))
  await stage.pass(100)
  await stage.request('f', '0-1023', { op: 'discard', key: 'a', by: 'ann', atMs: 7 })
  await stage.pass(100)
  await stage.publish([happened(8, 'a')])
  await stage.pass(100)
  assert.deepEqual(ids(stage.effects), ['8'])
  assert.equal((await stage.record('f')).counts.discarded, 3)
  assert.equal((await stage.holds('f')).size, 0)
  assert.equal((await stage.held('f')).length, 0)
})

test('given an event behind the head, when it is discarded, then the key stays parked; redriven, the others run', async () => {
  const { stage, failing, subscriptions } = await parkedAtFive('memory')
  await stage.life(subscriptions)
  await stage.publish([5, 6, 7].map((n) => happened(n, 'a')))
  await stage.pass(100)
  const second = (await stage.held('f'))[1]?.position ?? ''
  await stage.request('f', '0-1023', { op: 'discard', key: 'a', position: second, by: 'ann', atMs: 7 })
  await stage.pass(100)
  assert.equal((await stage.holds('f')).get('a')?.state, 'parked')
  failing.clear()
  await stage.request('f', '0-1023', redrive)
  await stage.pass(100)
  assert.deepEqual(ids(stage.effects), ['5', '7'])
})

test('given a parked event, when it is edited and redriven, then it runs with the new data as another run', async () => {
  const stage = await Stage.open('memory')
  const seen: { run: number; data: unknown }[] = []
  await stage.life(() => [
    consumer({
      policy: once,
      run(turn) {
        const [taken] = turn.taken
        seen.push({ run: taken?.run ?? -1, data: taken?.parts[0] })
        if (JSON.stringify(taken?.parts[0]) === '{"n":"broken"}') throw new Error('broken')
        note(turn, 'f', (data) => JSON.stringify(data))
      },
    }),
  ])
  await stage.publish([happened(1, 'a', { n: 'broken' }), happened(2, 'a', { n: 2 })])
  await stage.pass(100)
  const [head] = await stage.held('f')
  const edit: Request = { op: 'edit', key: 'a', position: head?.position ?? '', data: '{"n":1}', by: 'ann', atMs: 7 }
  await stage.request('f', '0-1023', edit)
  await stage.pass(100)
  assert.equal((await stage.holds('f')).get('a')?.state, 'parked')
  await stage.request('f', '0-1023', redrive)
  await stage.pass(100)
  assert.deepEqual(
    stage.effects.map(({ value }) => value),
    ['{"n":1}', '{"n":2}'],
  )
  assert.deepEqual(seen, [
    { run: 0, data: { n: 'broken' } },
    { run: 1, data: { n: 1 } },
    { run: 0, data: { n: 2 } },
  ])
  await assert.rejects(stage.request('f', '0-1023', { ...edit, data: '{' }), (thrown) => isFault(thrown, 'EDIT_NOT_JSON'))
})

test('given a request for a key that is not held, when the owner takes it, then nothing happens but that it is recorded', async () => {
  const stage = await Stage.open('memory')
  await stage.life(() => [consumer()])
  await stage.request('f', '0-1023', redrive)
  await stage.request('f', '0-1023', { op: 'discard', key: 'a', by: 'ann', atMs: 1 })
  await stage.publish([happened(1, 'a')])
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['1'])
  assert.equal((await stage.rows('request', 'f/0-1023')).length, 0)
  assert.equal((await stage.record('f')).counts.discarded, 0)
})

test('given a key that is retried, when a request comes while its turn runs, then it waits for the turn', async () => {
  const stage = await Stage.open('memory')
  let runs = 0
  await stage.life(({ environment }) => [
    consumer({
      policy: { retry: { attempts: 5, fromMs: 10, toMs: 10 } },
      async run(turn) {
        runs += 1
        await environment.wait(1_000)
        if (runs < 3) throw new Error('not yet')
        note(turn)
      },
    }),
  ])
  await stage.publish([happened(1, 'a')])
  await stage.pass(1_500)
  await stage.request('f', '0-1023', { op: 'discard', key: 'a', by: 'ann', atMs: 1 })
  await stage.pass(10_000)
  assert.equal(runs, 2)
  assert.deepEqual(ids(stage.effects), [])
  assert.equal((await stage.record('f')).counts.discarded, 1)
})

test('given a parked event of a projection, when somebody edits it, then it stays as it is: rows equal the fold of the log', async () => {
  const stage = await Stage.open('memory')
  const seen: unknown[] = []
  await stage.life(() => [
    consumer({
      kind: 'projection',
      policy: once,
      run(turn) {
        seen.push(turn.taken[0]?.parts[0])
        throw new Error('broken')
      },
    }),
  ])
  await stage.publish([happened(1, 'a', { n: 1 })])
  await stage.pass(100)
  const [head] = await stage.held('f')
  await stage
    .request('f', '0-1023', { op: 'edit', key: 'a', position: head?.position ?? '', data: '{"n":2}', by: 'ann', atMs: 7 })
    .catch(() => {})
  await stage.pass(100)
  await stage.request('f', '0-1023', redrive)
  await stage.pass(100)
  assert.deepEqual(seen, [{ n: 1 }, { n: 1 }])
})
