import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '../kit/fault.ts'
import type { Change, Committed } from '../ports/store.ts'
import { SimDisk, type StoreFault, type Weather, type Witness } from './sim-disk.ts'
import { SimEnvironment } from './sim-environment.ts'
import { SimHints } from './sim-hints.ts'
import type { SimProcess } from './sim-process.ts'
import { randomOf } from './sim-random.ts'
import { SimStore } from './sim-store.ts'
import { SimWorld } from './sim-world.ts'

const key = { kind: 'row', part: '', key: 'count' }

test('given one seed, when a world runs twice, then both traces are one; of another seed it differs', async () => {
  const [one, again, other] = [await counting(7), await counting(7), await counting(8)]
  assert.equal(one.world.trace, again.world.trace)
  assert.equal(one.world.steps, again.world.steps)
  assert.notEqual(one.world.trace, other.world.trace)
})

test('given four processes that count in one row, when answers are lost, then the row says what was acknowledged', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { disk, acknowledged, unknown } = await counting(seed)
    const stands = Number(disk.get([key])[0]?.value ?? 0)
    assert.ok(
      stands >= acknowledged && stands <= acknowledged + unknown,
      `seed ${seed}: ${stands}, ${acknowledged} acknowledged, ${unknown} unknown`,
    )
  }
})

test('given commits that are not flushed, when the power fails, then they never were, and what was acknowledged stands', async () => {
  let taken = 0
  for (let seed = 1; seed <= 30; seed++) {
    const { world, disk, counters } = cluster(seed)
    let acknowledged = 0
    for (const counter of counters) void count(counter, 50, (went) => void (acknowledged += went === 'well' ? 1 : 0))
    await world.run(20_000 + seed * 100)
    const before = Number(disk.get([key])[0]?.value ?? 0)
    for (const { process } of counters) world.crash(process)
    disk.cut()
    await world.run(10_000_000)
    const stands = Number(disk.get([key])[0]?.value ?? 0)
    assert.ok(stands >= acknowledged, `seed ${seed}: ${stands} stand, ${acknowledged} acknowledged`)
    taken += before - stands
  }
  assert.ok(taken > 0)
})

test('given a process that is paused, when its waits fall due, then it is called back later, and its own time stood still', async () => {
  const world = new SimWorld(1)
  const process = world.spawn('a', 3_600_000)
  const environment = new SimEnvironment(world, process, { share: 0, mostUs: 0 })
  let wokenMs = 0
  void environment.wait(100).then(() => (wokenMs = world.nowUs / 1_000))
  world.after(50_000, undefined, 0, () => world.pause(process))
  world.after(500_000, undefined, 0, () => world.resume(process))
  await world.run(1_000_000)
  assert.ok(wokenMs >= 500 && wokenMs < 501, String(wokenMs))
  assert.equal(process.ownUs(world.nowUs), world.nowUs - 450_000)
})

test('given a process that has crashed, when its answers fall due, then nothing of it runs any more', async () => {
  const world = new SimWorld(1)
  const process = world.spawn('a', 0)
  const environment = new SimEnvironment(world, process, { share: 0, mostUs: 0 })
  let ran = 0
  void environment.wait(100).then(() => void ran++)
  environment.soon(() => void ran++)
  world.crash(process)
  await world.run(1_000_000)
  assert.equal(ran, 0)
})

test('given promises that hang on one answer, when the next is due at the same instant, then all of them have run before it', async () => {
  const world = new SimWorld(1)
  const order: string[] = []
  world.after(10, undefined, 0, () => {
    void Promise.resolve()
      .then(() => undefined)
      .then(() => Promise.resolve())
      .then(() => order.push('the end of the first'))
  })
  world.after(10, undefined, 0, () => order.push('the second'))
  await world.run(100)
  assert.deepEqual(order, ['the end of the first', 'the second'])
})

interface Counter {
  readonly process: SimProcess
  readonly store: SimStore
}

function cluster(seed: number, rate = 0.1): { world: SimWorld; disk: SimDisk; counters: readonly Counter[] } {
  const world = new SimWorld(seed)
  const disk = new SimDisk(world, weatherOf(seed, rate), silent, { lanes: 4, limits: {}, incarnation: 'one', skewMs: 0, gated: true })
  const hints = new SimHints(disk)
  const counters = ['a', 'b', 'c', 'd'].map((name) => {
    const process = world.spawn(name, 0)
    return { process, store: new SimStore(disk, hints, process) }
  })
  return { world, disk, counters }
}

async function counting(seed: number): Promise<{ world: SimWorld; disk: SimDisk; acknowledged: number; unknown: number }> {
  const { world, disk, counters } = cluster(seed)
  const went = { well: 0, unknown: 0, badly: 0 }
  for (const counter of counters) void count(counter, 20, (how) => void went[how]++)
  await world.run(600_000_000)
  return { world, disk, acknowledged: went.well, unknown: went.unknown }
}

async function count({ store, process }: Counter, times: number, tell: (how: 'well' | 'badly' | 'unknown') => void): Promise<void> {
  for (let at = 0; at < times; at++) {
    try {
      const [row] = await store.get([key])
      const committed: Committed = await store.commit(plusOne(`${process.name}${at}`, Number(row?.value ?? 0), row?.rev ?? null))
      tell(committed.ok ? 'well' : 'badly')
    } catch (error) {
      tell(isFault(error) && error.data['unknown'] === true ? 'unknown' : 'badly')
    }
  }
}

function plusOne(id: string, value: number, rev: string | null): Change {
  return {
    id,
    incarnation: 'one',
    checks: [{ ...key, rev }],
    expects: [],
    appends: [],
    puts: [{ ...key, value: String(value + 1) }],
    deletes: [],
    trims: [],
    native: [],
  }
}

function weatherOf(seed: number, rate: number): Weather {
  const random = randomOf(seed, 'weather')
  const faults: readonly StoreFault[] = ['full', 'failed', 'lost', 'missed', 'silent', 'mute', 'slow']
  return {
    fault: () => (random.chance(rate) ? random.pick(faults) : 'none'),
    wayUs: () => random.tail(200, 5_000, 0.05),
    flushUs: () => random.tail(1_000, 10_000, 0.05),
    slowUs: () => random.below(500_000),
    silentUs: () => 1_000_000,
    outlives: () => random.chance(0.5),
    hint: () => 'prompt',
    polls: () => true,
  }
}

const silent: Witness = {
  nameOf: () => 'count',
  stage: () => undefined,
  before: () => undefined,
  after: () => undefined,
  flushed: () => undefined,
  cutOff: () => undefined,
}
