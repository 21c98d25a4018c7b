/** The contract of `read`, `changed` and `close`. */
import assert from 'node:assert/strict'
import type { Cursor, Placed, Store, Stored } from '../ports/store.ts'
import {
  append,
  contractTest,
  type Desk,
  fact,
  faults,
  ids,
  key,
  lastSlot,
  put,
  slice,
  slots,
  type ContractSubject,
} from './store-contract-facts.ts'

type Given = (title: string, run: (desk: Desk) => Promise<void>) => void

const plenty = { events: 10_000, bytes: 10_000_000 }

export function readContract(subject: ContractSubject): void {
  const given: Given = (title, run) => contractTest(subject, title, run)
  lanes(given)
  limitsOfReads(given)
  places(given)
  trims(given)
  signals(given)
}

function lanes(given: Given): void {
  given('given an event with every column, and one with none to spare, when they are read, then they are what they were', async (desk) => {
    const full: Required<Omit<Stored, 'parsed'>> = {
      ...fact('full', { key: 'schlüssel', slot: lastSlot(desk.store), version: 7, data: '{"text":"naïve 😀 \u0001 \\" "}' }),
      ...{
        tenant: 't',
        subject: 's',
        stream: 12,
        streamVersion: 3,
        tags: ['a', 'b'],
        imported: true,
        cause: 'c',
        correlation: 'k',
        extra: '{"x":"1"}',
      },
    }
    await desk.done({ appends: [append('bare'), { event: full, streams: [] }] })
    const [bare, read] = (await desk.all()).map(withoutParsed)
    assert.deepEqual(bare, { ...fact('bare'), position: bare?.position, lane: desk.lane(0), storedMs: 1_000_000 })
    assert.deepEqual(read, { ...full, position: read?.position, lane: desk.store.limits.lanes.at(-1)?.name, storedMs: 1_000_000 })
  })

  given('given events in lanes, when each is read, then it has its own in order, and goes on where the last read ended', async (desk) => {
    await fill(desk, 120)
    for (const { name } of desk.store.limits.lanes) {
      const whole = (await slice(desk.store, { of: 'lane', name, after: '' })).events
      assert.ok(whole.every(({ lane }) => lane === name))
      for (const events of [1, 7, 50]) assert.deepEqual(await pages(desk.store, { of: 'lane', name, after: '' }, events), ids(whole))
    }
    const all = await desk.all()
    assert.equal(all.length, 120)
    if (desk.store.limits.order === 'global')
      assert.deepEqual(
        ids(all),
        Array.from({ length: 120 }, (_, at) => `e${at}`),
      )
  })

  given('given a cursor made by hand, when it reads, then it gets what a cursor handed on gets', async (desk) => {
    const name = desk.lane(0)
    let handed: Cursor = { of: 'lane', name, after: '' }
    let after = ''
    for (let round = 0; round < 20; round++) {
      await fill(desk, 10, `r${round}-`)
      const [by, made] = await desk.store.read([handed, { of: 'lane', name, after }], { events: 4, bytes: 10_000 })
      assert.deepEqual(ids(by?.events ?? []), ids(made?.events ?? []))
      assert.equal(by?.upTo, made?.upTo)
      handed = by?.next ?? handed
      after = made?.upTo ?? ''
    }
  })
}

