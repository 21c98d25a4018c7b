import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Placed } from '../ports/store.ts'
import { Fifo } from '../kit/fifo.ts'
import { Crew } from './crew.ts'
import { Entry } from './entry.ts'
import type { FlowContext } from './context.ts'
import { noCounts } from './lane-record.ts'
import { OwnedLane } from './owned-lane.ts'
import type { BatchPolicy, Subscription } from './subscription.ts'
import { formBatch, formOne, formProbe, type Formed } from './works.ts'

const subscription: Subscription = {
  name: 'f',
  kind: 'fn',
  from: 'start',
  merged: false,
  types: new Set(),
  policy: { retry: { attempts: 3, fromMs: 1, toMs: 1 }, timeoutMs: 1, graceMs: 1, concurrency: 1, breaker: false },
  look: () => ({ is: 'skip' }),
  run: () => {},
}

function laneOf(): OwnedLane {
  return new OwnedLane(
    {} as FlowContext,
    new Crew(subscription, 'f', 0),
    '0-1023',
    { owner: 'one', epoch: 1, token: 't', mark: '', holes: [], counts: noCounts },
    'r',
  )
}

function entry(n: number, key: string, group = 'g'): Entry {
  const event: Placed = {
    tenant: '',
    source: 's',
    id: String(n),
    type: 'T',
    version: 1,
    key,
    slot: 0,
    time: '',
    data: '{}',
    position: String(n).padStart(6, '0'),
    lane: 'l',
    storedMs: 0,
  }
  return new Entry(event, key, [], undefined, false, group)
}

function arrives(lane: OwnedLane, n: number, key: string, group = 'g'): Entry {
  const one = entry(n, key, group)
  const queue = lane.queueOf(key)
  queue.waiting.push(one)
  lane.list(queue)
  return one
}

function numbers(formed: Formed): readonly number[] {
  return formed.is === 'work' ? formed.work.entries.map(({ event }) => Number(event.id)) : []
}

const policy: BatchPolicy = { size: 4, waitMs: 100 }

test('given keys that are ready, when turns are formed, then each takes one event of the first key that is not busy', () => {
  const lane = laneOf()
  arrives(lane, 1, 'a')
  arrives(lane, 2, 'b')
  arrives(lane, 3, 'a')
  lane.queueOf('b').busy = true
  assert.deepEqual(numbers(formOne(lane)), [1])
  assert.equal(formOne(lane).is, 'nothing')
  lane.queueOf('b').busy = false
  lane.list(lane.queueOf('b'))
  assert.deepEqual(numbers(formOne(lane)), [2])
  lane.list(lane.queueOf('a'))
  assert.deepEqual(numbers(formOne(lane)), [3])
})

test('given a batch that is not full, when its wait is not over, then it waits; over or full, it is formed in order', () => {
  const lane = laneOf()
  arrives(lane, 1, 'b')
  arrives(lane, 2, 'a')
  arrives(lane, 3, 'b')
  assert.deepEqual(formBatch(lane, policy, 30), { is: 'later', inMs: 70 })
  arrives(lane, 4, 'c')
  assert.deepEqual(numbers(formBatch(lane, policy, 30)), [1, 2, 3, 4])
  arrives(lane, 5, 'd')
  assert.deepEqual(numbers(formBatch(lane, policy, 100)), [5])
})

test('given a batch that failed, when its events are formed again, then in halves, and at once', () => {
  const lane = laneOf()
  const formed = [1, 2, 3, 4].map((n) => arrives(lane, n, `key ${n}`))
  for (const one of formed) one.most = 2
  assert.deepEqual(numbers(formBatch(lane, policy, 0)), [1, 2])
  assert.deepEqual(numbers(formBatch(lane, policy, 0)), [3, 4])
})

test('given any keys, groups and halves, when batches are formed, then each event is in one, in order, of one group', () => {
  const arrival = fc.record({
    key: fc.constantFrom('a', 'b', 'c'),
    group: fc.constantFrom('g', 'h'),
    most: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 30 }), fc.integer({ min: 1, max: 6 }), (arrivals, size) => {
      const lane = laneOf()
      arrivals.forEach(({ key, group, most }, n) => {
        const one = arrives(lane, n, key, group)
        if (most !== undefined) one.most = most
      })
      const seen: Entry[] = []
      for (let turns = 0; turns <= arrivals.length; turns += 1) {
        const formed = formBatch(lane, { size, waitMs: 0 }, 0)
        if (formed.is !== 'work') break
        const { entries, queues } = formed.work
        assert.ok(entries.length >= 1 && entries.length <= Math.min(size, ...entries.map(({ most }) => most)))
        assert.equal(new Set(entries.map(({ group }) => group)).size, 1)
        assert.deepEqual(new Set(entries.map(({ key }) => key)), new Set(queues.map(({ key }) => key)))
        seen.push(...entries)
        for (const queue of queues) if (queue.waiting.length > 0) lane.list(queue)
      }
      assert.equal(seen.length, arrivals.length)
      for (const key of ['a', 'b', 'c']) {
        const order = seen.filter((one) => one.key === key).map(({ event }) => Number(event.id))
        assert.deepEqual(
          order,
          order.toSorted((a, b) => a - b),
        )
      }
    }),
  )
})

test('given a key whose rows may run, when a batch is formed, then they run by themselves, a second attempt alone', () => {
  const lane = laneOf()
  arrives(lane, 9, 'b')
  const a = lane.queueOf('a')
  a.hold = { state: 'ready', attempt: 0, dueMs: 0, count: 3, sinceMs: 0 }
  lane.list(a)
  assert.deepEqual(formBatch(lane, { size: 4, waitMs: 0 }, 0), { is: 'rows', queue: a })
  a.rows = new Fifo([entry(1, 'a'), entry(2, 'a'), entry(3, 'a')])
  lane.list(a)
  assert.deepEqual(numbers(formBatch(lane, { size: 4, waitMs: 0 }, 0)), [1, 2, 3])
  assert.equal(a.rowsOut, 3)
  a.rowsOut = 0
  a.hold = { state: 'wait', attempt: 1, dueMs: 0, count: 3, sinceMs: 0 }
  a.due = true
  a.rows = new Fifo([entry(1, 'a'), entry(2, 'a')])
  lane.list(a)
  const again = formBatch(lane, { size: 4, waitMs: 0 }, 0)
  assert.deepEqual(numbers(again), [1])
  assert.equal(again.is === 'work' && again.work.attempt, 2)
})

test('given an open breaker, when a probe is formed, then it is one event of the key that is chosen among those that could run', () => {
  const lane = laneOf()
  arrives(lane, 1, 'a')
  arrives(lane, 2, 'b')
  arrives(lane, 3, 'c')
  lane.queueOf('c').busy = true
  const asked: string[][] = []
  const formed = formProbe(lane, (keys) => {
    asked.push([...keys])
    return 'b'
  })
  assert.deepEqual(asked, [['a', 'b']])
  assert.deepEqual(numbers(formed), [2])
  assert.equal(formed.is === 'work' && formed.work.probe, true)
  assert.equal(formProbe(laneOf(), () => undefined).is, 'nothing')
})
