import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Placed } from '../ports/store.ts'
import { Committer } from './committer.ts'
import type { FlowContext } from './context.ts'
import { Crew } from './crew.ts'
import { Entry } from './entry.ts'
import { Gate } from './gate.ts'
import { noCounts } from './lane-record.ts'
import type { Outcome, Work } from './outcome.ts'
import { OwnedLane } from './owned-lane.ts'
import type { Subscription } from './subscription.ts'
import { Suspects } from './suspects.ts'

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

/** A suspect that one death has met, whose second start is on its way: nobody else is in the process. */
function begun() {
  const gate = new Gate()
  const context = { gate, settings: { abandonedMax: 9 }, environment: { soon: () => {} } } as unknown as FlowContext
  const record = { owner: 'one', epoch: 1, token: 't', mark: '', holes: [], counts: noCounts }
  const lane = new OwnedLane(context, new Crew(subscription, 'f', 0), '0-1023', record, 'r')
  const ran: boolean[] = []
  const suspects = new Suspects(
    lane,
    new Committer(lane, { committed() {}, undo() {}, refused() {}, paused() {}, waveDone() {}, lost() {} }),
    (_work, alone) => void ran.push(alone),
    () => {},
  )
  const placed = { id: '1', key: 'a', position: '1', lane: '0-1023' } as Placed
  const entry = new Entry(placed, 'a', [], undefined, true)
  lane.starts.set('1', ['of one that died'])
  const work: Work = { entries: [entry], queues: [lane.queueOf('a')], attempt: 1, probe: false }
  assert.ok(gate.enter(() => {}))
  lane.crew.running += 1
  suspects.begin(work)
  const stands: Extract<Outcome, { is: 'start' }> = { is: 'start', work, starts: new Map([[entry, ['of one that died']]]), alone: true }
  return { gate, lane, suspects, stands, ran }
}

test('given a suspect that another start would convict, when its start stands, then it runs, and nobody else may', () => {
  const { gate, suspects, stands, ran } = begun()
  assert.ok(!gate.enter(() => {}))
  suspects.committed(stands)
  assert.deepEqual(ran, [true])
  assert.ok(!gate.enter(() => {}))
  suspects.end(stands.work)
  assert.ok(gate.enter(() => {}))
})

test('given a suspect whose start stands as its lane drains, when others wait, then they do until the lane is let go', () => {
  const { gate, lane, suspects, stands, ran } = begun()
  lane.phase = 'draining'
  suspects.committed(stands)
  assert.deepEqual(ran, [])
  assert.ok(!gate.enter(() => {}), 'their crash would be laid to its charge')
  lane.phase = 'over'
  suspects.over()
  assert.ok(gate.enter(() => {}))
  assert.equal(lane.crew.running, 0)
})