function limitsOfReads(given: Given): void {
  given(
    'given a limit of bytes, when a lane is read, then it stops before it is passed, but never before the first event',
    async (desk) => {
      await desk.done({ appends: ['a', 'b', 'c'].map((id) => append(id, { data: JSON.stringify('x'.repeat(100)) })) })
      const first = await slice(desk.store, { of: 'lane', name: desk.lane(0), after: '' }, { events: 10, bytes: 250 })
      assert.deepEqual(ids(first.events), ['a', 'b'])
      assert.deepEqual(ids((await slice(desk.store, first.next, { events: 10, bytes: 1 })).events), ['c'])
      assert.deepEqual((await slice(desk.store, { of: 'lane', name: desk.lane(0), after: '' }, { events: 0, bytes: 1 })).events, [])
    },
  )

  given('given a reader of one type, when others stand between, then it passes over them', async (desk) => {
    const types = new Set(['B'])
    await desk.done({ appends: ['A', 'B', 'A', 'B', 'A'].map((type, at) => append(`e${at}`, { type })) })
    const name = desk.lane(0)
    const read = await slice(desk.store, { of: 'lane', name, after: '', types })
    assert.deepEqual(ids(read.events), ['e1', 'e3'])
    assert.equal(read.upTo, (await slice(desk.store, { of: 'lane', name, after: '' })).upTo)
    assert.deepEqual(await pages(desk.store, { of: 'lane', name, after: '', types }, 1), ['e1', 'e3'])
    assert.deepEqual((await slice(desk.store, { of: 'lane', name, after: '', types: new Set(['none']) })).upTo, read.upTo)
  })

  given('given an order over lanes, when one lane is idle, then reading it reaches the head', async (desk) => {
    if (desk.store.limits.order !== 'global') return
    const { at } = await desk.done({ appends: [append('a', { slot: lastSlot(desk.store) })] })
    for (const { name } of desk.store.limits.lanes)
      assert.equal((await slice(desk.store, { of: 'lane', name, after: '' })).upTo, at[0]?.position)
  })

  given('given nothing new, when the head is read again, then nothing comes, and the place stays', async (desk) => {
    await fill(desk, 3)
    const at = await slice(desk.store, { of: 'lane', name: desk.lane(0), after: '' })
    const again = await slice(desk.store, at.next)
    assert.deepEqual([again.events, again.upTo], [[], at.upTo])
  })

  given('given several cursors, when they are read together, then each has the whole limit', async (desk) => {
    await fill(desk, 40)
    const cursor: Cursor = { of: 'lane', name: desk.lane(0), after: '' }
    const slices = await desk.store.read([cursor, cursor, { ...cursor, types: new Set(['none']) }], { events: 5, bytes: 10_000 })
    assert.deepEqual(
      slices.map(({ events }) => events.length),
      [5, 5, 0],
    )
    assert.deepEqual(await desk.store.read([], plenty), [])
  })

  given('given a lane or a position that is none, when it is read, then it is a fault', async (desk) => {
    await faults(desk.store.read([{ of: 'lane', name: 'nowhere', after: '' }], plenty), 'CURSOR_UNKNOWN')
    await faults(desk.store.read([{ of: 'lane', name: desk.lane(0), after: 'soon' }], plenty), 'CURSOR_UNKNOWN')
    await faults(desk.commit({ trims: [{ lane: 'nowhere', upTo: '' }] }), 'CURSOR_UNKNOWN')
  })
}

