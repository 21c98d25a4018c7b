import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimEnvironment } from '../testing/sim-environment.ts'
import type { SimProcess } from '../testing/sim-process.ts'
import { SimWorld } from '../testing/sim-world.ts'
import { Watch } from './watch.ts'

interface Scene {
  readonly world: SimWorld
  readonly process: SimProcess
  readonly watch: Watch
  readonly expired: { readonly name: string; readonly atMs: number }[]
  add(name: string, ms: number): { watchedAt: number; readonly deadlineMs: number; expire(): void }
  run(ms: number): Promise<void>
}

function scene(pulseMs = 1_000): Scene {
  const world = new SimWorld(1)
  const process = world.spawn('one', 0)
  const watch = new Watch(new SimEnvironment(world, process, { share: 0, mostUs: 0 }), pulseMs)
  const expired: { name: string; atMs: number }[] = []
  const add: Scene['add'] = (name, ms) => {
    const watched = { watchedAt: -1, deadlineMs: watch.nowMs() + ms, expire: () => void expired.push({ name, atMs: world.nowUs / 1_000 }) }
    watch.add(watched)
    return watched
  }
  const run = async (ms: number): Promise<void> => {
    const untilUs = world.nowUs + ms * 1_000
    world.after(ms * 1_000, undefined, 0, () => {})
    await world.run(untilUs)
  }
  return { world, process, watch, expired, add, run }
}

test('given several that are watched, when their time is up, then each expires once, not early; those taken out do not', async () => {
  const { add, run, expired, watch } = scene()
  add('slow', 5_000)
  add('quick', 300)
  watch.remove(add('gone', 1_000))
  await run(200)
  add('late', 500)
  await run(10_000)
  assert.deepEqual(
    expired.map(({ name }) => name),
    ['quick', 'late', 'slow'],
  )
  const due = [300, 700, 5_000]
  expired.forEach(({ atMs }, i) => assert.ok(atMs >= (due[i] ?? 0) && atMs < (due[i] ?? 0) + 1_010, `${atMs}`))
})

test('given a standstill at any moment, when it is over, then everybody has his own time, and at most a pulse more', async () => {
  for (let from = 50; from < 3_000; from += 190) {
    const { world, process, add, run, expired } = scene()
    add('one', 3_000)
    await run(from)
    world.pause(process)
    await run(60_000)
    world.resume(process)
    await run(30_000)
    const [first] = expired
    const ownMs = (first?.atMs ?? 0) - 60_000
    assert.ok(ownMs >= 3_000 && ownMs <= 5_010, `stood still after ${from} ms: ${ownMs} ms of its own`)
  }
})

test('given nothing to watch, when time passes, then nothing waits', async () => {
  const { world, watch, add, run } = scene()
  watch.remove(add('one', 500))
  await run(2_000)
  const before = world.steps
  await run(60_000)
  assert.ok(world.steps - before <= 2)
})

test('given one that is watched, when the watch stops, then it does not expire, and nothing waits', async () => {
  const { world, watch, add, run, expired } = scene(30_000)
  add('one', 20_000)
  await run(100)
  watch.stop()
  add('after', 100)
  await run(100)
  const before = world.steps
  await run(60_000)
  assert.deepEqual(expired, [])
  assert.ok(world.steps - before <= 2)
})
