/** The contract of `commit`: what is checked, what is kept, what is refused and named. */
import assert from 'node:assert/strict'
import type { Change, Committed, Expected } from '../ports/store.ts'
import { append, contractTest, type Desk, fact, faults, ids, key, put, slice, slots, type ContractSubject } from './store-contract-facts.ts'

export function commitContract(subject: ContractSubject): void {
  const given = (title: string, run: (desk: Desk) => Promise<void>): void => contractTest(subject, title, run)
  atomicity(given)
  refusals(given)
  streams(given)
  knownIds(given)
  neighbours(given)
  bounds(given)
}

type Given = (title: string, run: (desk: Desk) => Promise<void>) => void

function atomicity(given: Given): void {
  given('given a change over all lanes and rows, when it commits, then all of it is there', async (desk) => {
    const committed = await desk.done({
      appends: slots(desk.store).map((slot, at) => append(`e${at}`, { slot })),
      puts: [put('a', '1'), put('b', '2')],
    })
    assert.deepEqual(
      ids(await desk.all()),
      slots(desk.store).map((_, at) => `e${at}`),
    )
    assert.deepEqual(
      committed.at.map(({ lane }) => lane),
      desk.store.limits.lanes.map(({ name }) => name),
    )
    assert.deepEqual(
      (await desk.store.get([key('a'), key('b')])).map((row) => row?.value),
      ['1', '2'],
    )
  })

  given('given a change with one check that fails, when it is refused, then nothing of it is there', async (desk) => {
    await desk.done({ puts: [put('kept', 'old')] })
    const refused = await desk.commit({
      checks: [{ ...key('kept'), rev: 'never' }],
      appends: slots(desk.store).map((slot, at) => append(`e${at}`, { slot }, ['s'])),
      puts: [put('kept', 'new'), put('other', 'new')],
      deletes: [key('gone')],
    })
    assert.equal(refused.ok, false)
    assert.deepEqual(await desk.all(), [])
    assert.deepEqual(
      (await desk.store.get([key('kept'), key('other')])).map((row) => row?.value),
      ['old', undefined],
    )
    assert.ok((await desk.commit({ expects: [{ stream: 's', expect: 'none' }] })).ok)
  })

  given('given a row, when it is put, then its rev is the id of the change', async (desk) => {
    await desk.done({ id: 'one', puts: [put('a', '1')] })
    assert.deepEqual(await desk.store.get([key('a')]), [{ ...key('a'), value: '1', rev: 'one' }])
    await desk.done({ id: 'two', checks: [{ ...key('a'), rev: 'one' }], puts: [put('a', '2')] })
    assert.deepEqual(await desk.store.get([key('a')]), [{ ...key('a'), value: '2', rev: 'two' }])
  })

  given('given a row, when it is deleted, then it is absent, and may be put again', async (desk) => {
    await desk.done({ puts: [put('a', '1')] })
    await desk.done({ deletes: [key('a'), key('never')] })
    assert.deepEqual(await desk.store.get([key('a')]), [undefined])
    await desk.done({ checks: [{ ...key('a'), rev: null }], puts: [put('a', '2')] })
  })

  given('given a clock that goes back, when changes commit, then the store’s time does not', async (desk) => {
    const first = await desk.done({ appends: [append('a')] })
    desk.clockMs -= 60_000
    const second = await desk.done({ appends: [append('b')] })
    assert.equal(first.storeMs, 1_000_000)
    assert.equal(second.storeMs, 1_000_000)
    assert.deepEqual(
      (await desk.all()).map(({ storedMs }) => storedMs),
      [1_000_000, 1_000_000],
    )
  })
}

function refusals(given: Given): void {
  given('given several checks that fail, when a change is refused, then each is named with what stands there', async (desk) => {
    await desk.done({ id: 'first', puts: [put('a', '1'), put('b', '2')], appends: [append('known', {}, ['s'])] })
    const refused = await desk.commit({
      checks: [
        { ...key('a'), rev: 'first' },
        { ...key('b'), rev: null },
        { ...key('c'), rev: 'first' },
        { ...key('d'), rev: null },
      ],
      expects: [
        { stream: 's', expect: 'none' },
        { stream: 't', expect: 1 },
        { stream: 's', expect: 'any' },
      ],
      appends: [append('new'), append('known')],
    })
    assert.deepEqual(refused, {
      ok: false,
      rows: [
        { ...key('b'), value: '2', rev: 'first' },
        { ...key('c'), value: '', rev: '' },
      ],
      versions: { s: 1, t: 0 },
      ids: ['\nshop\nknown'],
    })
  })

  given('given a row that has expired, when a change expects it to be absent, then it commits', async (desk) => {
    await desk.done({ id: 'first', puts: [put('a', '1', { expiresMs: 1_000_500 })] })
    desk.clockMs = 1_000_499
    assert.equal((await desk.commit({ checks: [{ ...key('a'), rev: null }] })).ok, false)
    desk.clockMs = 1_000_500
    const refused = await desk.commit({ checks: [{ ...key('a'), rev: 'first' }] })
    assert.deepEqual(refused, { ok: false, rows: [{ ...key('a'), value: '', rev: '' }], versions: {}, ids: [] })
    await desk.done({ checks: [{ ...key('a'), rev: null }], puts: [put('a', '2')] })
    assert.deepEqual((await desk.store.get([key('a')]))[0]?.value, '2')
  })

  given('given another life of the store, when a change made for it comes, then it is a fault', async (desk) => {
    await faults(desk.commit({ incarnation: 'another', puts: [put('a', '1')] }), 'INCARNATION_OTHER')
    assert.deepEqual(await desk.store.get([key('a')]), [undefined])
  })
}

