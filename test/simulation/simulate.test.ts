import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Coverage } from './coverage.ts'
import { draw } from './draw.ts'
import { Journal } from './journal.ts'
import { plant } from './planted/bug.ts'
import { runSeeds } from './runner.ts'
import type { Schedule } from './schedule.ts'
import { asTest, shrink } from './shrink.ts'
import { simulate } from './simulate.ts'
import { Violation } from './violation.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

test('given 150 seeds, when each runs to its calm and its end, then every rule holds', async () => {
  const { failed, steps } = await runSeeds({
    seed: 1,
    seeds: 150,
    simulatedMs: Number.POSITIVE_INFINITY,
    enough: () => false,
    shrinkRuns: 0,
    say: () => undefined,
  })
  assert.deepEqual(failed, undefined)
  assert.ok(steps > 100_000)
})

test('given one seed, when two processes run it, then the last line of both is the same hash, and of another seed another', async () => {
  const [one, again, other] = await Promise.all([lastLine('7'), lastLine('7'), lastLine('8')])
  assert.match(one, /^trace hash [0-9a-f]{8}$/)
  assert.equal(one, again)
  assert.notEqual(one, other)
})

test('given a schedule as plain data, when it went through JSON, then it runs the same', async () => {
  const schedule = draw(11)
  const copy = JSON.parse(JSON.stringify(schedule)) as Schedule
  assert.equal((await simulate(copy)).trace, (await simulate(schedule)).trace)
})

test('given a failing schedule, when it is shrunk, then what does not matter is gone, and it is printed as a test', async () => {
  const schedule = unregistered(draw(3))
  const { failure } = await simulate(schedule)
  assert.ok(failure instanceof Violation)
  const shrunk = await shrink(schedule, failure, { runs: 120, over: () => false })
  assert.equal(shrunk.schedule.faults.length, 0)
  assert.ok(shrunk.schedule.calls.length <= 1, String(shrunk.schedule.calls.length))
  assert.equal(shrunk.schedule.runtimes.length, 1)
  assert.match(asTest(shrunk), /^\/\/ not settled: [^]*test\("given a shrunk schedule of seed 3[^]*simulate\(schedule\)/)
})

test('given a bug whose text does not stand exactly once, when it is planted, then that is said', () => {
  const bug = { name: 'none', file: 'a.ts', find: 'b', replace: 'c', rule: '1' }
  assert.equal(plant('abc', bug), 'acc')
  assert.throws(() => plant('acc', bug), /'none': the text to replace stands 0 times in a.ts/)
  assert.throws(() => plant('abb', bug), /stands 2 times/)
})

test('given what the checks noted of commits, when the power fails, then only what was flushed is left', () => {
  const journal = new Journal()
  const map = new Map<string, number>()
  const list: number[] = []
  journal.open(1)
  journal.set(map, 'a', 1)
  journal.push(list, 1)
  journal.open(2)
  journal.set(map, 'a', 2)
  journal.set(map, 'b', 2)
  journal.delete(map, 'a')
  journal.push(list, 2)
  journal.flushed(1)
  journal.cut()
  assert.deepEqual([...map], [['a', 1]])
  assert.deepEqual(list, [1])
})

test('given a fault that was never hit, when the coverage is asked, then it names it', () => {
  const coverage = new Coverage()
  assert.ok(coverage.short(1).includes('crash × wave'))
  coverage.hit('crash', 'wave')
  assert.ok(!coverage.short(1).includes('crash × wave'))
  assert.match(coverage.table(), /^wave +0 +1 /m)
})

async function lastLine(seed: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=millrace-source',
    `${root}scripts/simulate.ts`,
    '--seed',
    seed,
    '--seeds',
    '4',
  ])
  return stdout.trim().split('\n').at(-1) ?? ''
}

/** Its breaker and its patience are such that its events are never done: nothing that a schedule should hold. */
function unregistered(schedule: Schedule): Schedule {
  const [runtime] = schedule.runtimes
  const hung = schedule.subscriptions.map((subscription) => ({
    ...subscription,
    workMs: 10_000_000,
    policy: { ...subscription.policy, timeoutMs: 1_000_000_000 },
  }))
  return {
    ...schedule,
    subscriptions: hung,
    runtimes: runtime === undefined ? [] : [{ ...runtime, startMs: 0 }, ...schedule.runtimes.slice(1)],
  }
}
