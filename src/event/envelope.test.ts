import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CloudEvent, HTTP } from 'cloudevents'
import fc from 'fast-check'
import { canonicalJson } from '../kit/canonical-json.ts'
import { isFault } from '../kit/fault.ts'
import type { Stored } from '../ports/store.ts'
import type { Envelope } from './envelope.ts'
import { fromBinary, fromHeader, toBinary, toHeader } from './envelope-http.ts'
import { fromBatch, fromStructured, toBatch, toStructured } from './envelope-json.ts'

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter((value) => !/[\p{Cc}\p{Cs}\p{NChar}]/u.test(value))
const plain = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_.~'), minLength: 1, maxLength: 20 })
const time = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }).map((date) => date.toISOString())
const data = fc.jsonValue({ noUnicodeString: false })
const name = fc.string({ unit: fc.constantFrom(...'abcdefghij0123'), minLength: 1, maxLength: 12 }).map((letters) => `x${letters}`)

/** `values`: what extensions may hold; where there are no types, texts only. */
function stored(letters: fc.Arbitrary<string>, values: fc.Arbitrary<string | number | boolean>): fc.Arbitrary<Stored> {
  return fc
    .record(
      {
        id: letters,
        source: plain,
        type: letters,
        version: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        key: letters,
        time,
        subject: letters,
        cause: letters,
        correlation: letters,
        extra: fc.dictionary(name, values, { minKeys: 1, maxKeys: 4, noNullPrototype: true }).map(canonicalJson),
        value: data,
      },
      { requiredKeys: ['id', 'source', 'type', 'version', 'key', 'time', 'value'] },
    )
    .map(({ value, ...rest }) => ({ ...rest, tenant: '', slot: 0, data: JSON.stringify(value) }))
}

const typed = fc.oneof(text, fc.boolean(), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))

function withoutPlace({ tenant: _, slot: _slot, ...event }: Stored): Omit<Stored, 'tenant' | 'slot'> {
  return event
}

function told({ parsed, ...envelope }: Envelope): Omit<Envelope, 'parsed'> {
  assert.equal(JSON.stringify(parsed), envelope.data)
  return envelope
}

function bytes(body: string): Uint8Array {
  return new TextEncoder().encode(body)
}

test('given any event, when it goes through structured JSON, then it comes back as it was', () => {
  fc.assert(fc.property(stored(text, typed), (event) => assert.deepEqual(told(fromStructured(toStructured(event))), withoutPlace(event))))
})

test('given any events, when they go through a batch, then they come back as they were, in order', () => {
  fc.assert(
    fc.property(fc.array(stored(text, typed), { maxLength: 4 }), (events) => {
      assert.deepEqual(fromBatch(toBatch(events)).map(told), events.map(withoutPlace))
    }),
  )
})

test('given any event, when it goes through headers and a body, then it comes back as it was', () => {
  fc.assert(
    fc.property(stored(text, text), (event) => {
      const message = toBinary(event)
      // What a server sees: Headers refuse what no header can carry.
      const headers = new Headers(message.headers)
      assert.deepEqual(told(fromBinary(headers, bytes(message.body))), withoutPlace(event))
    }),
  )
})

test('given any event of ours, when the CloudEvents SDK reads it, then it sees the same, in each mode', () => {
  fc.assert(
    fc.property(stored(plain, plain), (event) => {
      const binary = toBinary(event)
      const structured = { headers: { 'content-type': 'application/cloudevents+json' }, body: toStructured(event) }
      const batch = { headers: { 'content-type': 'application/cloudevents-batch+json' }, body: toBatch([event]) }
      for (const message of [{ headers: { ...binary.headers }, body: binary.body }, structured, batch]) {
        const [read] = [HTTP.toEvent<unknown>(message)].flat()
        assert.ok(read instanceof CloudEvent)
        read.validate()
        assert.equal(read.id, event.id)
        assert.equal(read.source, event.source)
        assert.equal(read.type, event.type)
        assert.equal(read.time, event.time)
        assert.equal(read.subject, event.subject)
        assert.equal(read['partitionkey'], event.key)
        assert.equal(String(read['eventversion']), String(event.version))
        assert.equal(read['causationid'], event.cause)
        if (message !== batch && event.data.startsWith('{')) assert.deepEqual(read.data, JSON.parse(event.data))
        for (const [extension, value] of Object.entries(JSON.parse(event.extra ?? '{}'))) assert.equal(read[extension], value)
      }
    }),
    { numRuns: 100 },
  )
})

