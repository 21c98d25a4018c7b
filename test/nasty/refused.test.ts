/** What a store can never take: it is done in steps, or refused by name, or its key stands still. The lane goes on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Request } from '../../src/flow/requests.ts'
import { fault } from '../../src/kit/fault.ts'
import { consumer, note, numberOf } from './consumer.ts'
import { engines, happened, ids, Stage } from './stage.ts'

const once = { retry: { attempts: 1, fromMs: 10, toMs: 10 } }
const lane = '0-1023'

interface Operation {
  readonly op: string
  readonly positions: readonly string[]
  readonly refused?: { readonly code?: string }
}

async function operations(stage: Stage): Promise<readonly Operation[]> {
  return (await stage.rows('operation', '')).map(({ value }) => JSON.parse(value) as Operation)
}

for (const engine of engines) {
  test(`given more rows of a key than a commit takes away, when it is discarded, then none of it runs (${engine})`, async () => {
    const stage = await Stage.open(engine, { limits: { items: 60 } })
    const subscriptions = () => [
      consumer({
        policy: once,
        run(turn) {
          if (numberOf(turn) === 0) throw new Error('fails')
          note(turn)
        },
      }),
    ]
    const first = await stage.life(subscriptions)
    for (let n = 0; n < 100; n += 1) await stage.publish([happened(n, 'a')])
    await stage.pass(1_000)
    assert.equal((await stage.holds('f')).get('a')?.count, 100)
    let steps = 0
    stage.door = ({ deletes }) => {
      if (!deletes.some(({ kind }) => kind === 'held')) return undefined
      steps += 1
      // In the midst of it the owner dies: what is left is no less discarded.
      if (steps === 3) first.kill()
      return undefined
    }
    const discard: Request = { op: 'discard', key: 'a', by: 'ann', atMs: 1 }
    await stage.request('f', lane, discard)
    await stage.pass(1_000)
    assert.equal((await stage.holds('f')).get('a')?.state, 'parked')
    await stage.life(subscriptions)
    await stage.publish([happened(100, 'a')])
    await stage.pass(20_000)
    assert.equal((await stage.record('f')).counts.discarded, 101 - stage.effects.length)
    assert.equal((await stage.record('f')).epoch, 2)
    assert.equal((await stage.rows('request', `f/${lane}`)).length, 0)
    assert.equal((await stage.held('f')).length, 0)
    assert.equal((await stage.holds('f')).size, 0)
    assert.ok(ids(stage.effects).every((id) => id === '100'))
    const touched = (await operations(stage)).flatMap(({ positions }) => positions)
    assert.equal(new Set(touched).size, touched.length)
    assert.equal(touched.length, 101 - stage.effects.length)
  })

  test(`given an edit that fits into its request alone, when it is taken, then it is refused in its record (${engine})`, async () => {
    const stage = await Stage.open(engine, { limits: { rowBytes: 4_000 } })
    await stage.life(() => [
      consumer({
        policy: once,
        run(turn) {
          if (numberOf(turn) === 1) throw new Error('fails')
          note(turn)
        },
      }),
    ])
    await stage.publish([happened(1, 'a'), happened(2, 'a'), happened(3, 'b')])
    await stage.pass(1_000)
    const [head] = await stage.held('f')
    const edit: Request = {
      op: 'edit',
      key: 'a',
      position: head?.position ?? '',
      data: JSON.stringify('x'.repeat(3_850)),
      by: 'ann',
      atMs: 1,
    }
    await stage.request('f', lane, edit)
    await stage.pass(60_000)
    assert.equal((await stage.rows('request', `f/${lane}`)).length, 0)
    const [operation] = await operations(stage)
    assert.deepEqual(
      { op: operation?.op, code: operation?.refused?.code, positions: operation?.positions },
      { op: 'edit', code: 'CHANGE_TOO_LARGE', positions: [] },
    )
    const { epoch } = await stage.record('f')
    assert.equal(epoch, 1)
    assert.equal((await stage.holds('f')).get('a')?.state, 'parked')
    await stage.request('f', lane, { op: 'discard', key: 'a', position: head?.position ?? '', by: 'ann', atMs: 2 })
    await stage.pass(1_000)
    assert.deepEqual(ids(stage.effects), ['3', '2'])
  })

  test(`given order keys that no engine keeps, when they fail, then each parks, and can be redriven (${engine})`, async () => {
    const stage = await Stage.open(engine)
    const odd = ['\ud800', '\ud801', 'a\u0000b', 'a\u0000c']
    let fails = true
    await stage.life(() => [
      consumer({
        policy: once,
        key: ({ id }) => odd[Number(id) % odd.length],
        run(turn) {
          if (fails) throw new Error('fails')
          note(turn)
        },
      }),
    ])
    await stage.publish(Array.from({ length: 8 }, (_, n) => happened(n, 'one')))
    await stage.pass(10_000)
    const holds = [...(await stage.holds('f')).values()]
    assert.equal(holds.length, odd.length)
    assert.deepEqual(new Set(holds.map(({ key }) => key)), new Set(odd))
    assert.ok(holds.every(({ state, count }) => state === 'parked' && count === 2))
    fails = false
    for (const key of odd) await stage.request('f', lane, { op: 'redrive', key, by: 'ann', atMs: 1 })
    await stage.pass(1_000)
    assert.deepEqual(ids(stage.effects).toSorted(), ['0', '1', '2', '3', '4', '5', '6', '7'])
    const { epoch } = await stage.record('f')
    assert.equal(epoch, 1)
  })
}

test('given a store that never takes the rows of one key, when it fails, then its key stands still, the rest goes on', async () => {
  const stage = await Stage.open('memory')
  const calls: number[] = []
  stage.door = ({ puts }) => (puts.some(({ kind, key }) => kind === 'held' && key.startsWith('odd ')) ? fault('CHANGE_INVALID') : undefined)
  const subscriptions = () => [
    consumer({
      policy: once,
      run(turn) {
        calls.push(numberOf(turn))
        if (numberOf(turn) === 1) throw new Error('fails')
        note(turn)
      },
    }),
  ]
  const first = await stage.life(subscriptions)
  await stage.publish([happened(1, 'odd'), happened(2, 'other'), happened(3, 'odd'), happened(4, 'other')])
  await stage.pass(60_000)
  assert.deepEqual(calls, [1, 2, 4])
  assert.deepEqual(ids(stage.effects), ['2', '4'])
  assert.ok(stage.heard('error', /key 'odd' stands still/))
  await first.stop()
  const { epoch, holes } = await stage.record('f')
  assert.deepEqual({ epoch, holes: holes.length }, { epoch: 1, holes: 2 })
  stage.door = () => undefined
  await stage.life(subscriptions)
  await stage.pass(1_000)
  assert.equal((await stage.holds('f')).get('odd')?.count, 2)
  assert.equal((await stage.holds('f')).get('odd')?.state, 'parked')
})
