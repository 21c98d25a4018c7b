import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Placed, StoreLimits, Stored } from '../ports/store.ts'
import { storeLimits } from '../stores/change-bounds.ts'
import { Fifo } from '../kit/fifo.ts'
import { Crew } from './crew.ts'
import { Entry } from './entry.ts'
import type { Held, Hold } from './holds.ts'
import { KeyQueue } from './key-queue.ts'
import { decodeLane, noCounts } from './lane-record.ts'
import { Marks } from './marks.ts'
import type { Outcome } from './outcome.ts'
import type { Subscription } from './subscription.ts'
import type { Staged, Write } from './turn.ts'
import { rowName } from './turn.ts'
import { buildWave, type Ownership, type Wave } from './wave.ts'

const subscription: Subscription = {
  name: 'f',
  kind: 'fn',
  from: 'start',
  merged: false,
  types: new Set(),
  policy: {
    retry: { attempts: 3, fromMs: 1, toMs: 1 },
    timeoutMs: 1,
    graceMs: 1,
    concurrency: 1,
    breaker: { share: 0.5, of: 20, keys: 5, restMs: 1 },
  },
  look: () => ({ is: 'skip' }),
  run: () => {},
}

function ownership(): Ownership {
  return {
    crew: new Crew(subscription, 'f', 0),
    lane: '0-1023',
    part: 'f/0-1023',
    owner: 'one',
    epoch: 2,
    token: 't',
    rev: 'r1',
    counts: noCounts,
    marks: new Marks('', false),
    parkedKeys: 0,
    parkedMax: 1_000,
  }
}

const limits = storeLimits(1, false)

function built(of: Ownership, outcomes: readonly Outcome[], bounds: StoreLimits = limits): Wave {
  return buildWave(of, outcomes, bounds, 'change', 'first', 1_000, new Map())
}

const at = (n: number): string => String(n).padStart(6, '0')

function entry(of: Ownership, n: number, key: string, isHeld = false): Entry {
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
    position: at(n),
    lane: '0-1023',
    storedMs: 0,
  }
  const held: Held | undefined = isHeld ? { lane: '0-1023', position: at(n), id: String(n), type: 'T', run: 0 } : undefined
  const made = new Entry(event, key, [], held, false)
  if (!isHeld) of.marks.take(made)
  return made
}

interface Doing {
  readonly reads?: readonly string[]
  readonly writes?: Readonly<Record<string, string | undefined>>
  readonly appends?: readonly Stored[]
}

const row = (key: string) => ({ kind: 'row', part: 'p', key })

function staged({ reads = [], writes = {}, appends = [] }: Doing): Staged {
  return {
    reads: new Map(reads.map((key) => [rowName(row(key)), { ...row(key), rev: `rev of ${key}` }])),
    writes: new Map(Object.entries(writes).map(([key, value]): [string, Write] => [rowName(row(key)), { ...row(key), value }])),
    appends: appends.map((event) => ({ event, streams: [] })),
    repeated: 0,
    storeFailed: false,
  }
}

function done(queue: KeyQueue, one: Entry, doing: Doing = {}): Outcome {
  return { is: 'done', work: { entries: [one], queues: [queue], attempt: 1, probe: false }, staged: staged(doing) }
}

function failed(queue: KeyQueue, one: Entry): Outcome {
  const work = { entries: [one], queues: [queue], attempt: 1, probe: false }
  return {
    is: 'failed',
    work,
    queue,
    entry: one,
    next: { state: 'wait', attempt: 1, dueMs: 5_000 },
    failure: { message: 'fails', atMs: 1_000 },
  }
}

function holdIn(wave: Wave, key: string): Hold | 'gone' | undefined {
  const put = wave.change.puts.find(({ kind, key: of }) => kind === 'hold' && of === key)
  if (put !== undefined) return JSON.parse(put.value) as Hold
  return wave.change.deletes.some(({ kind, key: of }) => kind === 'hold' && of === key) ? 'gone' : undefined
}

test('given a turn that read what an earlier one writes, when a wave is made, then it leaves, with what ran on top of it', () => {
  const of = ownership()
  const [a, b, c] = ['a', 'b', 'c'].map((key) => new KeyQueue(key)) as [KeyQueue, KeyQueue, KeyQueue]
  const first = done(a, entry(of, 1, 'a'), { reads: ['sum'], writes: { sum: '1' } })
  const loser = done(b, entry(of, 2, 'b'), { reads: ['sum'], writes: { sum: '2' } })
  const onTop = done(b, entry(of, 3, 'b'), { writes: { other: '1' } })
  const failsOnTop = failed(b, entry(of, 4, 'b'))
  const free = done(c, entry(of, 5, 'c'), { reads: ['other'], writes: { other: '9' } })
  const wave = built(of, [first, loser, onTop, failsOnTop, free])
  assert.deepEqual(wave.outcomes, [first, free])
  assert.deepEqual(wave.losers, [loser, onTop, failsOnTop])
  assert.deepEqual(
    wave.change.checks.map(({ key, rev }) => [key, rev]),
    [
      ['0-1023', 'r1'],
      ['sum', 'rev of sum'],
      ['other', 'rev of other'],
    ],
  )
  assert.deepEqual(
    { mark: wave.mark, holes: decodeLane(wave.change.puts.find(({ kind }) => kind === 'lane')?.value ?? '').holes },
    { mark: at(5), holes: [at(2), at(3), at(4)] },
  )
})

