/** The breaker, beside a poison key and in a total outage. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBreaker } from '../../src/flow/breaker.ts'
import { consumer, note, numberOf } from './consumer.ts'
import { engines, happened, Stage, type Here } from './stage.ts'

const policy = {
  retry: { attempts: 3, fromMs: 200, toMs: 5_000 },
  breaker: { share: 0.5, of: 20, keys: 5, restMs: 30_000 },
}
const keys = 50

for (const engine of engines) {
  test(`given a poison key, then an outage, when it is over, then only that opened it, ten keys parked at most (${engine})`, async () => {
    const stage = await Stage.open(engine)
    let outage = false
    const opened: number[] = []
    const tried = { outage: 0 }
    stage.door = (change) => {
      for (const { kind, value } of change.puts) if (kind === 'breaker' && decodeBreaker(value).phase === 'open') opened.push(stage.nowMs)
      return undefined
    }
    const life = await stage.life(() => [
      consumer({
        policy,
        run(turn) {
          if (outage) tried.outage += 1
          if (outage || turn.taken[0]?.key === 'poison') throw new Error('fails')
          note(turn)
        },
      }),
    ])
    let n = 0
    let poisons = 0
    const traffic = async (rounds: number, gapMs: number, width = keys): Promise<void> => {
      for (let round = 0; round < rounds; round += 1) {
        await stage.publish(Array.from({ length: width }, (_, i) => happened(n++, i === 0 ? 'poison' : `key ${i}`)))
        poisons += 1
        // An operator who does not give up: the poison key is tried over and over.
        await stage.request('f', '0-1023', { op: 'redrive', key: 'poison', by: 'ann', atMs: 1 })
        await stage.pass(gapMs)
      }
    }
    await traffic(40, 2_000)
    // And in a quiet hour, when most calls are the poison's own.
    await traffic(40, 2_000, 2)
    assert.deepEqual(opened, [])
    outage = true
    await traffic(60, 60_000)
    assert.ok(opened.length > 0)
    const parked = [...(await stage.holds('f'))].filter(([, { state }]) => state === 'parked').map(([key]) => key)
    assert.ok(parked.length <= 10, `${parked.length} keys are parked`)
    assert.ok(tried.outage < 400, `${tried.outage} calls in the outage`)
    outage = false
    await stage.pass(600_000)
    for (const { runner } of life.flow.units()) assert.equal(runner.lane.crew.breaker.phase, 'closed')
    assert.equal(decodeBreaker((await stage.row('breaker', '', 'f')) ?? '').phase, 'closed')
    for (const key of parked) await stage.request('f', '0-1023', { op: 'redrive', key, by: 'ann', atMs: 2 })
    await stage.pass(600_000)
    const good = stage.effects.map(({ key }) => Number(key))
    assert.equal(good.length, n - poisons)
    assert.equal(new Set(good).size, good.length)
    const left = [...(await stage.holds('f')).keys()]
    assert.deepEqual(left, ['poison'])
  })
}

test('given failures that open it while its row is on its way, when the process dies, then it is open in the next', async () => {
  const stage = await Stage.open('memory', { wayMs: 20 })
  let calls = 0
  const subscriptions = ({ environment }: Here) => [
    consumer({
      policy: { ...policy, retry: { attempts: 9, fromMs: 60_000, toMs: 60_000 } },
      async run(turn) {
        calls += 1
        // One fails, and its commit takes 40 ms; the others fail meanwhile.
        await environment.wait(numberOf(turn) === 0 ? 10 : 25)
        throw new Error('fails')
      },
    }),
  ]
  const first = await stage.life(subscriptions)
  await stage.publish(Array.from({ length: 12 }, (_, n) => happened(n, `key ${n}`)))
  await stage.pass(1_000)
  for (const { runner } of first.flow.units()) assert.equal(runner.lane.crew.breaker.phase, 'open')
  assert.equal(decodeBreaker((await stage.row('breaker', '', 'f')) ?? '').phase, 'open')
  first.kill()
  await stage.pass(1)
  calls = 0
  await stage.life(subscriptions)
  await stage.publish(Array.from({ length: 12 }, (_, n) => happened(20 + n, `new key ${n}`)))
  await stage.pass(20_000)
  assert.equal(calls, 0)
})

test('given an open breaker, when the process restarts, then it is open still, and one probe comes after the rest', async () => {
  const stage = await Stage.open('memory')
  let calls = 0
  const subscriptions = () => [
    consumer({
      policy: { ...policy, retry: { attempts: 9, fromMs: 100, toMs: 100 } },
      run() {
        calls += 1
        throw new Error('fails')
      },
    }),
  ]
  const first = await stage.life(subscriptions)
  await stage.publish(Array.from({ length: 30 }, (_, n) => happened(n, `key ${n}`)))
  await stage.pass(1_000)
  assert.equal(decodeBreaker((await stage.row('breaker', '', 'f')) ?? '').phase, 'open')
  first.kill()
  await stage.pass(1)
  calls = 0
  await stage.life(subscriptions)
  await stage.pass(20_000)
  assert.equal(calls, 0)
  await stage.pass(11_000)
  assert.equal(calls, 1)
})

test('given an open breaker, when probes fail, then those are no attempts, and each asks another key', async () => {
  const stage = await Stage.open('memory')
  const probes: string[] = []
  await stage.life(() => [
    consumer({
      policy,
      run(turn) {
        if (stage.nowMs > 5_000) probes.push(turn.taken[0]?.key ?? '')
        throw new Error('fails')
      },
    }),
  ])
  await stage.publish(Array.from({ length: 8 }, (_, n) => happened(n, `key ${n}`)))
  await stage.pass(1_000)
  const before = [...(await stage.holds('f'))].map(([key, { attempt }]) => [key, attempt])
  await stage.pass(245_000)
  assert.deepEqual(
    [...(await stage.holds('f'))].map(([key, { attempt }]) => [key, attempt]),
    before,
  )
  assert.equal(probes.length, 8)
  assert.equal(new Set(probes).size, 8)
})
