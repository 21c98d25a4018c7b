/** As many parked keys as may be: the subscription pauses, in the commit that parks the last, until somebody resumes it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Turn } from '../../src/flow/turn.ts'
import { consumer, note, numberOf } from './consumer.ts'
import { happened, ids, Stage } from './stage.ts'

test('given as many parked keys as may be, when the last parks, then it pauses, durably and loudly, until resume', async () => {
  const stage = await Stage.open('memory')
  const settings = { parkedMax: 3 }
  const subscriptions = () => [
    consumer({
      policy: { concurrency: 1, retry: { attempts: 1, fromMs: 10, toMs: 10 } },
      run(turn) {
        if (numberOf(turn) < 10) throw new Error('fails')
        note(turn)
      },
    }),
  ]
  const first = await stage.life(subscriptions, { settings })
  for (let n = 1; n <= 3; n += 1) {
    await stage.publish([happened(n, `key ${n}`)])
    await stage.pass(100)
  }
  await stage.publish([10, 11].map((n) => happened(n, `key ${n}`)))
  await stage.pass(10_000)
  assert.deepEqual(ids(stage.effects), [])
  assert.ok(stage.heard('error', /f is paused: 3 keys are parked/))
  const control = JSON.parse((await stage.controlled('f')) ?? '{}') as { paused?: boolean; by?: string; why?: string }
  assert.deepEqual({ paused: control.paused, by: control.by }, { paused: true, by: 'millrace' })
  await first.stop()
  const second = await stage.life(subscriptions, { settings })
  await stage.pass(5_000)
  assert.deepEqual(ids(stage.effects), [])
  await stage.control('f', false)
  await stage.pass(5_000)
  assert.deepEqual(ids(stage.effects), ['10', '11'])
  await second.stop()
  await stage.life(subscriptions, { settings })
  await stage.publish([happened(12, 'key 12')])
  await stage.pass(5_000)
  assert.deepEqual(ids(stage.effects), ['10', '11', '12'], 'who has resumed it need not do so again after a restart')
})

test('given one that was resumed once, when its owner dies as the last key parks that may, then the next owner is paused', async () => {
  const stage = await Stage.open('memory')
  const settings = { parkedMax: 2 }
  const subscriptions = () => [
    consumer({
      policy: { retry: { attempts: 1, fromMs: 10, toMs: 10 } },
      run(turn) {
        if (numberOf(turn) < 10) throw new Error('fails')
        note(turn)
      },
    }),
  ]
  await stage.control('f', false)
  const first = await stage.life(subscriptions, { settings })
  let parked = 0
  stage.door = ({ puts }) => {
    parked += puts.filter(({ kind, value }) => kind === 'hold' && value.includes('"state":"parked"')).length
    // The commit stands; nobody hears of it.
    if (parked === 2) first.kill()
    return undefined
  }
  await stage.publish([1, 2].map((n) => happened(n, `key ${n}`)))
  await stage.pass(1_000)
  stage.door = () => undefined
  await stage.life(subscriptions, { settings })
  await stage.publish([happened(10, 'key 10')])
  await stage.pass(60_000)
  assert.equal(parked, 2)
  assert.deepEqual(ids(stage.effects), [])
  const control = JSON.parse((await stage.controlled('f')) ?? '{}') as { paused?: boolean; by?: string }
  assert.deepEqual({ paused: control.paused, by: control.by }, { paused: true, by: 'millrace' })
})

test('given a pause at the cap whose answer is lost, when it is resumed before the owner knows, then it goes on', async () => {
  const stage = await Stage.open('memory')
  const policy = { retry: { attempts: 1, fromMs: 10, toMs: 10 } }
  const run = (turn: Turn): void => {
    if (numberOf(turn) < 10) throw new Error('fails')
    note(turn)
  }
  await stage.life(() => [consumer({ policy, run })], { settings: { parkedMax: 1, storeRestMs: 100 } })
  stage.door = ({ puts }) => (puts.some(({ kind }) => kind === 'control') ? 'lost' : undefined)
  await stage.publish([happened(1, 'key 1')])
  await stage.pass(20)
  stage.door = () => undefined
  await stage.control('f', false)
  await stage.pass(1_000)
  assert.ok(stage.heard('error', /f is paused: 1 keys are parked/))
  await stage.publish([happened(10, 'key 10')])
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['10'])
})
