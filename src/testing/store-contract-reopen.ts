/** The contract of a store that outlives its process. */
import assert from 'node:assert/strict'
import type { Store } from '../ports/store.ts'
import { append, deskFor, type Desk, faults, ids, key, put, slice, type ContractSubject } from './store-contract-facts.ts'

type Reopen = NonNullable<ContractSubject['reopen']>

export function reopenContract(subject: ContractSubject, reopen: Reopen): void {
  const given = (title: string, before: (desk: Desk) => Promise<void>, after: (desk: Desk) => Promise<void>): void => {
    subject.test(`${subject.name}: ${title}`, () => twice(subject, reopen, before, after))
  }

  given(
    'given events, rows and streams, when the store is opened again, then they are there and it goes on behind them',
    async (desk) => {
      await desk.done({ id: 'c', appends: [append('a', {}, ['s']), append('b', { type: 'B' })], puts: [put('x', '1')] })
    },
    async (desk) => {
      assert.deepEqual(ids(await desk.all()), ['a', 'b'])
      assert.deepEqual(await desk.store.get([key('x')]), [{ ...key('x'), value: '1', rev: 'c' }])
      assert.deepEqual(await desk.commit({ expects: [{ stream: 's', expect: 'none' }], appends: [append('a')] }), {
        ...{ ok: false, rows: [], versions: { s: 1 }, ids: ['\nshop\na'] },
      })
      const { at } = await desk.done({ appends: [append('c', {}, ['s'])] })
      assert.deepEqual(at[0]?.versions, [2])
      assert.deepEqual(ids(await desk.all()), ['a', 'b', 'c'])
    },
  )

  given(
    'given that the newest events were trimmed, when the store is opened again, then no position is given twice',
    async (desk) => {
      const { at } = await desk.done({ appends: [append('a'), append('b')], puts: [put('last', '')] })
      await desk.done({ puts: [put('last', at[1]?.position ?? '')], trims: [{ lane: desk.lane(0), upTo: at[1]?.position ?? '' }] })
    },
    async (desk) => {
      const last = (await desk.store.get([key('last')]))[0]?.value ?? ''
      await faults(slice(desk.store, { of: 'lane', name: desk.lane(0), after: '' }), 'TRIMMED')
      const { at } = await desk.done({ appends: [append('c')] })
      assert.ok((at[0]?.position ?? '') > last)
    },
  )

  given(
    'given a clock that stands before the last event, when the store is opened again, then its time goes on from there',
    async (desk) => {
      await desk.done({ appends: [append('a')] })
      desk.clockMs -= 60_000
    },
    async (desk) => {
      assert.equal((await desk.done({ appends: [append('b')] })).storeMs, 1_000_000)
    },
  )
}

async function twice(
  subject: ContractSubject,
  reopen: Reopen,
  before: (desk: Desk) => Promise<void>,
  after: (desk: Desk) => Promise<void>,
): Promise<void> {
  const clock = { ms: 1_000_000 }
  const given = { nowMs: () => clock.ms }
  const first: Store = await subject.open(given)
  await before(deskFor(first, clock)).finally(() => first.close())
  const second = await reopen(first, given)
  try {
    assert.equal(second.incarnation, first.incarnation)
    await after(deskFor(second, clock))
  } finally {
    await second.close()
  }
}