test('given any event of the CloudEvents SDK, when we read it, then we see the same, in each mode', () => {
  const made = fc.record({
    id: plain,
    source: plain,
    type: plain,
    time,
    subject: plain,
    partitionkey: plain,
    xtrace: plain,
    data: fc.dictionary(plain, plain, { noNullPrototype: true }),
  })
  fc.assert(
    fc.property(made, (attributes) => {
      const event = new CloudEvent(attributes)
      const { data: body, partitionkey: key, xtrace, ...rest } = attributes
      const expected = { ...rest, key, extra: JSON.stringify({ xtrace }), data: JSON.stringify(body) }
      const structured = HTTP.structured(event)
      assert.deepEqual(told(fromStructured(String(structured.body))), expected)
      const binary = HTTP.binary(event)
      const headers = new Headers(Object.entries(binary.headers).map(([header, value]): [string, string] => [header, String(value)]))
      assert.deepEqual(told(fromBinary(headers, bytes(String(binary.body)))), { ...expected, ...withCharset(headers, xtrace) })
    }),
    { numRuns: 100 },
  )
})

/** The SDK names a charset, which is kept. */
function withCharset(headers: Headers, xtrace: string): Partial<Envelope> {
  const datacontenttype = headers.get('content-type')
  return datacontenttype === 'application/json' ? {} : { extra: canonicalJson({ datacontenttype, xtrace }) }
}

test('given values that headers cannot carry, when encoded, then they are percent-encoded as the specification writes it', () => {
  assert.equal(toHeader('Euro € 😀'), 'Euro%20%E2%82%AC%20%F0%9F%98%80')
  assert.equal(toHeader('"100%"'), '%22100%25%22')
  assert.equal(fromHeader('Euro%20%e2%82%ac %f0%9f%98%80'), 'Euro € 😀')
  assert.equal(fromHeader('%41%2E'), 'A.')
  assert.equal(fromHeader('"a \\"b\\" %25"'), 'a "b" %')
  assert.equal(fromHeader('%2541'), '%41')
  for (const broken of ['%C0%A0', '%ED%A0%80', '%', '%4', '%zz', 'ä']) assert.equal(fromHeader(broken), undefined, broken)
})

const good = { specversion: '1.0', id: 'a', source: '/s', type: 't' }

function faultOf(run: () => unknown): { code: string; errors: unknown } {
  try {
    run()
  } catch (thrown) {
    if (isFault(thrown)) return { code: thrown.code, errors: thrown.data['errors'] }
    throw thrown
  }
  return assert.fail('nothing was thrown')
}

test('given an event with one thing wrong, when it is read, then the fault points at it', () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ specversion: '0.3' }, '/specversion'],
    [{ specversion: null }, '/specversion'],
    [{ id: '' }, '/id'],
    [{ id: 7 }, '/id'],
    [{ id: 'a\u0000' }, '/id'],
    [{ id: '\ud800' }, '/id'],
    [{ id: '\ufffe' }, '/id'],
    [{ source: 'a b' }, '/source'],
    [{ source: undefined }, '/source'],
    [{ type: true }, '/type'],
    [{ subject: '' }, '/subject'],
    [{ partitionkey: '' }, '/partitionkey'],
    [{ time: 'yesterday' }, '/time'],
    [{ time: '2023-02-29T00:00:00Z' }, '/time'],
    [{ time: '2024-02-29T24:00:00Z' }, '/time'],
    [{ dataschema: 'relative' }, '/dataschema'],
    [{ datacontenttype: 'json' }, '/datacontenttype'],
    [{ datacontenttype: 'image/png', data: 'x' }, '/datacontenttype'],
    [{ datacontenttype: 'text/plain', data: {} }, '/data'],
    [{ eventversion: 0 }, '/eventversion'],
    [{ eventversion: '1.5' }, '/eventversion'],
    [{ Upper: 'x' }, '/Upper'],
    [{ 'a/b~c': 'x' }, '/a~1b~0c'],
    [{ ext: {} }, '/ext'],
    [{ ext: 1.5 }, '/ext'],
    [{ ext: 2 ** 31 }, '/ext'],
    [{ ext: 'x'.repeat(3_000) }, '/ext'],
    [{ data_base64: 'AAEC' }, '/data_base64'],
    [{ data_base64: 'AAEC', datacontenttype: 'application/json' }, '/data_base64'],
    [{ data_base64: 'x', datacontenttype: 'application/json' }, '/data_base64'],
    [{ data: 1, data_base64: 'MQ==', datacontenttype: 'application/json' }, '/data_base64'],
  ]
  for (const [change, pointer] of wrong) {
    const { code, errors } = faultOf(() => fromStructured(JSON.stringify({ ...good, ...change })))
    assert.equal(code, 'ENVELOPE_INVALID')
    assert.ok(
      Array.isArray(errors) && errors.length === 1 && errors[0].pointer === pointer,
      `${JSON.stringify(change).slice(0, 80)}: ${JSON.stringify(errors)}`,
    )
  }
})

