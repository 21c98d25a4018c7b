import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fault, isFault } from '../kit/fault.ts'
import { startPatiently } from './start-command.ts'

test('given a store that is held, when an app starts, then it says so, tries once more, and gives up', async () => {
  let tries = 0
  const notes: string[] = []
  const held = async (): Promise<never> => {
    tries += 1
    throw fault('STORE_HELD', 'shop.db is held by process 812 on box')
  }
  await assert.rejects(
    startPatiently(held, (text) => notes.push(text)),
    (thrown) => isFault(thrown, 'STORE_HELD'),
  )
  assert.deepEqual([tries, notes], [2, ['shop.db is held by process 812 on box: it waits for a moment']])
})

test('given a store that is let go of meanwhile, when an app starts, then it does', async () => {
  let tries = 0
  const briefly = async (): Promise<string> => {
    tries += 1
    if (tries === 1) throw fault('STORE_HELD', 'shop.db is held by another process')
    return 'started'
  }
  assert.equal(await startPatiently(briefly, () => {}), 'started')
})

test('given another fault, when an app starts, then nothing is tried again', async () => {
  let tries = 0
  const broken = async (): Promise<never> => {
    tries += 1
    throw fault('STORE_CORRUPT')
  }
  await assert.rejects(startPatiently(broken, () => {}))
  assert.equal(tries, 1)
})
