/** Two publishes of one id, and the power goes before the flush: neither was acknowledged, or the event is there. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openFlow } from '../../src/flow/flow.ts'
import { publishStored } from '../../src/flow/publisher.ts'
import { defaultSettings } from '../../src/flow/settings.ts'
import { idMint } from '../../src/kit/uuid-v7.ts'
import type { Environment } from '../../src/ports/environment.ts'
import type { Store } from '../../src/ports/store.ts'
import { nodeEnvironment } from '../../src/hosts/node-environment.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { SimDisk, type Weather, type Witness } from '../../src/testing/sim-disk.ts'
import { SimEnvironment } from '../../src/testing/sim-environment.ts'
import { SimHints } from '../../src/testing/sim-hints.ts'
import { SimStore } from '../../src/testing/sim-store.ts'
import { SimWorld } from '../../src/testing/sim-world.ts'
import { consumer } from './consumer.ts'
import { happened } from './stage.ts'

const weather: Weather = {
  fault: () => 'none',
  wayUs: () => 50,
  flushUs: () => 500,
  slowUs: () => 0,
  silentUs: () => 0,
  outlives: () => false,
  hint: () => 'prompt',
  polls: () => true,
}
const witness: Witness = {
  nameOf: () => 'a change',
  stage: () => {},
  before: () => {},
  after: () => {},
  flushed: () => {},
  cutOff: () => {},
}
const event = happened('same', 'a')

function publisher(store: Store, environment: Environment): () => Promise<unknown> {
  const changeId = idMint(environment)
  return () => publishStored({ store, environment, changeId, settings: defaultSettings }, [event])
}

/** The power goes after so many microseconds; tells whether anybody was answered, and whether it is there after all. */
async function cutAfter(us: number): Promise<{ answered: number; kept: boolean }> {
  const world = new SimWorld(1)
  const disk = new SimDisk(world, weather, witness, { lanes: 1, limits: {}, incarnation: 'first', skewMs: 0, gated: true })
  const hints = new SimHints(disk)
  let answered = 0
  for (const name of ['one', 'other']) {
    const process = world.spawn(name, 0)
    const publish = publisher(new SimStore(disk, hints, process), new SimEnvironment(world, process, { share: 0, mostUs: 0 }))
    world.after(name === 'one' ? 0 : 100, process, 0, () => void publish().then(() => (answered += 1)))
  }
  world.after(us, undefined, 0, () => {
    for (const process of world.processes) world.crash(process)
    disk.cut()
  })
  await world.run(1_000_000)
  const [slice] = disk.read([{ of: 'lane', name: '0-1023', after: '' }], { events: 10, bytes: 1_000 })
  return { answered, kept: (slice?.events.length ?? 0) === 1 }
}

test('given two publishes of one id, when the power goes at any moment, then none was acknowledged, or it is there', async () => {
  const seen = new Set<string>()
  for (let us = 0; us < 2_000; us += 20) {
    const { answered, kept } = await cutAfter(us)
    assert.ok(kept || answered === 0, `after ${us} µs ${answered} were acknowledged, and nothing is there`)
    seen.add(`${answered} ${kept}`)
  }
  // Before the flush, after it, and after both answers.
  for (const outcome of ['0 false', '0 true', '2 true']) assert.ok(seen.has(outcome), outcome)
})

test('given two publishes of one id, when the flush is under way, then neither is acknowledged; after it both are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-flush-'))
  const { nowMs, monotonicMs, random, soon } = nodeEnvironment
  const flushes: (() => void)[] = []
  const store = await sqliteStore({
    path: join(folder, 'store.db'),
    flush: 'pool',
    nowMs,
    monotonicMs,
    random,
    soon,
    sync: (_file, done) => void flushes.push(() => done(null)),
  })
  try {
    const publish = publisher(store, nodeEnvironment)
    const answers: string[] = []
    const first = publish().then(() => answers.push('first'))
    const second = publish().then(() => answers.push('second'))
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
    for (let turns = 0; turns < 20; turns += 1) await turn()
    assert.deepEqual(answers, [])
    assert.equal(flushes.length, 1)
    flushes.shift()?.()
    while (answers.length < 2) {
      await turn()
      flushes.shift()?.()
    }
    await Promise.all([first, second])
    assert.deepEqual(answers, ['first', 'second'])
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('given an event whose flush is under way, when time passes, then no function sees it; after the flush it does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-seen-'))
  const { nowMs, monotonicMs, random, soon } = nodeEnvironment
  let slow = false
  const flushes: (() => void)[] = []
  const sync = (_file: number, done: (error: Error | null) => void): void => {
    if (slow) flushes.push(() => done(null))
    else done(null)
  }
  const store = await sqliteStore({ path: join(folder, 'store.db'), flush: 'pool', nowMs, monotonicMs, random, soon, sync })
  const telemetry = { count: () => {}, record: () => {}, span: <T>(_: string, __: unknown, run: () => T) => run(), log: () => {} }
  const seen: string[] = []
  const subscription = consumer({ run: (turn) => void seen.push(...turn.taken.map(({ event: { id } }) => id)) })
  const flow = await openFlow({ store, environment: nodeEnvironment, telemetry }, { id: 'one', subscriptions: [subscription] })
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 30; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
  try {
    slow = true
    const published = publishStored(flow.context, [event])
    await turns()
    assert.deepEqual(seen, [])
    slow = false
    for (const flush of flushes.splice(0)) flush()
    await published
    while (seen.length === 0) await turns()
    assert.deepEqual(seen, ['same'])
  } finally {
    slow = false
    for (const flush of flushes.splice(0)) flush()
    await flow.stop()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
