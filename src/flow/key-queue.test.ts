import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Placed } from '../ports/store.ts'
import { Fifo } from '../kit/fifo.ts'
import { Entry } from './entry.ts'
import { KeyQueue } from './key-queue.ts'

function entry(n: number, isHeld = false): Entry {
  const position = String(n).padStart(6, '0')
  const event: Placed = {
    tenant: '',
    source: 's',
    id: String(n),
    type: 'T',
    version: 1,
    key: 'k',
    slot: 0,
    time: '',
    data: '{}',
    position,
    lane: 'l',
    storedMs: 0,
  }
  return new Entry(event, 'k', [], isHeld ? { lane: 'l', position, id: String(n), type: 'T', run: 0 } : undefined, false)
}

const numbers = (entries: readonly Entry[]): readonly number[] => entries.map(({ event }) => Number(event.id))
const hold = { state: 'wait', attempt: 2, dueMs: 100, count: 2, sinceMs: 0 } as const

test('given a key at rest, when something of it waits, then a turn may start, and whatever is under way keeps it from that', () => {
  const queue = new KeyQueue('k')
  assert.ok(queue.empty && queue.idle && !queue.startable())
  queue.waiting.push(entry(1))
  assert.ok(queue.startable())
  const ways: ((on: boolean) => void)[] = [
    (on) => (queue.busy = on),
    (on) => (queue.blocks = on ? 1 : 0),
    (on) => (queue.loading = on),
    (on) => (queue.abandoned = on),
    (on) => (queue.asked = on ? 1 : 0),
  ]
  for (const way of ways) {
    way(true)
    assert.ok(!queue.startable() && !queue.empty)
    way(false)
    assert.ok(queue.startable())
  }
})

test('given rows of a held key, when it waits, is parked or of a version, then they rest; when due or ready, they run', () => {
  const queue = new KeyQueue('k')
  queue.hold = hold
  assert.ok(!queue.drains())
  queue.due = true
  assert.ok(queue.drains())
  for (const state of ['parked', 'version'] as const) {
    queue.hold = { ...hold, state }
    assert.ok(!queue.drains(), state)
  }
  queue.hold = { ...hold, state: 'ready' }
  assert.ok(queue.drains())
  queue.rowsOut = 2
  assert.ok(!queue.drains(), 'all its rows are out')
})

test('given a hold with attempts, when the head of its rows runs, then they are its own; what stands in front or behind has none', () => {
  const queue = new KeyQueue('k')
  queue.hold = hold
  assert.equal(queue.attempts, 2)
  queue.rowsOut = 1
  assert.equal(queue.attempts, 0)
  queue.rowsOut = 0
  queue.waiting.push(entry(1))
  assert.equal(queue.attempts, 0)
})

test('given turns that are undone, when their entries are given back, then they stand in order, rows among rows', () => {
  const queue = new KeyQueue('k')
  queue.hold = hold
  queue.rowsOut = 2
  queue.waiting = new Fifo([entry(7)])
  queue.rows = new Fifo([entry(5, true)])
  queue.giveBack([entry(6), entry(4, true), entry(3, true), entry(2)])
  assert.deepEqual(numbers([...queue.waiting]), [2, 6, 7])
  assert.deepEqual(numbers([...queue.rows]), [3, 4, 5])
  assert.equal(queue.rowsOut, 0)
})
