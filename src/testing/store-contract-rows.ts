/** The contract of `get` and `scan`. */
import assert from 'node:assert/strict'
import type { Row, Scan } from '../ports/store.ts'
import { contractTest, type Desk, key, put, type ContractSubject } from './store-contract-facts.ts'

/** In the order of their UTF-8 bytes; JavaScript's `<` has the last two the other way round. */
const sorted = ['', '\u0001', ' ', '/', '0', 'A', 'a', 'a\u0001', 'aa', 'b', 'é', 'ﬀ', '😀']

type Given = (title: string, run: (desk: Desk) => Promise<void>) => void

export function rowContract(subject: ContractSubject): void {
  const given: Given = (title, run) => contractTest(subject, title, run)
  gets(given)
  scans(given)
}

function gets(given: Given): void {
  given('given several keys, when they are got, then the answers stand in their order, absent ones undefined', async (desk) => {
    await desk.done({
      id: 'c',
      puts: [put('a', '1'), put('b', '2', { part: 'other' }), put('c', '3', { kind: 'hold', expiresMs: 2_000_000 })],
    })
    assert.deepEqual(await desk.store.get([key('c', 'main', 'hold'), key('b'), key('b', 'other'), key('a'), key('a', 'main', 'unheard')]), [
      { ...key('c', 'main', 'hold'), value: '3', rev: 'c', expiresMs: 2_000_000 },
      undefined,
      { ...key('b', 'other'), value: '2', rev: 'c' },
      { ...key('a'), value: '1', rev: 'c' },
      undefined,
    ])
  })

  given('given a row that expires, when its time has come, then get and scan find it absent', async (desk) => {
    await desk.done({ puts: [put('a', '1', { expiresMs: 1_000_100 }), put('b', '2')] })
    desk.clockMs = 1_000_099
    assert.deepEqual(await names(desk, {}), ['a', 'b'])
    desk.clockMs = 1_000_100
    assert.deepEqual(await names(desk, {}), ['b'])
    assert.deepEqual(await desk.store.get([key('a')]), [undefined])
  })

  given('given a row that expires, when it is put again without an end, then it stays', async (desk) => {
    await desk.done({ puts: [put('a', '1', { expiresMs: 1_000_100 })] })
    await desk.done({ puts: [put('a', '2')] })
    desk.clockMs = 1_000_100
    assert.deepEqual((await desk.store.get([key('a')]))[0]?.value, '2')
  })
}

function scans(given: Given): void {
  given('given keys of all kinds of characters, when they are scanned, then they come in the order of their UTF-8 bytes', async (desk) => {
    await desk.done({ puts: sorted.toReversed().map((name) => put(name, name)) })
    assert.deepEqual(await names(desk, {}), sorted)
    assert.deepEqual(await names(desk, { reverse: true }), sorted.toReversed())
    assert.deepEqual(
      (await rows(desk, {})).map(({ value }) => value),
      sorted,
    )
  })

  given('given a range, when it is scanned, then its beginning is in it and its end is not', async (desk) => {
    await desk.done({ puts: sorted.map((name) => put(name, '')) })
    for (const from of sorted) {
      for (const to of sorted) {
        const within = sorted.slice(sorted.indexOf(from), to === '' ? undefined : Math.max(sorted.indexOf(to), sorted.indexOf(from)))
        assert.deepEqual(await names(desk, { from, to }), within)
        assert.deepEqual(await names(desk, { from, to, reverse: true }), within.toReversed())
      }
    }
  })

  given('given a limit, when a range is scanned, then no more come, from either end', async (desk) => {
    await desk.done({ puts: [put('a', ''), put('b', ''), put('c', '', { expiresMs: 1_000_000 }), put('d', '')] })
    assert.deepEqual(await names(desk, { limit: 3 }), ['a', 'b', 'd'])
    assert.deepEqual(await names(desk, { limit: 2, reverse: true }), ['d', 'b'])
    assert.deepEqual(await names(desk, { limit: 0 }), [])
  })

  given('given rows of other kinds and parts, when one is scanned, then they are not among them', async (desk) => {
    await desk.done({
      puts: [put('a', ''), put('b', '', { part: 'mai' }), put('c', '', { part: 'main2' }), put('d', '', { kind: 'rows' })],
    })
    assert.deepEqual(await names(desk, {}), ['a'])
    assert.deepEqual(await names(desk, { kind: 'unheard' }), [])
  })

  given('given a thousand keys, put and deleted in no order, when they are scanned in pages, then each comes once', async (desk) => {
    const all = Array.from({ length: 1_000 }, (_, at) => `k${(at * 617) % 1_000}`)
    await desk.done({ puts: all.map((name) => put(name, '')) })
    await desk.done({ deletes: all.filter((_, at) => at % 3 === 0).map((name) => key(name)) })
    const kept = all.filter((_, at) => at % 3 !== 0).toSorted()
    const found: string[] = []
    for (let from = ''; ;) {
      const page = await names(desk, { from, limit: 37 })
      found.push(...page)
      if (page.length < 37) break
      from = `${page.at(-1) ?? ''}\u0000`
    }
    assert.deepEqual(found, kept)
  })
}

function rows(desk: Desk, range: Partial<Scan>): Promise<readonly Row[]> {
  return desk.store.scan({ kind: 'row', part: 'main', from: '', to: '', limit: 10_000, ...range })
}

async function names(desk: Desk, range: Partial<Scan>): Promise<readonly string[]> {
  return (await rows(desk, range)).map((row) => row.key)
}