test('given two turns that read one row, when others changed it between, then the later leaves', () => {
  const of = ownership()
  const [a, b] = ['a', 'b'].map((key, n) => done(new KeyQueue(key), entry(of, n, key), { reads: ['x'] })) as [Outcome, Outcome]
  const read = { ...row('x'), rev: 'a later one' }
  const later = b.is === 'done' ? { ...b, staged: { ...b.staged, reads: new Map([[rowName(read), read]]) } } : b
  const wave = built(of, [a, later])
  assert.deepEqual([wave.outcomes, wave.losers], [[a], [later]])
})

test('given two turns that write one row without reading it, when they share a wave, then the later stands, once', () => {
  const of = ownership()
  const [a, b] = [new KeyQueue('a'), new KeyQueue('b')]
  const wave = built(of, [
    done(a, entry(of, 1, 'a'), { writes: { x: '1', y: '1' } }),
    done(b, entry(of, 2, 'b'), { writes: { x: '2', y: undefined } }),
  ])
  assert.deepEqual(
    wave.change.puts.filter(({ kind }) => kind === 'row').map(({ key, value }) => [key, value]),
    [['x', '2']],
  )
  assert.deepEqual(
    wave.change.deletes.map(({ key }) => key),
    ['y'],
  )
})

test('given a key with rows, when its head is done and more join, then one hold says how many are left; with the last row it goes', () => {
  const of = ownership()
  const a = new KeyQueue('a')
  a.hold = { state: 'ready', attempt: 2, dueMs: 7, count: 2, sinceMs: 500 }
  const [one, two, three] = [entry(of, 1, 'a', true), entry(of, 2, 'a', true), entry(of, 3, 'a')]
  assert.deepEqual(holdIn(built(of, [done(a, one), { is: 'join', queue: a, entry: three }]), 'a'), {
    state: 'ready',
    attempt: 0,
    dueMs: 0,
    count: 2,
    sinceMs: 500,
  })
  assert.equal(holdIn(built(of, [done(a, one), done(a, two)]), 'a'), 'gone')
})

test('given a key whose turn fails while others wait, when the wave is made, then all get rows, and the mark passes them', () => {
  const of = ownership()
  const a = new KeyQueue('a')
  const head = entry(of, 1, 'a')
  a.waiting = new Fifo([entry(of, 2, 'a'), entry(of, 3, 'a')])
  const wave = built(of, [failed(a, head)])
  assert.deepEqual(
    wave.change.puts.filter(({ kind }) => kind === 'held').map(({ key }) => key),
    [1, 2, 3].map((n) => `a ${at(n)}`),
  )
  const hold = holdIn(wave, 'a')
  assert.ok(hold !== undefined && hold !== 'gone')
  assert.deepEqual(
    { state: hold.state, attempt: hold.attempt, dueMs: hold.dueMs, count: hold.count, message: hold.error?.message },
    { state: 'wait', attempt: 1, dueMs: 5_000, count: 3, message: 'fails' },
  )
  assert.equal(wave.mark, at(3))
  assert.equal(wave.counts.failed, 1)
})

test('given more turns than half a commit can take, when the wave is made, then the rest is left for the next, in order', () => {
  const of = ownership()
  const outcomes = Array.from({ length: 20 }, (_, n) =>
    done(new KeyQueue(`key ${n}`), entry(of, n + 1, `key ${n}`), { writes: { [`row ${n}`]: 'x' } }),
  )
  const wave = built(of, outcomes, { ...limits, items: 20 })
  assert.ok(wave.outcomes.length >= 1 && wave.change.puts.length + wave.change.checks.length + wave.change.deletes.length <= 20)
  assert.deepEqual([...wave.outcomes, ...wave.left], outcomes)
  const [one] = built(of, outcomes, { ...limits, items: 1 }).outcomes
  assert.equal(one, outcomes[0])
})

test('given outcomes that the breaker has not written, when the wave is made, then its row is part of it, under its revision', () => {
  const of = ownership()
  of.crew.note({ key: 'a', well: false }, 1_000)
  const a = new KeyQueue('a')
  const wave = built(of, [failed(a, entry(of, 1, 'a'))])
  assert.ok(wave.breaker)
  assert.deepEqual(wave.change.checks.at(-1), { kind: 'breaker', part: '', key: 'f', rev: null })
  assert.equal(wave.change.puts.filter(({ kind }) => kind === 'breaker').length, 1)
})

