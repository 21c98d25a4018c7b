import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Placed } from '../ports/store.ts'
import { Entry } from './entry.ts'
import { decodeHole, Marks } from './marks.ts'

function entryAt(at: number, lane = 'l'): Entry {
  const position = String(at).padStart(6, '0')
  const event: Placed = {
    tenant: '',
    source: 's',
    id: String(at),
    type: 'T',
    version: 1,
    key: 'k',
    slot: 0,
    time: '',
    data: '{}',
    position,
    lane,
    storedMs: 0,
  }
  return new Entry(event, 'k', [], undefined, false)
}

const at = (n: number): string => String(n).padStart(6, '0')

type Step =
  | { readonly is: 'take'; readonly wanted: boolean }
  | { readonly is: 'wave'; readonly pick: number; readonly during: readonly boolean[] }
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ is: fc.constant('take' as const), wanted: fc.boolean() }),
  fc.record({ is: fc.constant('wave' as const), pick: fc.nat(), during: fc.array(fc.boolean(), { maxLength: 3 }) }),
)

/** What a lane looks like to somebody who forgets nothing. */
class Model {
  readonly marks = new Marks('', false)
  readonly open = new Map<number, Entry>()
  readonly settled = new Set<number>()
  seen = 0
  written = ''

  take(wanted: boolean): void {
    this.seen += 1
    if (wanted) {
      const entry = entryAt(this.seen)
      this.open.set(this.seen, entry)
      this.marks.take(entry)
    } else {
      this.settled.add(this.seen)
      this.marks.pass(at(this.seen))
    }
  }

  /** One commit: built, in flight while more arrives, then confirmed. */
  wave(pick: number, during: readonly boolean[]): void {
    const settling = [...this.open].filter(([n]) => (pick >> (n % 16)) % 2 === 1)
    for (const [, entry] of settling) entry.settling = true
    const { mark, holes } = this.marks.after(settling.map(([, entry]) => entry))
    for (const [, entry] of settling) entry.settling = false
    this.#check(mark, holes, new Set(settling.map(([n]) => n)))
    for (const wanted of during) this.take(wanted)
    for (const [n, entry] of settling) {
      this.marks.settle(entry)
      this.open.delete(n)
      this.settled.add(n)
    }
    this.marks.written(mark)
    this.written = mark
  }

  /** What the next owner would read: the holes, and all above the mark. */
  #check(mark: string, holes: readonly string[], settling: ReadonlySet<number>): void {
    assert.ok(mark >= this.written, `the mark goes back from ${this.written} to ${mark}`)
    assert.ok(mark <= at(this.seen), 'the mark is past what was seen')
    assert.deepEqual(holes, [...holes].toSorted())
    for (let n = 1; n <= this.seen; n += 1) {
      const unsettled = this.open.has(n) && !settling.has(n)
      const reread = at(n) > mark || holes.includes(at(n))
      if (unsettled) assert.ok(reread, `${n} would be lost`)
      else if (at(n) <= mark) assert.ok(!holes.includes(at(n)), `${n} is settled, and a hole`)
      if (settling.has(n)) assert.ok(!reread, `${n} is settled by this commit, and would be read again`)
    }
    if ([...this.open.keys()].every((n) => settling.has(n))) assert.equal(mark, this.seen === 0 ? '' : at(this.seen))
  }
}

test('given events settled in any order, when waves commit, then nothing open is lost, and the mark never goes back', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model()
      for (const one of steps) {
        if (one.is === 'take') model.take(one.wanted)
        else model.wave(one.pick, one.during)
        assert.equal(model.marks.open, model.open.size)
      }
      model.wave(0xffff, [])
    }),
    { numRuns: 1_000 },
  )
})

test('given holes of several lanes, when they are written and read, then each has its lane and place', () => {
  const marks = new Marks('', true)
  const [one, other, last] = [entryAt(1, 'a/b'), entryAt(2, '0-255'), entryAt(3, '0-255')] as const
  for (const entry of [one, other, last]) marks.take(entry)
  last.settling = true
  const { mark, holes } = marks.after([last])
  assert.equal(mark, at(3))
  assert.deepEqual(
    holes.map((hole) => decodeHole(hole, '*')),
    [
      { lane: 'a/b', at: at(1) },
      { lane: '0-255', at: at(2) },
    ],
  )
  assert.deepEqual(decodeHole(at(7), '0-255'), { lane: '0-255', at: at(7) })
})