function streams(given: Given): void {
  given('given a stream of two events, when the four kinds of expectation are asked, then each is judged', async (desk) => {
    await desk.done({ appends: [append('a', {}, ['s']), append('b', {}, ['s'])] })
    const meets = async (stream: string, expect: Expected): Promise<boolean> => (await desk.commit({ expects: [{ stream, expect }] })).ok
    assert.deepEqual(await Promise.all([meets('s', 'none'), meets('s', 'exists'), meets('s', 'any')]), [false, true, true])
    assert.deepEqual(await Promise.all([meets('s', 1), meets('s', 2), meets('s', 3), meets('s', 0)]), [false, true, false, false])
    assert.deepEqual(await Promise.all([meets('t', 'none'), meets('t', 'exists'), meets('t', 'any')]), [true, false, true])
    assert.deepEqual(await Promise.all([meets('t', 0), meets('t', 1)]), [true, false])
  })

  given('given a change that expects no stream and appends to it, when it commits, then it is judged before itself', async (desk) => {
    await desk.done({ expects: [{ stream: 's', expect: 'none' }], appends: [append('a', {}, ['s'])] })
    const again = await desk.commit({ expects: [{ stream: 's', expect: 'none' }], appends: [append('b', {}, ['s'])] })
    assert.deepEqual(again, { ok: false, rows: [], versions: { s: 1 }, ids: [] })
  })

  given('given an event of several streams, when it is appended, then it gets the next version in each', async (desk) => {
    await desk.done({ appends: [append('a', {}, ['tag'])] })
    const { at } = await desk.done({ appends: [append('b', {}, ['s', 'tag']), append('c', {}, ['s'])] })
    assert.deepEqual(
      at.map(({ versions }) => versions),
      [[1, 2], [2]],
    )
    assert.deepEqual(ids((await slice(desk.store, { of: 'stream', name: 'tag', after: '' })).events), ['a', 'b'])
  })

  given('given writers that race for one stream, when all commit at once, then positions go as versions do', async (desk) => {
    const all = await Promise.all(Array.from({ length: 50 }, (_, at) => desk.done({ appends: [append(`e${at}`, {}, ['s'])] })))
    const places = all.map(({ at }) => at[0]).toSorted((a, b) => ((a?.position ?? '') < (b?.position ?? '') ? -1 : 1))
    assert.deepEqual(
      places.map((place) => place?.versions[0]),
      Array.from({ length: 50 }, (_, at) => at + 1),
    )
  })

  given('given a stream whose events were trimmed, when it is appended to, then its versions go on', async (desk) => {
    const { at } = await desk.done({ appends: [append('a', {}, ['s']), append('b', {}, ['s'])] })
    await desk.done({ trims: [{ lane: desk.lane(0), upTo: at[1]?.position ?? '' }] })
    assert.equal((await desk.commit({ expects: [{ stream: 's', expect: 'none' }] })).ok, false)
    const more = await desk.done({ expects: [{ stream: 's', expect: 2 }], appends: [append('c', {}, ['s'])] })
    assert.deepEqual(more.at[0]?.versions, [3])
    assert.ok((more.at[0]?.position ?? '') > (at[1]?.position ?? ''))
  })
}

function knownIds(given: Given): void {
  given('given a known event, when it comes again, then it is refused by tenant, source and id together', async (desk) => {
    await desk.done({ appends: [append('a')] })
    assert.deepEqual(await desk.commit({ appends: [append('a', { type: 'Other', slot: 1023 })] }), {
      ok: false,
      rows: [],
      versions: {},
      ids: ['\nshop\na'],
    })
    await desk.done({ appends: [append('a', { tenant: 't' }), append('a', { source: 'other' }), append('b')] })
    assert.equal((await desk.all()).length, 4)
  })

  given('given a change that brings one event twice, when it commits, then it is refused whole', async (desk) => {
    const refused = await desk.commit({ appends: [append('a'), append('b'), append('a')], puts: [put('x', '1')] })
    assert.deepEqual(refused, { ok: false, rows: [], versions: {}, ids: ['\nshop\na'] })
    assert.deepEqual(await desk.all(), [])
    await desk.done({ appends: [append('b')] })
  })

  given('given two changes with one event, when both are handed in at once, then the first is kept', async (desk) => {
    const [first, second] = await Promise.all([
      desk.commit({ appends: [append('a')] }),
      desk.commit({ appends: [append('z'), append('a')] }),
    ])
    assert.equal(first?.ok, true)
    assert.deepEqual(second, { ok: false, rows: [], versions: {}, ids: ['\nshop\na'] })
    assert.deepEqual(ids(await desk.all()), ['a'])
  })
}

