/** Several runtimes on one store: who owns a lane, when it is taken over, and what a stale owner can still do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumer, note, numberOf } from './consumer.ts'
import { engines, happened, ids, Stage, type Life } from './stage.ts'

const settings = { leaseMs: 2_000, beatMs: 500 }
const lanes = ['0-255', '256-511', '512-767', '768-1023']

async function owners(stage: Stage): Promise<readonly string[]> {
  const found: string[] = []
  for (const lane of lanes) found.push((await stage.record('f', lane)).owner)
  return found
}

for (const engine of engines) {
  test(`given an owner still past its lease, when it returns, then nothing it does counts, all is done once (${engine})`, async () => {
    const stage = await Stage.open(engine, { writers: 'many', lanes: 4 })
    const subscriptions = () => [
      consumer({
        async run(turn) {
          await new Promise<void>((resolve) => void stage.world.after(50_000, undefined, 0, resolve))
          note(turn)
        },
      }),
    ]
    const first = await stage.life(subscriptions, { settings })
    await stage.pass(1_000)
    await stage.publish(Array.from({ length: 40 }, (_, n) => happened(n, `key ${n % 10}`)))
    await stage.pass(20)
    stage.world.pause(first.process)
    const second = await stage.life(subscriptions, { settings })
    const before = stage.nowMs
    assert.ok(await stage.until(() => [...second.flow.units()].length === 4, 60_000))
    assert.ok(stage.nowMs - before >= settings.leaseMs, `taken after ${stage.nowMs - before} ms`)
    stage.world.resume(first.process)
    await stage.pass(20_000)
    assert.equal(stage.effects.length, 40)
    assert.equal(new Set(ids(stage.effects)).size, 40)
    for (let key = 0; key < 10; key += 1) {
      const order = ids(stage.effects)
        .map(Number)
        .filter((n) => n % 10 === key)
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      )
    }
    for (const lane of lanes) assert.equal((await stage.record('f', lane)).counts.failed, 0)
  })

  test(`given two runtimes, when both beat, then they share evenly, and one that stops hands its lanes over (${engine})`, async () => {
    const stage = await Stage.open(engine, { writers: 'many', lanes: 4 })
    const first = await stage.life(() => [consumer()], { settings })
    await stage.pass(5_000)
    assert.deepEqual(new Set(await owners(stage)), new Set(['life 1']))
    await stage.life(() => [consumer()], { settings })
    await stage.pass(10_000)
    const shared = await owners(stage)
    assert.equal(shared.filter((owner) => owner === 'life 1').length, 2, shared.join(' '))
    assert.equal(shared.filter((owner) => owner === 'life 2').length, 2, shared.join(' '))
    await first.stop()
    await stage.pass(2 * settings.beatMs)
    assert.deepEqual(new Set(await owners(stage)), new Set(['life 2']))
  })
}

test('given an owner that died, when its lease is over, then its lanes are taken, and not before', async () => {
  const stage = await Stage.open('memory', { writers: 'many', lanes: 4 })
  const first = await stage.life(() => [consumer()], { settings })
  await stage.pass(1_000)
  const second = await stage.life(() => [consumer()], { settings })
  await stage.pass(10_000)
  first.kill()
  await stage.pass(settings.leaseMs - settings.beatMs - 100)
  assert.equal([...second.flow.units()].length, 2)
  await stage.pass(settings.beatMs * 2 + 200)
  assert.equal([...second.flow.units()].length, 4)
})

test('given a newer plan, when an older process runs, then it has no lane but of what only it knows', async () => {
  const stage = await Stage.open('memory', { writers: 'many', lanes: 4 })
  const old = await stage.life(() => [consumer(), consumer({ name: 'retired' })], { settings })
  await stage.pass(2_000)
  const young = await stage.life(() => [consumer()], { settings, generation: 1 })
  await stage.pass(10_000)
  const named = (life: Life): readonly string[] => [...life.flow.units()].map(({ runner }) => runner.lane.crew.subscription.name)
  assert.deepEqual(named(old), ['retired', 'retired', 'retired', 'retired'])
  assert.deepEqual(named(young), ['f', 'f', 'f', 'f'])
  const late = await stage.life(() => [consumer()], { settings })
  await stage.pass(10_000)
  assert.deepEqual(named(late), [])
})

test('given owners that lose their lane while a handler runs, when they return, then its event is no suspect for it', async () => {
  const stage = await Stage.open('memory', { writers: 'many', lanes: 1 })
  const attempts: string[] = []
  const subscriptions = () => [
    consumer({
      async run(turn) {
        attempts.push(`${numberOf(turn)}/${turn.attempt}`)
        await new Promise<void>((resolve) => void stage.world.after(1_000_000, undefined, 0, resolve))
        note(turn)
      },
    }),
  ]
  // Each one stands still in the middle of the same event, is replaced, and comes back.
  const lives: Life[] = [await stage.life(subscriptions, { settings })]
  await stage.pass(100)
  await stage.publish([happened(1, 'a')])
  await stage.pass(100)
  for (let round = 0; round < 5; round += 1) {
    const standing = lives.at(-1) ?? assert.fail()
    stage.world.pause(standing.process)
    const next = await stage.life(subscriptions, { settings })
    lives.push(next)
    assert.ok(await stage.until(() => [...next.flow.units()].length === 1, 60_000))
    stage.world.resume(standing.process)
    await stage.pass(400)
    await stage.wait(standing.flow.stop())
  }
  await stage.pass(10_000)
  assert.deepEqual(ids(stage.effects), ['1'])
  assert.equal((await stage.holds('f')).size, 0)
})

test('given a lane whose owner left no beat, when another meets it, then a whole lease passes before it is taken', async () => {
  const stage = await Stage.open('memory', { writers: 'many', lanes: 4 })
  const first = await stage.life(() => [consumer()], { settings })
  await stage.pass(1_000)
  first.kill()
  const { store } = stage
  const own = { kind: 'runtime', part: '', key: first.process.name }
  await stage.wait(
    store.commit({
      id: 'gone',
      incarnation: store.incarnation,
      checks: [],
      expects: [],
      appends: [],
      puts: [],
      deletes: [own],
      trims: [],
      native: [],
    }),
  )
  const second = await stage.life(() => [consumer()], { settings })
  await stage.pass(settings.leaseMs - 100)
  assert.equal([...second.flow.units()].length, 0)
  await stage.pass(settings.beatMs + 200)
  assert.equal([...second.flow.units()].length, 4)
})

test('given two runtimes that deploy a subscription at one moment, when both run, then it begins once, and all is done once', async () => {
  const stage = await Stage.open('memory', { writers: 'many', lanes: 4, wayMs: 0.05 })
  await stage.publish([happened(1, 'a')])
  const both = [stage.life(() => [consumer()], { settings }), stage.life(() => [consumer()], { settings })]
  await Promise.all(both)
  await stage.publish([2, 3, 4, 5].map((n) => happened(n, `key ${n}`)))
  await stage.pass(10_000)
  assert.deepEqual(ids(stage.effects).toSorted(), ['1', '2', '3', '4', '5'])
})
