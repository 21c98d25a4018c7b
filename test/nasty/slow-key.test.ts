/** One key that hangs while very many events pass it: what is not settled stays bounded, on disk and in memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { decodeLane } from '../../src/flow/lane-record.ts'
import type { Stored } from '../../src/ports/store.ts'
import { consumer, note } from './consumer.ts'
import { engines, happened, Stage, type Engine, type Life } from './stage.ts'

const holesMax = 100
const many: Readonly<Record<Engine, number>> = { memory: 20_000, sqlite: 100_000 }

for (const engine of engines) {
  test(`given a key that hangs, when ${many[engine]} events pass and a kill, then bounded, all once, in order (${engine})`, async () => {
    const stage = await Stage.open(engine)
    const count = many[engine]
    let hangs = true
    let mostHoles = 0
    stage.door = (change) => {
      for (const { kind, value } of change.puts) if (kind === 'lane') mostHoles = Math.max(mostHoles, decodeLane(value).holes.length)
      return undefined
    }
    const subscriptions = (): readonly ReturnType<typeof consumer>[] => [
      consumer({
        policy: { timeoutMs: 3_600_000 },
        run(turn) {
          if (hangs && turn.taken[0]?.key === 'slow') return new Promise(() => {})
          note(turn)
        },
      }),
    ]
    const settings = { holesMax }
    const life = await stage.life(subscriptions, { settings })
    let mostKnown = 0
    const heap: number[] = []
    for (let from = 0; from < count; from += 1_000) {
      await stage.publish(Array.from({ length: 1_000 }, (_, i) => numbered(from + i)))
      const passed = from + 1_000 - (from + 1_000) / 10
      assert.ok(
        await stage.until(() => stage.effects.length >= passed, 60_000),
        `${stage.effects.length} of ${passed} went past the slow key`,
      )
      mostKnown = Math.max(mostKnown, entriesOf(life))
      if (from % 10_000 === 0) heap.push(heapAfterCollection())
    }
    life.kill()
    const grown = (heap.at(-1) ?? 0) - (heap[0] ?? 0)
    if (engine === 'sqlite') assert.ok(grown < 20_000_000, `the heap has grown by ${grown} bytes, the list of effects included`)
    assert.ok(mostHoles <= holesMax, `${mostHoles} holes`)
    assert.ok(mostKnown <= 2 * holesMax + 256, `${mostKnown} entries in memory`)
    hangs = false
    await stage.life(subscriptions, { settings })
    assert.ok(await stage.until(() => stage.effects.length >= count, 600_000), `${stage.effects.length} of ${count}`)
    await stage.pass(1_000)
    assert.equal(stage.effects.length, count)
    assert.equal(new Set(stage.effects.map(({ key }) => key)).size, count)
    const slow = stage.effects.filter(({ key }) => Number(key) % 10 === 0).map(({ key }) => Number(key))
    assert.deepEqual(
      slow,
      slow.toSorted((a, b) => a - b),
    )
    assert.equal((await stage.held('f')).length, 0)
    assert.equal((await stage.record('f')).counts.done, count)
  })
}

function numbered(n: number): Stored {
  return happened(n, n % 10 === 0 ? 'slow' : `key ${n % 97}`)
}

/** What the owner keeps of events: taken ones, and those read of rows. */
function entriesOf(life: Life): number {
  let sum = 0
  for (const { runner } of life.flow.units()) {
    sum += runner.lane.marks.open
    for (const queue of runner.lane.keys.values()) sum += queue.rows.length
  }
  return sum
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}
