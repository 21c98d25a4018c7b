import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { app } from '../define/app.ts'
import { event } from '../define/event.ts'
import type { FlowContext } from '../flow/context.ts'
import { defaultSettings } from '../flow/settings.ts'
import { isFault } from '../kit/fault.ts'
import type { Code } from '../kit/fault-codes.ts'
import { slotOf } from '../kit/slot.ts'
import { timeOfUuidV7 } from '../kit/uuid-v7.ts'
import { compile } from '../plan/compile.ts'
import type { Placed as InLog, Store } from '../ports/store.ts'
import { memoryStore } from '../stores/memory.ts'
import type { Posted } from './http-door.ts'
import { Publishing } from './publishing.ts'

const nowMs = Date.parse('2026-05-01T10:00:00Z')
const Order1 = event('Order', z.object({ id: z.string() }))
const Order = event('Order', z.object({ id: z.string(), cents: z.int() }), {
  version: 2,
  key: ({ id }) => id,
  upcast: (from) => from(Order1, (old) => ({ ...old, cents: 0 })),
})
const Note = event('Note', z.object({ text: z.string() }))
const Unlisted = event('Unlisted', z.object({}))
const plan = compile(app('shop', [Order1, Order, Note]))

interface Opened {
  readonly publishing: Publishing
  readonly store: Store
  readonly counts: Map<string, number>
  log(): Promise<readonly InLog[]>
}

function opened({ publishMax = defaultSettings.publishMax, soon }: { publishMax?: number; soon?: (run: () => void) => void } = {}): Opened {
  const store = memoryStore({ nowMs: () => nowMs, incarnation: 'one', lanes: 1, ...(soon && { soon }) })
  const counts = new Map<string, number>()
  let change = 0
  const context: Partial<FlowContext> = {
    store,
    environment: { nowMs: () => nowMs, monotonicMs: () => 0, wait: async () => {}, random: () => 0.5, soon: (run) => run() },
    telemetry: {
      count: (name, by) => void counts.set(name, (counts.get(name) ?? 0) + by),
      record: () => {},
      span: (_name, _of, run) => run(),
      log: () => {},
    },
    settings: { ...defaultSettings, publishMax },
    changeId: () => `c${(change += 1)}`,
  }
  const log = async (): Promise<readonly InLog[]> => {
    const [slice] = await store.read([{ of: 'lane', name: store.limits.lanes[0]?.name ?? '', after: '' }], { events: 100, bytes: 1e9 })
    return slice?.events ?? []
  }
  return { publishing: new Publishing(plan, context as FlowContext), store, counts, log }
}

const refused =
  (code: Code, data: Readonly<Record<string, unknown>> = {}) =>
  (error: unknown): boolean =>
    isFault(error, code) && Object.entries(data).every(([name, value]) => error.data[name] === value)

test('given facts without an id, when published, then each has one of its own, of now, in order, and the app is their source', async () => {
  const { publishing, log } = opened()
  const { ids, repeated } = await publishing.facts([Order({ id: 'o', cents: 1 }), Note({ text: 'a' }), Note({ text: 'a' })], undefined)
  assert.deepEqual([...new Set(ids)].sort(), ids)
  assert.equal(ids.length, 3)
  assert.equal(repeated, false)
  assert.deepEqual(ids.map(timeOfUuidV7), [nowMs, nowMs, nowMs])
  assert.deepEqual(
    (await log()).map(({ id, type, version, key, slot, source, time, data }) => [id, type, version, key, slot, source, time, data]),
    [
      [ids[0], 'Order', 2, 'o', slotOf('o'), 'shop', '2026-05-01T10:00:00.000Z', '{"id":"o","cents":1}'],
      [ids[1], 'Note', 1, ids[1], slotOf(ids[1] ?? ''), 'shop', '2026-05-01T10:00:00.000Z', '{"text":"a"}'],
      [ids[2], 'Note', 1, ids[2], slotOf(ids[2] ?? ''), 'shop', '2026-05-01T10:00:00.000Z', '{"text":"a"}'],
    ],
  )
})