function places(given: Given): void {
  given('given a place, when it is read, then its event comes, and from another lane or beyond the head nothing', async (desk) => {
    const { at } = await desk.done({ appends: [append('a'), append('b', { slot: lastSlot(desk.store) })] })
    const [first, last] = at
    assert.ok(first !== undefined && last !== undefined)
    const place = (name: string, position: string): Cursor => ({ of: 'place', name, at: position })
    assert.deepEqual(ids((await slice(desk.store, place(first.lane, first.position))).events), ['a'])
    assert.deepEqual(ids((await slice(desk.store, place(last.lane, last.position))).events), ['b'])
    if (first.lane !== last.lane) assert.deepEqual((await slice(desk.store, place(first.lane, last.position))).events, [])
    assert.deepEqual((await slice(desk.store, place(first.lane, `${last.position}9`))).events, [])
  })

  given('given an id, when it is read, then its event comes, else nothing', async (desk) => {
    await desk.done({ appends: [append('a'), append('a', { tenant: 't' })] })
    const of = (tenant: string, source: string, id: string): Promise<readonly Placed[]> =>
      slice(desk.store, { of: 'id', tenant, source, id }).then(({ events }) => events)
    assert.deepEqual(
      (await of('t', 'shop', 'a')).map(({ tenant }) => tenant),
      ['t'],
    )
    assert.deepEqual(await of('', 'shop', 'b'), [])
    assert.deepEqual(await of('', 'other', 'a'), [])
  })

  given('given a stream over several lanes, when it is read, then its events come by version', async (desk) => {
    await desk.done({ appends: slots(desk.store).map((slot, at) => append(`e${at}`, { slot, type: at === 0 ? 'A' : 'B' }, ['s'])) })
    await desk.done({ appends: [append('other', {}, ['t']), append('last', { type: 'B' }, ['s'])] })
    const stream = { of: 'stream', name: 's', after: '' } as const
    const expected = [...slots(desk.store).map((_, at) => `e${at}`), 'last']
    const whole = await slice(desk.store, stream)
    assert.deepEqual(ids(whole.events), expected)
    assert.equal(Number(whole.upTo), expected.length)
    assert.deepEqual(ids((await slice(desk.store, { ...stream, after: '1' })).events), expected.slice(1))
    assert.deepEqual(await pages(desk.store, stream, 1), expected)
    assert.deepEqual(await pages(desk.store, { ...stream, types: new Set(['A']) }, 10), ['e0'])
    assert.deepEqual((await slice(desk.store, { of: 'stream', name: 'unheard', after: '' })).events, [])
  })
}

function trims(given: Given): void {
  given('given a trimmed lane, when it is read, then whoever would get what is gone is told, and nobody else', async (desk) => {
    const { at } = await desk.done({ appends: ['A', 'B', 'A', 'B'].map((type, n) => append(`e${n}`, { type })) })
    const name = desk.lane(0)
    const [, second, third] = at.map(({ position }) => position)
    await desk.done({ trims: [{ lane: name, upTo: second ?? '' }] })
    const read = (after: string, types?: ReadonlySet<string>): Promise<readonly Placed[]> =>
      slice(desk.store, { of: 'lane', name, after, ...(types === undefined ? {} : { types }) }).then(({ events }) => events)
    await faults(read(''), 'TRIMMED')
    await faults(read(at[0]?.position ?? ''), 'TRIMMED')
    await faults(read('', new Set(['B'])), 'TRIMMED')
    assert.deepEqual(ids(await read(second ?? '')), ['e2', 'e3'])
    assert.deepEqual(ids(await read(at[0]?.position ?? '', new Set(['A']))), ['e2'])
    assert.deepEqual(await read('', new Set(['C'])), [])
    assert.equal((await slice(desk.store, { of: 'lane', name, after: second ?? '' })).first <= (third ?? ''), true)
    await faults(slice(desk.store, { of: 'place', name, at: second ?? '' }), 'TRIMMED')
    assert.deepEqual((await slice(desk.store, { of: 'id', tenant: '', source: 'shop', id: 'e0' })).events, [])
  })

  given('given a trim of one type, when the lane is read, then the others are there', async (desk) => {
    const { at } = await desk.done({ appends: ['A', 'B', 'A', 'B'].map((type, n) => append(`e${n}`, { type }, ['s'])) })
    const name = desk.lane(0)
    await desk.done({ trims: [{ lane: name, upTo: at[2]?.position ?? '', types: ['A'] }] })
    await faults(slice(desk.store, { of: 'lane', name, after: '' }), 'TRIMMED')
    await faults(slice(desk.store, { of: 'stream', name: 's', after: '' }), 'TRIMMED')
    assert.deepEqual(ids((await slice(desk.store, { of: 'lane', name, after: '', types: new Set(['B']) })).events), ['e1', 'e3'])
    assert.deepEqual(ids((await slice(desk.store, { of: 'stream', name: 's', after: '', types: new Set(['B']) })).events), ['e1', 'e3'])
    assert.deepEqual(ids((await slice(desk.store, { of: 'stream', name: 's', after: '3' })).events), ['e3'])
  })

  given('given a trim beyond the head, when events come later, then they are kept', async (desk) => {
    await desk.done({ appends: [append('a')] })
    await desk.done({ trims: [{ lane: desk.lane(0), upTo: '9'.repeat(15) }] })
    const { at } = await desk.done({ appends: [append('b'), append('a')] })
    const upTo = at[0]?.position ?? ''
    const { events, first } = await slice(desk.store, { of: 'lane', name: desk.lane(0), after: String(Number(upTo) - 1) })
    assert.deepEqual(ids(events), ['b', 'a'])
    assert.ok(first <= upTo)
  })

  given('given a refused change, when it would have trimmed, then all is there', async (desk) => {
    const { at } = await desk.done({ appends: [append('a')] })
    await desk.commit({ checks: [{ ...key('x'), rev: 'y' }], trims: [{ lane: desk.lane(0), upTo: at[0]?.position ?? '' }] })
    assert.deepEqual(ids(await desk.all()), ['a'])
  })
}

