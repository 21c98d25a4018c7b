/** What was applied and not flushed can be taken back, and then it never was. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isFault } from '../kit/fault.ts'
import type { Change, Cursor } from '../ports/store.ts'
import { positionText } from './lane-ranges.ts'
import { MemoryState } from './memory-state.ts'

const keys = ['a', 'b', 'c']
const streams = ['s', 't']

const change = fc.record({
  appends: fc.array(fc.record({ id: fc.nat(30), slot: fc.nat(1_023), type: fc.constantFrom('A', 'B'), streams: fc.subarray(streams) }), {
    maxLength: 3,
  }),
  puts: fc.subarray(keys),
  deletes: fc.subarray(keys),
  trim: fc.option(fc.record({ lane: fc.nat(3), upTo: fc.nat(20), types: fc.option(fc.constantFrom('A', 'B')) }), { freq: 4 }),
})

test('given any changes, when those after a mark are taken back, then everything reads as at the mark, and goes on from there', () => {
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 12 }),
      fc.array(change, { maxLength: 12 }),
      fc.array(change, { maxLength: 6 }),
      (before, lost, after) => {
        const [state, other] = [stateOf(), stateOf()]
        apply(state, before, 'before')
        apply(other, before, 'before')
        const mark = state.mark()
        apply(state, lost, 'lost')
        state.rewind(mark)
        assert.deepEqual(all(state), all(other))
        apply(state, after, 'after')
        apply(other, after, 'after')
        assert.deepEqual(all(state), all(other))
      },
    ),
    { numRuns: 300 },
  )
})

test('given a mark that was released, when it is rewound to, then it is a fault; what came later can still be taken back', () => {
  const state = stateOf()
  const mark = state.mark()
  state.apply(plain({ puts: [{ kind: 'row', part: '', key: 'a', value: '1' }] }), 0)
  state.release()
  const later = state.mark()
  state.apply(plain({ puts: [{ kind: 'row', part: '', key: 'a', value: '2' }] }), 0)
  state.rewind(later)
  assert.equal(state.get([{ kind: 'row', part: '', key: 'a' }], 0)[0]?.value, '1')
  assert.throws(
    () => state.rewind(mark),
    (error) => isFault(error, 'STORE_FAILED'),
  )
})

test('given events beyond what is flushed, when they are read, then nobody gets them, and nobody passes them', () => {
  const state = stateOf()
  for (const id of ['a', 'b', 'c']) state.apply(plain({ appends: [{ event: event(id, 5, 'A'), streams: ['s'] }] }), 0)
  const lane = state.limits.lanes[0]?.name ?? ''
  const cursors: Cursor[] = [
    { of: 'lane', name: lane, after: '' },
    { of: 'stream', name: 's', after: '' },
    { of: 'id', tenant: '', source: 'x', id: 'c' },
    { of: 'place', name: lane, at: positionText(3) },
  ]
  const [line, stream, id, place] = state.read(cursors, { events: 10, bytes: 1_000 }, 0, 2)
  assert.deepEqual(
    line?.events.map((each) => each.id),
    ['a', 'b'],
  )
  assert.deepEqual([line?.upTo, stream?.upTo], [positionText(2), positionText(2)])
  assert.deepEqual(
    stream?.events.map((each) => each.id),
    ['a', 'b'],
  )
  assert.deepEqual([id?.events, place?.events], [[], []])
})

type Drawn = typeof change extends fc.Arbitrary<infer T> ? T : never

function stateOf(): MemoryState {
  return new MemoryState({ lanes: 4, incarnation: 'one' })
}

function apply(state: MemoryState, changes: readonly Drawn[], id: string): void {
  for (const [at, drawn] of changes.entries()) {
    const lane = state.limits.lanes[drawn.trim?.lane ?? 0]?.name ?? ''
    const { trim } = drawn
    state.apply(
      plain({
        id: `${id} ${at}`,
        appends: drawn.appends.map((append) => ({ event: event(`${append.id}`, append.slot, append.type), streams: append.streams })),
        puts: drawn.puts.map((key) => ({ kind: 'row', part: '', key, value: `${id} ${at}` })),
        deletes: drawn.deletes.map((key) => ({ kind: 'row', part: '', key })),
        trims: trim === null ? [] : [{ lane, upTo: positionText(trim.upTo), ...(trim.types === null ? {} : { types: [trim.types] }) }],
      }),
      0,
    )
  }
}

/** All that can be asked. */
function all(state: MemoryState): unknown {
  const limit = { events: 1_000, bytes: 1_000_000 }
  const ask = (cursor: Cursor): unknown => {
    try {
      return state.read([cursor], limit, 0)
    } catch (error) {
      return isFault(error) ? { code: error.code, data: error.data } : error
    }
  }
  const afters = ['', ...Array.from({ length: 12 }, (_, at) => positionText(at * 5))]
  return {
    head: state.head,
    rows: state.scan({ kind: 'row', part: '', from: '', to: '', limit: 100 }, 0),
    lanes: state.limits.lanes.map(({ name }) => afters.map((after) => ask({ of: 'lane', name, after }))),
    streams: streams.map((name) => afters.map((after) => ask({ of: 'stream', name, after }))),
    ids: Array.from({ length: 31 }, (_, id) => ask({ of: 'id', tenant: '', source: 'x', id: `${id}` })),
    versions: streams.map((stream) => state.apply(plain({ expects: [{ stream, expect: 10_000 }] }), 0)),
  }
}

function event(id: string, slot: number, type: string): Change['appends'][number]['event'] {
  return { tenant: '', source: 'x', id, type, version: 1, key: id, slot, time: 't', data: '{}' }
}

function plain(parts: Partial<Change>): Change {
  return { id: 'c', incarnation: 'one', checks: [], expects: [], appends: [], puts: [], deletes: [], trims: [], native: [], ...parts }
}
