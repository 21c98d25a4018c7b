/** What the judge complains of: each way in which a store can be wrong is made by hand, out of one that is right. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { nodeEnvironment } from '../../src/hosts/node-environment.ts'
import { openDatabaseSync } from '../../src/stores/sqlite-open.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { runCounting, settleAll } from './counting-run.ts'
import { judge, startedAgain } from './judge.ts'
import { type LoggedEvent, type Snapshot, snapshotOf } from './store-snapshot.ts'

const textBytes = 100
const acknowledged = [[9, 9]]

async function snapshotOfRun(): Promise<Snapshot> {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millrace-judge-'))
  const { nowMs, monotonicMs, random, soon } = nodeEnvironment
  const store = await sqliteStore({ path: join(folder, 'store.db'), nowMs, monotonicMs, random, soon })
  const running = await runCounting(store, textBytes)
  const db = openDatabaseSync(join(folder, 'store.db'), { readOnly: true })
  try {
    for (let n = 0; n < 10; n++) await Promise.all([running.publish(0, 0, n), running.publish(0, 1, n)])
    assert.ok(await settleAll(db, 20_000), 'not everything was done with')
    return snapshotOf(db)
  } finally {
    db.close()
    await running.stop()
    await store.close()
    rmSync(folder, { recursive: true })
  }
}

/** Positions are given anew, so that nothing is wrong but what is meant. */
function withEvents(snapshot: Snapshot, events: readonly LoggedEvent[]): Snapshot {
  return { ...snapshot, events: events.map((event, at) => ({ ...event, position: at + 1 })) }
}

test('given a store that is right, when each thing in it is made wrong, then the judge complains of that', async () => {
  const right = await snapshotOfRun()
  const complaints = (snapshot: Snapshot, complete = true): string => judge(snapshot, { acknowledged, textBytes, complete }).join('\n')
  assert.equal(complaints(right), '')
  const { events } = right
  const last = events.findLast(({ type }) => type === 'counted')
  const emitted = events.find(({ type }) => type === 'forwarded')
  const first = events.find(({ id }) => id === '0-0-0')
  assert.ok(last !== undefined && emitted !== undefined && first !== undefined)
  const without = (gone: LoggedEvent): readonly LoggedEvent[] => events.filter((event) => event !== gone)
  assert.match(complaints(withEvents(right, without(last))), /acknowledged up to 9, in the log up to 8|is not whole|is torn/)
  assert.match(complaints(withEvents(right, without(first))), /0 stands behind -1|1 stands behind -1|is not what was published/)
  assert.match(complaints({ ...right, events: without(first) }), /^position 2 stands at 1/)
  assert.match(complaints(withEvents(right, [...events, emitted])), /has 2 effects, and 1 were expected/)
  assert.match(complaints(withEvents(right, without(emitted))), /has 0 effects, and 1 were expected/)
  assert.match(
    complaints({
      ...right,
      events: events.map((event) => (event === first ? { ...event, data: event.data.replace('"text":"0', '"text":"1') } : event)),
    }),
    /0-0-0 at \d+ is not what was published/,
  )
  assert.match(complaints({ ...right, parked: ['forward/0-1023 a'] }), /parked, and innocent/)
  const held = new Map([['forward', new Set([first.position])]])
  assert.match(complaints({ ...right, held }), /0-0-0 at \d+ has 1 effects, and 0 were expected/)
  const lanes = new Map([...right.lanes, ['note', (right.lanes.get('note') ?? []).map((lane) => ({ ...lane, mark: 0 }))]])
  assert.match(complaints({ ...right, lanes }), /^note has \d+ left/)
  assert.equal(complaints({ ...right, lanes }, false), '')
  const [row = ''] = right.rows.keys()
  assert.match(complaints({ ...right, rows: new Map([...right.rows].filter(([key]) => key !== row)) }), /the row of .* is undefined/)
})

test('given an event whose effect stands, when its handler is started in another life, then that is told', async () => {
  const right = await snapshotOfRun()
  assert.deepEqual(startedAgain(right, new Map([['forward 0-0-0', 1]])), ['forward 0-0-0 was started again after its effect'])
  assert.deepEqual(
    startedAgain(
      right,
      new Map([
        ['forward 1-0-0', 2],
        ['moody 1-0-0', 2],
      ]),
    ),
    ['forward 1-0-0 was started 2 times in one life'],
  )
})
