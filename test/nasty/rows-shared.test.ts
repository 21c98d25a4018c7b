/** Many keys that meet in one row: the loser reruns, and a rerun is never an attempt. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumer } from './consumer.ts'
import { effectOf, engines, happened, ids, Stage } from './stage.ts'

const sum = { kind: 'sum', part: 'f', key: 'all' }

for (const engine of engines) {
  test(`given 100 keys that add to one row, when 20 race, then the sum is exact, and no rerun is an attempt (${engine})`, async () => {
    const stage = await Stage.open(engine)
    const attempts = new Set<number>()
    const running = { now: 0, most: 0 }
    await stage.life(({ environment }) => [
      consumer({
        async run(turn) {
          running.most = Math.max(running.most, ++running.now)
          attempts.add(turn.attempt)
          const row = await turn.get(sum)
          await environment.wait(environment.random() * 5)
          running.now -= 1
          const { event, parts } = turn.taken[0] ?? assert.fail()
          turn.put(sum, String(Number(row?.value ?? 0) + (parts[0] as { by: number }).by))
          const effect = effectOf('f', event)
          turn.put(effect, effect.value)
        },
      }),
    ])
    await stage.publish(Array.from({ length: 100 }, (_, i) => happened(i, `key ${i}`, { by: i })))
    assert.ok(await stage.until(() => stage.effects.length >= 100, 60_000))
    await stage.pass(1_000)
    assert.equal(await stage.row('sum', 'f', 'all'), String((99 * 100) / 2))
    assert.equal(new Set(ids(stage.effects)).size, 100)
    assert.equal(stage.effects.length, 100)
    assert.deepEqual([...attempts], [1])
    assert.ok((stage.counted.get('millrace_reruns_total') ?? 0) > 0)
    assert.ok(running.most > 10, `${running.most} ran side by side`)
    assert.equal((await stage.record('f')).counts.failed, 0)
  })
}
