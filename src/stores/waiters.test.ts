import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Change } from '../ports/store.ts'
import { append } from '../testing/store-contract-facts.ts'
import { Waiters } from './waiters.ts'

function change(type: string, count: number): Change {
  const appends = Array.from({ length: count }, (_, at) => append(`${type}-${at}`, { type }))
  return { id: 'c', incarnation: 'i', checks: [], expects: [], appends, puts: [], deletes: [], trims: [], native: [] }
}

function setUp(): { waiters: Waiters; come(type: string, count?: number): void; waits(types?: readonly string[]): () => Promise<boolean> } {
  const waiters = new Waiters()
  return {
    waiters,
    come(type, count = 1) {
      waiters.note(change(type, count), () => '0')
      waiters.tell()
    },
    waits(types) {
      let over = false
      void waiters.wait(['0'], new AbortController().signal, types === undefined ? undefined : new Set(types)).then(() => (over = true))
      return async () => {
        await new Promise((resolve) => setImmediate(resolve))
        return over
      }
    },
  }
}

test('given one who waits for a type, when another comes, then it sleeps on; and it is woken by its own', async () => {
  const { come, waits } = setUp()
  const isOver = waits(['Wanted'])
  come('Other')
  assert.equal(await isOver(), false)
  come('Wanted')
  assert.equal(await isOver(), true)
})

test('given one who waits for a type, when a thousand others have passed, then it is woken', async () => {
  const { come, waits } = setUp()
  const isOver = waits(['Wanted'])
  come('Other', 999)
  assert.equal(await isOver(), false)
  come('Other')
  assert.equal(await isOver(), true)
})

test('given a group of several changes, when it is told of once, then all whom any of them concerns are woken', async () => {
  const { waiters, waits } = setUp()
  const [a, b, all] = [waits(['A']), waits(['B']), waits()]
  waiters.note(change('A', 1), () => '0')
  waiters.note(change('B', 1), () => '0')
  assert.equal(await a(), false)
  waiters.tell()
  assert.deepEqual([await a(), await b(), await all()], [true, true, true])
})

test('given two that wait under one signal, when it is aborted, then both are woken; and so is who waits under it again', async () => {
  const waiters = new Waiters()
  const abort = new AbortController()
  await Promise.all([waiters.wait(['0'], abort.signal), waiters.wait(['1'], abort.signal), Promise.resolve().then(() => abort.abort())])
  await waiters.wait(['0'], abort.signal)

  const again = new AbortController()
  const first = waiters.wait(['0'], again.signal)
  waiters.note(change('A', 1), () => '0')
  waiters.tell()
  await first
  const second = waiters.wait(['0'], again.signal)
  again.abort()
  await second
})