test('given a batch with several things wrong, when it is read, then every one is named', () => {
  const { errors } = faultOf(() => fromBatch(JSON.stringify([good, { ...good, id: '', time: 'x' }, 7, {}])))
  assert.ok(Array.isArray(errors))
  assert.deepEqual(
    errors.map(({ pointer }) => pointer),
    ['/1/id', '/1/time', '/2', '/3/specversion', '/3/id', '/3/source', '/3/type'],
  )
  assert.deepEqual(fromBatch('[]'), [])
  assert.deepEqual(
    faultOf(() => fromBatch('{}')),
    { code: 'ENVELOPE_INVALID', errors: [{ pointer: '', message: 'is no array, which a batch is' }] },
  )
})

test('given what may look wrong and is not, when it is read, then it is taken', () => {
  const read = (change: object): Envelope => fromStructured(JSON.stringify({ ...good, ...change }))
  assert.equal(read({}).data, 'null')
  assert.equal(read({ data: null, subject: null, data_base64: null }).data, 'null')
  assert.equal(read({ data: 'x' }).data, '"x"')
  assert.equal(read({ time: '2024-02-29t23:59:59.123456789+02:00' }).time, '2024-02-29t23:59:59.123456789+02:00')
  assert.equal(read({ constructor: 'x', empty: '' }).extra, '{"constructor":"x","empty":""}')
  assert.equal(read({ datacontenttype: 'Application/JSON', data: 1 }).extra, undefined)
  assert.equal(read({ datacontenttype: 'application/json', data_base64: 'eyJhIjoi5LiWIn0=' }).data, '{"a":"世"}')
  assert.deepEqual(read({ datacontenttype: 'text/plain', data: 'x' }), {
    id: 'a',
    source: '/s',
    type: 't',
    data: '"x"',
    parsed: 'x',
    extra: '{"datacontenttype":"text/plain"}',
  })
  assert.equal(read({ eventversion: 2 }).version, 2)
  assert.equal(read({ sequence: '0001' }).extra, '{"sequence":"0001"}')
})

test('given data of a text type, when it goes through headers and a body, then the body is the text itself', () => {
  const event: Stored = {
    tenant: '',
    id: 'a',
    source: '/s',
    type: 't',
    version: 1,
    key: 'a',
    slot: 0,
    time: '2024-01-01T00:00:00Z',
    extra: '{"datacontenttype":"text/xml"}',
    data: '"<a>ä</a>"',
  }
  const message = toBinary(event)
  assert.equal(message.body, '<a>ä</a>')
  assert.deepEqual(told(fromBinary(Object.entries(message.headers), bytes(message.body))), withoutPlace(event))
})

test('given a binary message with something wrong, when it is read, then the fault says what', () => {
  const headers = { 'ce-specversion': '1.0', 'ce-id': 'a', 'ce-source': '/s', 'ce-type': 't', 'content-type': 'application/json' }
  const read = (change: object, body = '1') => faultOf(() => fromBinary(Object.entries({ ...headers, ...change }), bytes(body)))
  assert.deepEqual(read({ 'ce-id': '%C0%A0' }).errors, [{ pointer: '/id', message: 'is no percent-encoded UTF-8' }])
  assert.deepEqual(read({ 'ce-datacontenttype': 'a/b' }).code, 'ENVELOPE_INVALID')
  assert.equal(read({ 'content-type': 'image/png' }).code, 'CONTENT_TYPE_UNKNOWN')
  assert.equal(read({}, '{').code, 'JSON_BROKEN')
  assert.equal(faultOf(() => fromBinary(Object.entries(headers), new Uint8Array([0x22, 0xff, 0x22]))).code, 'JSON_BROKEN')
})

test('given an event of a stream, when it goes out, then its version is the sequence, padded to order as a text', () => {
  const event: Stored = {
    tenant: '',
    id: 'a',
    source: '/s',
    type: 't',
    version: 1,
    key: 'a',
    slot: 0,
    time: '2024-01-01T00:00:00Z',
    stream: 7,
    streamVersion: 12,
    data: '1',
  }
  assert.equal(JSON.parse(toStructured(event)).sequence, '0000000000000000012')
})