function signals(given: Given): void {
  given('given somebody who waits for a lane, when an event comes to it, then the wait is over', async (desk) => {
    const waiting = desk.store.changed([desk.lane(0), 'row/other'], new AbortController().signal)
    await desk.done({ appends: [append('a')] })
    await waiting
  })

  given('given somebody who waits for a type in a lane, when others come first, then the wait is over once it comes', async (desk) => {
    const waiting = desk.store.changed([desk.lane(0)], new AbortController().signal, new Set(['Wanted']))
    await desk.done({ appends: [append('a', { type: 'Other' })] })
    await desk.done({ appends: [append('b', { type: 'Wanted' })] })
    await waiting
  })

  given('given somebody who waits for rows, when one is put or deleted, then the wait is over', async (desk) => {
    const first = desk.store.changed(['row/main'], new AbortController().signal)
    await desk.done({ puts: [put('a', '1')] })
    await first
    const second = desk.store.changed([desk.lane(0), 'row/main'], new AbortController().signal)
    await desk.done({ deletes: [key('a')] })
    await second
  })

  given('given a signal that is aborted, before or meanwhile, when somebody waits under it, then the wait is over', async (desk) => {
    await desk.store.changed(['row/main'], AbortSignal.abort())
    const abort = new AbortController()
    const waiting = desk.store.changed([desk.lane(0)], abort.signal)
    abort.abort()
    await waiting
  })

  given('given changes under way, when the store closes, then they are done, and later calls are a fault', async (desk) => {
    const under = Promise.all(Array.from({ length: 10 }, (_, at) => desk.done({ appends: [append(`e${at}`)] })))
    const waiting = desk.store.changed(['row/main'], new AbortController().signal)
    await Promise.all([desk.store.close(), under, waiting])
    await faults(desk.commit({ puts: [put('a', '1')] }), 'STORE_CLOSED')
    await faults(desk.store.get([key('a')]), 'STORE_CLOSED')
    await faults(desk.store.scan({ kind: 'row', part: 'main', from: '', to: '', limit: 1 }), 'STORE_CLOSED')
    await faults(desk.store.read([{ of: 'lane', name: desk.lane(0), after: '' }], plenty), 'STORE_CLOSED')
    await faults(desk.store.changed(['row/main'], new AbortController().signal), 'STORE_CLOSED')
    await desk.store.close()
  })
}

async function fill(desk: Desk, count: number, prefix = 'e'): Promise<void> {
  const all = slots(desk.store)
  await desk.done({
    appends: Array.from({ length: count }, (_, at) => append(`${prefix}${at}`, { slot: all[(at * 7) % all.length] ?? 0 })),
  })
}

/** Reads to the end in pages, and lists the ids. */
async function pages(store: Store, from: Cursor, events: number): Promise<readonly string[]> {
  const found: string[] = []
  for (let cursor = from; ;) {
    const page = await slice(store, cursor, { events, bytes: 1_000_000 })
    found.push(...ids(page.events))
    if (page.events.length === 0) return found
    cursor = page.next
  }
}

function withoutParsed({ parsed: _, ...event }: Placed): Placed {
  return event
}