test('given one parked key fewer than may be, when a wave parks another, then it pauses, unless one is redriven in it', () => {
  const of = { ...ownership(), parkedKeys: 2, parkedMax: 3 }
  const a = new KeyQueue('a')
  a.hold = { state: 'parked', attempt: 3, dueMs: 0, count: 1, sinceMs: 500 }
  const parks = (key: string, n: number): Outcome =>
    ({ ...failed(new KeyQueue(key), entry(of, n, key)), next: { state: 'parked', attempt: 3 } }) as Outcome
  const asked = { kind: 'request', part: 'f/0-1023', key: 'r', value: '', rev: '' }
  const request = { op: 'redrive', key: 'a', by: 'ann', atMs: 1 } as const
  const redrives: Outcome = { is: 'request', queue: a, row: asked, request, held: [], head: false, more: false }
  const full = built(of, [parks('b', 1)])
  assert.equal(full.parkedKeys, 3)
  const control = full.change.puts.find(({ kind }) => kind === 'control')
  assert.deepEqual(JSON.parse(control?.value ?? ''), { paused: true, by: 'millrace', atMs: 1_000, why: full.pauses })
  assert.equal(full.change.puts.filter(({ kind, key }) => kind === 'operation' && key === 'change').length, 1)
  for (const wave of [built(of, [redrives, parks('c', 2)]), built(of, [parks('d', 3), redrives])]) {
    assert.equal(wave.parkedKeys, 2)
    assert.equal(wave.pauses, undefined)
    assert.ok(!wave.change.puts.some(({ kind }) => kind === 'control'))
  }
})

const doing = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  reads: fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { maxLength: 2 }),
  writes: fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.option(fc.constantFrom('1', '2'), { nil: undefined }), {
    maxKeys: 2,
    noNullPrototype: true,
  }),
  is: fc.constantFrom('done', 'held', 'failed', 'join', 'spill'),
  waits: fc.nat({ max: 2 }),
})

test('given any outcomes, when a wave is made, then it is serial, touches a row once, and its holds count their rows', () => {
  fc.assert(
    fc.property(fc.array(doing, { maxLength: 14 }), (plan) => {
      const of = ownership()
      const queues = new Map(['a', 'b', 'c', 'd'].map((key) => [key, new KeyQueue(key)]))
      let n = 0
      const rows = new Map<string, number>()
      const outcomes: Outcome[] = []
      const ended = new Set<string>()
      for (const one of plan) {
        const queue = queues.get(one.key) ?? assert.fail()
        // A key that failed or is spilled has nothing more in this wave but joins.
        const is = ended.has(one.key) ? 'join' : one.is
        if (is === 'failed' || is === 'spill') ended.add(one.key)
        if (is === 'held') rows.set(one.key, (rows.get(one.key) ?? 0) + 1)
        if (is === 'failed' || is === 'spill') for (let w = 0; w < one.waits; w += 1) queue.waiting.push(entry(of, ++n, one.key))
        if (is === 'join') outcomes.push({ is, queue, entry: entry(of, ++n, one.key) })
        else if (is === 'spill') outcomes.push({ is, queue })
        else if (is === 'failed') outcomes.push(failed(queue, entry(of, ++n, one.key)))
        else outcomes.push(done(queue, entry(of, ++n, one.key, is === 'held'), one))
      }
      for (const [key, count] of rows)
        (queues.get(key) ?? assert.fail()).hold = { state: 'ready', attempt: 0, dueMs: 0, count: count + 3, sinceMs: 1 }
      const { change, outcomes: taken, losers, left } = built(of, outcomes)
      const names = [...change.puts, ...change.deletes].map(rowName)
      assert.equal(new Set(names).size, names.length, 'a row is touched twice')
      assert.deepEqual(left, [])
      assert.equal(taken.length + losers.length, outcomes.length)
      const written = new Set<string>()
      for (const outcome of taken) {
        if (outcome.is !== 'done') continue
        for (const name of outcome.staged.reads.keys()) assert.ok(!written.has(name), 'it read what an earlier one writes')
        for (const name of outcome.staged.writes.keys()) written.add(name)
      }
      for (const loser of losers) {
        const queue = loser.is === 'done' ? loser.work.queues[0] : loser.is === 'failed' ? loser.queue : undefined
        const later = taken.filter((outcome) => outcomes.indexOf(outcome) > outcomes.indexOf(loser))
        for (const outcome of later)
          if (outcome.is === 'done' || outcome.is === 'failed')
            assert.ok(!outcome.work.queues.includes(queue ?? assert.fail()), 'one of its key passes a loser')
      }
      for (const [key, queue] of queues) {
        const put = change.puts.filter(({ kind, key: of }) => kind === 'held' && of.startsWith(`${key} `)).length
        const gone = change.deletes.filter(({ kind, key: of }) => kind === 'held' && of.startsWith(`${key} `)).length
        const before = queue.hold?.count ?? 0
        const hold = change.puts.find(({ kind, key: of }) => kind === 'hold' && of === key)
        if (hold !== undefined) assert.equal((JSON.parse(hold.value) as Hold).count, before + put - gone)
        else assert.ok(put === 0 && (gone === 0 || gone === before))
      }
    }),
    { numRuns: 500 },
  )
})
