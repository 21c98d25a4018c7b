import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fault, isFault } from '../kit/fault.ts'
import type { Change, Committed, Store, Stored } from '../ports/store.ts'
import { memoryStore } from '../stores/memory.ts'
import { publishStored, type Published } from './publisher.ts'
import { defaultSettings } from './settings.ts'

interface Scene {
  readonly store: Store
  /** What becomes of the next commits: an error is thrown, before it is applied or after. */
  readonly fates: ('before' | 'after' | 'well')[]
  commits: number
  publish(...events: readonly Stored[]): Promise<Published>
  ids(): Promise<readonly string[]>
}

function scene(): Scene {
  const base = memoryStore({ nowMs: () => 1_000, lanes: 1, incarnation: 'first' })
  const fates: Scene['fates'] = []
  const commit = async (change: Change): Promise<Committed> => {
    made.commits += 1
    const fate = fates.shift() ?? 'well'
    if (fate === 'before') throw fault('STORE_FAILED', 'no answer', { unknown: true })
    const committed = await base.commit(change)
    if (fate === 'after') throw fault('STORE_FAILED', 'no answer', { unknown: true })
    return committed
  }
  const store: Store = {
    limits: base.limits,
    incarnation: base.incarnation,
    commit,
    get: (keys) => base.get(keys),
    scan: (range) => base.scan(range),
    read: (from, limit) => base.read(from, limit),
    changed: (names, signal, types) => base.changed(names, signal, types),
    close: () => base.close(),
  }
  let change = 0
  const environment = {
    nowMs: () => 1_000,
    monotonicMs: () => 1_000,
    wait: async () => {},
    random: () => 0.5,
    soon: (run: () => void) => queueMicrotask(run),
  }
  const made: Scene = {
    store,
    fates,
    commits: 0,
    publish: (...events) =>
      publishStored({ store, environment, changeId: () => `change ${(change += 1)}`, settings: defaultSettings }, events),
    async ids() {
      const [slice] = await base.read([{ of: 'lane', name: '0-1023', after: '' }], { events: 100, bytes: 1_000_000 })
      return (slice?.events ?? []).map(({ id }) => id)
    },
  }
  return made
}

function event(id: string, more: Partial<Stored> = {}): Stored {
  return {
    tenant: '',
    source: 's',
    id,
    type: 'T',
    version: 1,
    key: 'k',
    slot: 1,
    time: '2026-01-01T00:00:00Z',
    data: `{"of":"${id}"}`,
    ...more,
  }
}

const taken = (thrown: unknown): boolean => isFault(thrown, 'ID_TAKEN')

test('given a call that was made before, when it is made again, then it answers the first positions and stores nothing', async () => {
  const { publish, ids } = scene()
  const first = await publish(event('a'))
  await publish(event('b'))
  const again = await publish(event('a'))
  assert.deepEqual(
    again.at.map(({ position }) => position),
    first.at.map(({ position }) => position),
  )
  assert.deepEqual([first.repeated, again.repeated], [false, true])
  assert.deepEqual(await ids(), ['a', 'b'])
})

test('given an id that is known, when it comes with other data, another type, version or key, then it is refused', async () => {
  const { publish, ids } = scene()
  await publish(event('a'))
  for (const more of [{ data: '{}' }, { type: 'U' }, { version: 2 }, { key: 'other', slot: 2 }])
    await assert.rejects(publish(event('a', more)), taken)
  assert.deepEqual(await ids(), ['a'])
})

test('given an id that is known, when it comes from another source or tenant, then it is another event', async () => {
  const { publish, ids } = scene()
  await publish(event('a'))
  await publish(event('a', { source: 'other' }))
  await publish(event('a', { tenant: 'other' }))
  assert.equal((await ids()).length, 3)
})

test('given a call of two, when made again, then it repeats whole; with another count it is refused, nothing stored', async () => {
  const { publish, ids } = scene()
  await publish(event('a'), event('b'))
  const again = await publish(event('a'), event('b'))
  assert.equal(again.repeated, true)
  assert.equal(again.at.length, 2)
  await assert.rejects(publish(event('a'), event('b'), event('c')), taken)
  await assert.rejects(publish(event('a')), taken)
  await assert.rejects(publish(event('c'), event('a')), taken)
  assert.deepEqual(await ids(), ['a', 'b'])
})

test('given a call that brings one id twice, when it is made, then it is refused and nothing of it is stored', async () => {
  const { publish, ids } = scene()
  await assert.rejects(publish(event('a'), event('a')), taken)
  assert.deepEqual(await ids(), [])
})

for (const events of [[event('a')], [event('a'), event('b')]]) {
  test(`given a call of ${events.length} whose answer is lost after the commit, when looked for, then it stands once`, async () => {
    const { publish, ids, fates } = scene()
    fates.push('after')
    const published = await publish(...events)
    assert.equal(published.at.length, events.length)
    assert.deepEqual(
      await ids(),
      events.map(({ id }) => id),
    )
  })
}

test('given a call lost before the commit, when it is looked for, then it is given back as unknown, to be made again', async () => {
  const made = scene()
  made.fates.push('before')
  await assert.rejects(made.publish(event('a')), (thrown) => isFault(thrown, 'STORE_FAILED') && thrown.data['unknown'] === true)
  assert.deepEqual(await made.ids(), [])
  assert.equal((await made.publish(event('a'))).repeated, false)
  assert.deepEqual(await made.ids(), ['a'])
})

test('given a store that refuses for good, when a call is made, then it rejects with the store’s fault at once', async () => {
  const made = scene()
  const store: Store = { ...made.store, commit: async () => Promise.reject(fault('STORE_FULL')) }
  const environment = { nowMs: () => 0, monotonicMs: () => 0, wait: async () => assert.fail('it waits'), random: () => 0, soon: () => {} }
  await assert.rejects(publishStored({ store, environment, changeId: () => 'c', settings: defaultSettings }, [event('a')]), (thrown) =>
    isFault(thrown, 'STORE_FULL'),
  )
})