test('given an id, when the same call is made again, then nothing is stored, and it is counted as a repeat', async () => {
  const { publishing, log, counts } = opened()
  const facts = [Note({ text: 'a' }), Note({ text: 'b' }), Note({ text: 'c' })]
  assert.deepEqual(await publishing.facts(facts, 'x'), { ids: ['x', 'x/1', 'x/2'], repeated: false })
  assert.deepEqual(await publishing.facts(facts, 'x'), { ids: ['x', 'x/1', 'x/2'], repeated: true })
  assert.equal((await log()).length, 3)
  assert.deepEqual(Object.fromEntries(counts), { millrace_published_total: 3, millrace_publish_repeated_total: 3 })
})

test('given a known id, when it comes with other content or count, then it is ID_TAKEN, and nothing is stored', async () => {
  const { publishing, log, counts } = opened()
  await publishing.facts([Note({ text: 'a' }), Note({ text: 'b' })], 'x')
  for (const facts of [
    [Note({ text: 'a' })],
    [Note({ text: 'a' }), Note({ text: 'c' })],
    [Note({ text: 'a' }), Note({ text: 'b' }), Note({ text: 'c' })],
  ])
    await assert.rejects(() => publishing.facts(facts, 'x'), refused('ID_TAKEN'))
  assert.equal((await log()).length, 2)
  assert.deepEqual(Object.fromEntries(counts), { millrace_published_total: 2 })
})

test('given no fact, when published, then nothing is stored', async () => {
  const { publishing, log } = opened()
  assert.deepEqual(await publishing.facts([], 'x'), { ids: [], repeated: false })
  assert.deepEqual(await publishing.posted([], undefined), { ids: [], repeated: false })
  assert.deepEqual(await log(), [])
})

test('given an id that can be none, when facts are published under it, then it is refused', async () => {
  const { publishing } = opened()
  for (const id of ['', 'a\u0000', '\ud800', 'x'.repeat(3_000)])
    await assert.rejects(() => publishing.facts([Note({ text: 'a' })], id), refused('OPTION_INVALID', { option: 'id' }), id.slice(0, 5))
})

test('given a fact of yesterday’s version, when published, then it is kept as that, and a plain one checked as today’s', async () => {
  const { publishing, log } = opened()
  await publishing.facts([Order1({ id: 'o' }), { type: 'Order', data: { id: 'p', cents: 1 } }], undefined)
  assert.deepEqual(
    (await log()).map(({ version, data }) => `${version} ${data}`),
    ['1 {"id":"o"}', '2 {"id":"p","cents":1}'],
  )
  await assert.rejects(() => publishing.facts([{ type: 'Order', data: { id: 'p' } }], undefined), refused('VALIDATION_FAILED'))
  await assert.rejects(() => publishing.facts([{ ...Order1({ id: 'o' }) }], undefined), refused('VALIDATION_FAILED'))
})

test('given what the app does not list, or no fact, when published, then it is EVENT_UNLISTED, and the whole call with it', async () => {
  const { publishing, log } = opened()
  for (const wrong of [Unlisted({}), { type: 'Nobody', data: {} }, JSON.parse('null'), JSON.parse('5'), JSON.parse('{}')])
    await assert.rejects(() => publishing.facts([Note({ text: 'a' }), wrong], undefined), refused('EVENT_UNLISTED'), JSON.stringify(wrong))
  assert.deepEqual(await log(), [])
})

