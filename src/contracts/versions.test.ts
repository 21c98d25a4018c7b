import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { isFault } from '../kit/fault.ts'
import type { Contract, Split } from './contract.ts'
import type { Fact } from './fact.ts'
import { freezeFacts, makeFact } from './made-fact.ts'
import type { Schema } from './schema.ts'
import { reading, type Reading } from './versions.ts'

interface Given {
  readonly type: string
  readonly version?: number
  readonly schema?: Schema
  readonly from?: Contract
  readonly up?: (old: unknown) => unknown
  readonly into?: readonly Contract[]
  readonly split?: (old: unknown) => readonly Fact[]
}

function contract({ type, version = 1, schema = z.unknown(), from, up = (old) => old, into, split = () => [] }: Given): Contract {
  const becomes: Split | undefined = into && { into, split }
  return { type, version, schema, upcast: from && { before: from, up }, becomes: () => becomes }
}

const facts = (read: Reading): readonly Fact[] => {
  assert.equal(read.is, 'facts', read.is === 'fault' ? read.fault.message : read.is)
  return read.is === 'facts' ? read.facts : []
}
const code = (read: Reading): string => (read.is === 'fault' ? read.fault.code : read.is)

const placed1 = contract({ type: 'OrderPlaced', schema: z.object({ cents: z.int() }) })
const placed2 = contract({
  type: 'OrderPlaced',
  version: 2,
  schema: z.object({ cents: z.int(), currency: z.string() }),
  from: placed1,
  up: (old) => ({ ...(old as object), currency: 'EUR' }),
})
const placed3 = contract({
  type: 'OrderPlaced',
  version: 3,
  schema: z.object({ amount: z.string() }),
  from: placed2,
  up: (old) => ({ amount: `${(old as { cents: number }).cents} ${(old as { currency: string }).currency}` }),
})

test('given an event of each version, when read, then all come in today’s shape', () => {
  const reader = reading([placed3])
  const today = [{ type: 'OrderPlaced', data: { amount: '5 EUR' } }]
  assert.deepEqual(facts(reader.read('OrderPlaced', 1, { cents: 5 })), today)
  assert.deepEqual(facts(reader.read('OrderPlaced', 2, { cents: 5, currency: 'EUR' })), today)
  assert.deepEqual(facts(reader.read('OrderPlaced', 3, { amount: '5 EUR' })), today)
  assert.deepEqual([...reader.types], ['OrderPlaced'])
})

test('given an app that lists the older versions too, when read, then the newest is today’s', () => {
  for (const known of [
    [placed1, placed2, placed3],
    [placed3, placed1],
  ])
    assert.deepEqual(facts(reading([placed3], known).read('OrderPlaced', 1, { cents: 5 })), [
      { type: 'OrderPlaced', data: { amount: '5 EUR' } },
    ])
})

test('given data of the current version, when read, then it is not validated again and stays the same object', () => {
  let asked = 0
  const schema: Schema = { '~standard': { version: 1, vendor: 'counting', validate: (value) => (asked++, { value }) } }
  const data = { cents: 'not even a number' }
  assert.equal(facts(reading([contract({ type: 'X', schema })]).read('X', 1, data))[0]?.data, data)
  assert.equal(asked, 0)
})

test('given what an upcast gives, when today’s schema refuses it, then it is a fault with the place', () => {
  const broken = contract({ type: 'OrderPlaced', version: 2, schema: z.object({ currency: z.string() }), from: placed1 })
  const read = reading([broken]).read('OrderPlaced', 1, { cents: 5 })
  assert.ok(read.is === 'fault' && isFault(read.fault, 'VALIDATION_FAILED'))
  assert.deepEqual(
    (read.fault.data['issues'] as readonly { path: string }[]).map(({ path }) => path),
    ['/currency'],
  )
})

test('given an upcast or a split that throws, even undefined, when read, then it is a fault of the app’s code', () => {
  const throwing = contract({
    type: 'A',
    version: 2,
    from: contract({ type: 'A' }),
    up: () => {
      throw undefined
    },
  })
  assert.equal(code(reading([throwing]).read('A', 1, {})), 'UPCAST_FAILED')
  const part = contract({ type: 'Part' })
  const splitting = contract({
    type: 'B',
    into: [part],
    split: () => {
      throw new TypeError('no')
    },
  })
  assert.equal(code(reading([part], [splitting, part]).read('B', 1, {})), 'UPCAST_FAILED')
})