function neighbours(given: Given): void {
  given('given changes handed in at once, when one is refused, then the others commit', async (desk) => {
    const outcomes = await Promise.all([
      desk.commit({ appends: [append('a')], puts: [put('x', '1')] }),
      desk.commit({ appends: [append('b')], checks: [{ ...key('never'), rev: 'x' }] }),
      desk.commit({ appends: [append('c')] }),
    ])
    assert.deepEqual(
      outcomes.map(({ ok }) => ok),
      [true, false, true],
    )
    assert.deepEqual(ids(await desk.all()), ['a', 'c'])
  })

  given('given changes handed in at once, when one is a fault, then the others commit', async (desk) => {
    const outcomes = await Promise.allSettled([
      desk.commit({ appends: [append('a')] }),
      desk.commit({ incarnation: 'another', appends: [append('b')] }),
      desk.commit({ appends: [append('c')] }),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(ids(await desk.all()), ['a', 'c'])
  })

  given('given many changes handed in one after another, when all commit, then they stand in that order', async (desk) => {
    const names = Array.from({ length: 300 }, (_, at) => `e${at}`)
    const answered: string[] = []
    await Promise.all(names.map(async (name) => (await desk.done({ appends: [append(name)] }), answered.push(name))))
    assert.deepEqual(ids(await desk.all()), names)
    assert.deepEqual(answered, names)
  })

  given('given many changes that check one row, when all are handed in at once, then exactly one commits', async (desk) => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, at) => desk.commit({ checks: [{ ...key('lock'), rev: null }], puts: [put('lock', `${at}`)] })),
    )
    assert.equal(outcomes.filter(({ ok }) => ok).length, 1)
    const [row] = await desk.store.get([key('lock')])
    assert.ok(outcomes.every((outcome) => outcome.ok || outcome.rows[0]?.rev === row?.rev))
  })

  given('given a later change of the same moment, when an earlier one is not done yet, then it sees what that one put', async (desk) => {
    const first = desk.change({ puts: [put('a', '1')] })
    const outcomes: Committed[] = await Promise.all([
      desk.store.commit(first),
      desk.commit({ checks: [{ ...key('a'), rev: first.id }], puts: [put('a', '2')] }),
    ])
    assert.deepEqual(
      outcomes.map(({ ok }) => ok),
      [true, true],
    )
  })
}

function bounds(given: Given): void {
  given('given a change beyond a limit, when it is handed in, then the fault names the limit and nothing is kept', async (desk) => {
    const { limits } = desk.store
    const long = (bytes: number): string => 'x'.repeat(bytes + 1)
    const beyond: Readonly<Record<string, Partial<Change>>> = {
      items: { deletes: Array.from({ length: limits.items + 1 }, (_, at) => key(`${at}`)) },
      rowBytes: { puts: [put('a', long(limits.rowBytes))] },
      keyBytes: { puts: [put(long(limits.keyBytes), '')] },
      eventBytes: { appends: [{ event: fact('a', { data: long(limits.eventBytes) }), streams: [] }] },
      bytes: {
        puts: Array.from({ length: Math.ceil(limits.bytes / limits.rowBytes) + 1 }, (_, at) => put(`${at}`, long(limits.rowBytes - 1))),
      },
    }
    for (const [limit, parts] of Object.entries(beyond)) await faults(desk.commit(parts), 'CHANGE_TOO_LARGE', { limit })
    assert.deepEqual(await desk.all(), [])
    await desk.done({ puts: [put(long(limits.keyBytes - 1), long(limits.rowBytes - 1))] })
  })

  given('given a change that cannot be kept as it is, when it is handed in, then it is a fault', async (desk) => {
    await faults(desk.commit({ puts: [{ ...put('a', ''), kind: 'Row; drop' }] }), 'CHANGE_INVALID')
    await faults(desk.commit({ puts: [put('half \ud800', '')] }), 'CHANGE_INVALID')
    await faults(desk.commit({ puts: [put('a', 'half \udc00')] }), 'CHANGE_INVALID')
    await faults(desk.commit({ appends: [append('half \ud800')] }), 'CHANGE_INVALID')
    await faults(desk.commit({ appends: [append('a', { slot: 1_024 })] }), 'CHANGE_INVALID')
    await faults(desk.commit({ appends: [append('a', { slot: 0.5 })] }), 'CHANGE_INVALID')
  })

  given('given a store that takes no SQL, when a change brings some, then it is a fault', async (desk) => {
    if (desk.store.limits.native) return
    await faults(desk.commit({ native: [{ unit: 'u', text: 'select 1', values: [] }] }), 'NATIVE_UNSUPPORTED')
  })
}