test('given an event that comes in, when published, then it keeps what it brings, and is filled in where it brings nothing', async () => {
  const { publishing, log } = opened()
  const bare: Posted = { type: 'Order', data: { id: 'o', cents: 1 } }
  const full: Posted = {
    type: 'Note',
    version: 1,
    data: { text: 'a' },
    id: 'own',
    source: '/hooks/a',
    key: 'k',
    subject: 's',
    time: '2020-01-01T00:00:00Z',
    cause: 'c',
    correlation: 'd',
    extra: '{"region":"eu"}',
  }
  assert.deepEqual(await publishing.posted([bare, full, { type: 'Note', data: { text: 'b' } }], 'x'), {
    ids: ['x', 'own', 'x/2'],
    repeated: false,
  })
  const [first, second, third] = await log()
  assert.deepEqual([first?.id, first?.version, first?.key, first?.source, first?.time], ['x', 2, 'o', 'shop', '2026-05-01T10:00:00.000Z'])
  assert.deepEqual(
    [
      second?.id,
      second?.key,
      second?.slot,
      second?.source,
      second?.time,
      second?.subject,
      second?.cause,
      second?.correlation,
      second?.extra,
    ],
    ['own', 'k', slotOf('k'), '/hooks/a', '2020-01-01T00:00:00Z', 's', 'c', 'd', '{"region":"eu"}'],
  )
  assert.deepEqual([third?.id, third?.key], ['x/2', 'x/2'])
})

test('given a declared key, when an event brings another, then the declared one counts', async () => {
  const { publishing, log } = opened()
  await publishing.posted([{ type: 'Order', key: 'theirs', data: { id: 'o', cents: 1 } }], undefined)
  assert.equal((await log())[0]?.key, 'o')
})

test('given an event of yesterday’s version, when it comes in, then it is checked and kept as that', async () => {
  const { publishing, log } = opened()
  await publishing.posted([{ type: 'Order', version: 1, data: { id: 'o' } }], undefined)
  assert.deepEqual(
    (await log()).map(({ version, data }) => `${version} ${data}`),
    ['1 {"id":"o"}'],
  )
})

test('given events of which one is wrong, when they come in, then its place stands in the fault, and nothing is stored', async () => {
  const { publishing, log } = opened()
  const well: Posted = { type: 'Note', data: { text: 'a' } }
  const at = { at: 1 }
  await assert.rejects(
    () => publishing.posted([well, { type: 'Nobody', data: {} }], 'x'),
    refused('EVENT_UNKNOWN', { ...at, type: 'Nobody' }),
  )
  await assert.rejects(() => publishing.posted([well, { type: 'Note', version: 2, data: {} }], 'x'), refused('EVENT_UNKNOWN', at))
  await assert.rejects(
    () => publishing.posted([well, { type: 'Note', data: { text: 5 } }], 'x'),
    (error) => isFault(error, 'VALIDATION_FAILED') && error.data['at'] === 1 && error.message.startsWith('VALIDATION_FAILED: Note: /text '),
  )
  await assert.rejects(
    () => publishing.posted([well, { type: 'Note', data: { text: 'a' }, key: '\ud800' }], 'x'),
    refused('KEY_INVALID', at),
  )
  assert.deepEqual(await log(), [])
})

test('given as many calls as may wait, when one more is made, then it is PUBLISH_BUSY, and later ones are taken again', async () => {
  const flushes: (() => void)[] = []
  const { publishing, log } = opened({ publishMax: 2, soon: (run) => void flushes.push(run) })
  const waiting = [1, 2].map(async () => publishing.facts([Note({ text: 'a' })], undefined))
  await assert.rejects(() => publishing.facts([Note({ text: 'b' })], undefined), refused('PUBLISH_BUSY'))
  assert.deepEqual(await publishing.facts([], undefined), { ids: [], repeated: false })
  for (const flush of flushes.splice(0)) flush()
  await Promise.all(waiting)
  const more = publishing.facts([Note({ text: 'c' })], undefined)
  for (const flush of flushes.splice(0)) flush()
  await more
  assert.equal((await log()).length, 3)
})

test('given calls that the store refuses, when they fail, then they do not count as waiting', async () => {
  const { publishing, store } = opened({ publishMax: 1 })
  await store.close()
  for (const _ of [1, 2]) await assert.rejects(() => publishing.facts([Note({ text: 'a' })], undefined), refused('STORE_CLOSED'))
})