test('given an unknown version, when read, then a newer one waits and an older one is a fault', () => {
  const gap = contract({ type: 'OrderPlaced', version: 5, from: placed2 })
  const reader = reading([gap])
  assert.equal(code(reader.read('OrderPlaced', 6, {})), 'newer')
  assert.equal(code(reader.read('OrderPlaced', 3, {})), 'VERSION_UNKNOWN')
  assert.equal(code(reader.read('OrderPlaced', 0, {})), 'VERSION_UNKNOWN')
  assert.equal(code(reading([contract({ type: 'X', version: 2 })]).read('X', 1, {})), 'VERSION_UNKNOWN')
})

test('given text that is no JSON, when read, then it is a fault; given what was parsed, then that is taken', () => {
  const reader = reading([placed1])
  assert.equal(code(reader.readStored({ type: 'OrderPlaced', version: 1, data: '{"cents":' })), 'EVENT_UNREADABLE')
  assert.deepEqual(facts(reader.readStored({ type: 'OrderPlaced', version: 1, data: '{"cents":5}' }))[0]?.data, { cents: 5 })
  const parsed = { cents: 6 }
  assert.equal(facts(reader.readStored({ type: 'OrderPlaced', version: 1, data: '', parsed }))[0]?.data, parsed)
})

const name2 = contract({
  type: 'NameChanged',
  version: 2,
  schema: z.object({ name: z.string(), by: z.string() }),
  from: contract({ type: 'NameChanged', schema: z.object({ name: z.string() }) }),
  up: (old) => ({ ...(old as object), by: 'user' }),
})
const name1 = name2.upcast?.before ?? name2
const phone = contract({ type: 'PhoneChanged', schema: z.object({ phone: z.string() }) })
const profile = contract({
  type: 'ProfileChanged',
  into: [name1, phone],
  split: (old) => {
    const { name, phone: number } = old as { name: string; phone?: string }
    return [makeFact(name1, 'NameChanged', { name }), ...(number === undefined ? [] : [{ type: 'PhoneChanged', data: { phone: number } }])]
  },
})
const app = [profile, name2, phone]

test('given an event that has become others, when one of those is wanted, then its part comes, in today’s shape', () => {
  const reader = reading([name2], app)
  assert.deepEqual([...reader.types].sort(), ['NameChanged', 'ProfileChanged'])
  assert.deepEqual(facts(reader.read('ProfileChanged', 1, { name: 'Ada', phone: '1' })), [
    { type: 'NameChanged', data: { name: 'Ada', by: 'user' } },
  ])
  assert.deepEqual(facts(reading([phone], app).read('ProfileChanged', 1, { name: 'Ada' })), [])
  assert.deepEqual(
    facts(reading([name2, phone], app).read('ProfileChanged', 1, { name: 'Ada', phone: '1' })).map((fact) => fact.type),
    ['NameChanged', 'PhoneChanged'],
  )
})

test('given an event that has become others, when something else is wanted, then its type is not read', () => {
  assert.deepEqual([...reading([placed1], [...app, placed1]).types], ['OrderPlaced'])
})

test('given parts that have become others in their turn, when read, then the last of them come', () => {
  const account = contract({ type: 'AccountChanged', into: [profile], split: (old) => [{ type: 'ProfileChanged', data: old }] })
  const reader = reading([phone], [account, ...app])
  assert.deepEqual([...reader.types].sort(), ['AccountChanged', 'PhoneChanged', 'ProfileChanged'])
  assert.deepEqual(facts(reader.read('AccountChanged', 1, { name: 'Ada', phone: '1' })), [{ type: 'PhoneChanged', data: { phone: '1' } }])
})

