import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allLanes, decodeLane, encodeLane, laneKey, noCounts } from './lane-record.ts'

test('given a record of a lane, when it is written and read, then it is the same, and it stands under its subscription and lane', () => {
  const record = {
    owner: 'one',
    epoch: 3,
    token: 't',
    mark: '0000000000000007',
    holes: ['0000000000000002', '0-255/0000000000000003'],
    counts: { ...noCounts, done: 5 },
  }
  assert.deepEqual(decodeLane(encodeLane(record)), record)
  assert.deepEqual(laneKey('takings', allLanes), { kind: 'lane', part: 'takings', key: '*' })
})
