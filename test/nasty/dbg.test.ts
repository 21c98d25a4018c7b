import { test } from 'node:test'
import { consumer, note, numberOf } from './consumer.ts'
import { happened, ids, Stage } from './stage.ts'
test('x', async () => {
  for (const engine of ['memory','sqlite'] as const) {
  const stage = await Stage.open(engine)
  const failing = new Set([5])
  const subs = () => [consumer({ policy: { retry: { attempts: 1, fromMs: 10, toMs: 10 } }, run(turn) { console.log(engine, stage.nowMs, 'run', numberOf(turn)); if (failing.has(numberOf(turn))) throw new Error('x'); note(turn) } })]
  const first = await stage.life(subs)
  await stage.publish([5, 6, 7].map((n) => happened(n, 'a')))
  await stage.pass(100)
  failing.delete(5); failing.add(6)
  await stage.request('f', '0-1023', { op: 'redrive', key: 'a', by: 'ann', atMs: 1 })
  const from = stage.world.steps
  await stage.until(() => stage.world.steps - from >= 1, 300)
  first.kill()
  console.log(stage.nowMs, 'killed', await stage.rows('hold', 'f/0-1023'), await stage.rows('request', 'f/0-1023'))
  await stage.life(subs)
  await stage.pass(5000)
  console.log(ids(stage.effects), await stage.rows('hold', 'f/0-1023'), await stage.rows('request', 'f/0-1023'), await stage.row('lane','f','0-1023'), stage.said)
  }
})