test('given a part that its event did not make, when its schema refuses it, or it is not in the list, then it is a fault', () => {
  const bad = contract({ type: 'Bad', into: [phone], split: () => [{ type: 'PhoneChanged', data: { phone: 1 } }] })
  const stray = contract({ type: 'Stray', into: [phone], split: () => [{ type: 'NameChanged', data: {} }] })
  assert.equal(code(reading([phone], [bad, phone]).read('Bad', 1, {})), 'VALIDATION_FAILED')
  assert.equal(code(reading([phone], [stray, phone]).read('Stray', 1, {})), 'UPCAST_FAILED')
})

test('given events that become one another, when a reader is made, then it is refused', () => {
  const loop: { a?: Contract } = {}
  const b: Contract = { ...contract({ type: 'B' }), becomes: () => ({ into: loop.a ? [loop.a] : [], split: () => [] }) }
  loop.a = contract({ type: 'A', into: [b] })
  assert.throws(
    () => reading([loop.a ?? b], [loop.a ?? b, b]),
    (error) => isFault(error, 'OPTION_INVALID'),
  )
})

test('given an event that had another name, when upcast from it, then both names are read', () => {
  const created = contract({ type: 'OrderCreated', version: 4, schema: z.object({ cents: z.int() }) })
  const renamed = contract({ type: 'OrderPlaced', version: 1, from: created })
  const reader = reading([renamed])
  assert.deepEqual([...reader.types].sort(), ['OrderCreated', 'OrderPlaced'])
  assert.deepEqual(facts(reader.read('OrderCreated', 4, { cents: 1 })), [{ type: 'OrderPlaced', data: { cents: 1 } }])
  assert.equal(code(reader.read('OrderCreated', 5, {})), 'newer')
})

test('given facts that are frozen, when one is read, then nobody can change it', () => {
  freezeFacts(true)
  try {
    const line = { n: 1 }
    reading([placed1]).read('OrderPlaced', 1, { lines: [line] })
    assert.throws(() => Object.assign(line, { n: 2 }), TypeError)
  } finally {
    freezeFacts(false)
  }
})

test('given a chain of any length, when any version is read, then each step ran once, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 12 }), fc.nat(), (steps, pick) => {
      let version = 0
      let newest: Contract | undefined
      const versions: number[] = []
      for (const step of steps) {
        version += step
        versions.push(version)
        const here = version
        newest = contract({ type: 'X', version, ...(newest && { from: newest }), up: (old) => [...(old as number[]), here] })
      }
      assert.ok(newest)
      const start = pick % versions.length
      const reader = reading([newest])
      assert.deepEqual(facts(reader.read('X', versions[start] ?? 0, []))[0]?.data, versions.slice(start + 1))
      for (let other = 0; other <= version + 1; other++) {
        if (!versions.includes(other)) assert.equal(code(reader.read('X', other, [])), other > version ? 'newer' : 'VERSION_UNKNOWN')
      }
    }),
  )
})

test('given splits of any shape, when each part is wanted, then together they are the whole, in order', () => {
  const parts = ['P0', 'P1', 'P2', 'P3'].map((type) => contract({ type }))
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 3 }), { maxLength: 10 }), fc.subarray(parts, { minLength: 1 }), (order, wanted) => {
      const made = order.map((which, n) => ({ type: `P${which}`, data: n }))
      const whole = contract({ type: 'Whole', into: parts, split: () => made })
      const names = wanted.map((part) => part.type)
      assert.deepEqual(
        facts(reading(wanted, [whole, ...parts]).read('Whole', 1, {})),
        made.filter((part) => names.includes(part.type)),
      )
    }),
  )
})

test('given parts of which some are not wanted and some have become others, when read, then each has its place among all', () => {
  const [leaf, dry] = [contract({ type: 'Leaf' }), contract({ type: 'Dry' })]
  const of = (...types: readonly string[]) => types.map((type) => ({ type, data: 1 }))
  const twig = contract({ type: 'Twig', into: [leaf, dry], split: () => of('Leaf', 'Dry', 'Leaf') })
  const tree = contract({ type: 'Tree', into: [twig, dry, leaf], split: () => of('Twig', 'Dry', 'Leaf') })
  const read = reading([leaf], [tree, twig, dry, leaf]).read('Tree', 1, 1)
  assert.deepEqual(read, { is: 'facts', facts: of('Leaf', 'Leaf', 'Leaf'), places: ['0.0', '0.2', '2'] })
})
