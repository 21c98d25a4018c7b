/** A few real kills and power cuts; `npm run crash` has many. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasStrace } from './disk-trace.ts'
import { runKills } from './kills.ts'
import { runCuts } from './power-cuts.ts'

const seed = Date.now() % 1_000_000

test('given a process under full load, when it is killed, then what it acknowledged is there once, and so is every effect', async (t) => {
  const reports = await Promise.all((['inline', 'pool'] as const).map((flush) => runKills({ seed, kills: 2, flush })))
  t.diagnostic(`seed ${seed}: ${reports.map(({ kills, acknowledged }) => `${kills} kills, ${acknowledged} acknowledged`).join('; ')}`)
  assert.deepEqual(
    reports.flatMap(({ complaints }) => complaints),
    [],
  )
  assert.ok(reports.every(({ kills, acknowledged }) => kills === 2 && acknowledged > 0))
})

// Elsewhere than on Linux, and where nobody may trace, there is nothing to rebuild a disk from.
if (hasStrace()) {
  for (const flush of ['inline', 'pool'] as const) {
    test(`given a recorded run, flush ${flush}, when the power is cut, then what was acknowledged is there`, async (t) => {
      const { states, uncertain, complaints } = await runCuts({ seed, states: 12, flush })
      t.diagnostic(`seed ${seed}: ${states} states, ${uncertain} of them uncertain`)
      assert.deepEqual(complaints, [])
    })
  }

  for (const [planted, what] of [
    ['never', 'never flushes'],
    ['early', 'acknowledges before the flush'],
  ] as const) {
    test(`given a store that ${what}, when the power is cut, then it is caught`, async () => {
      assert.notDeepEqual((await runCuts({ seed, states: 600, flush: 'pool', planted })).complaints, [])
    })
  }
}
