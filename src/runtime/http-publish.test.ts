import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Headers_, isProblem, opened, order, pointers, request, see } from './http-shop.test.ts'

describe('POST /events', () => {
  test('given an event as JSON, when posted, then it is published as it is and answered with its id', async () => {
    const { log, fetch } = await opened()
    const seen = await see(
      fetch,
      request('POST /events', { type: 'Placed', data: order, id: 'e1', key: 'k', version: 2, subject: 's', time: '2024-01-01T00:00:00Z' }),
    )
    assert.deepEqual([seen.status, seen.body], [202, { ids: ['e1'], repeated: false }])
    assert.deepEqual(
      [...log.stored.values()],
      [{ source: 'shop', type: 'Placed', data: order, id: 'e1', key: 'k', version: 2, subject: 's', time: '2024-01-01T00:00:00Z' }],
    )
  })

  test('given several, when posted under an Idempotency-Key, then a repeat answers 200 and other content 409', async () => {
    const { log, fetch } = await opened()
    const two = [
      { type: 'Placed', data: order },
      { type: 'Cancelled', data: { orderId: 'a' } },
    ]
    for (const [key, status] of [
      ['"call-7"', 202],
      ['call-7', 200],
    ] as const) {
      const seen = await see(fetch, request('POST /events', two, { 'idempotency-key': key }))
      assert.deepEqual([seen.status, seen.body], [status, { ids: ['call-7-0', 'call-7-1'], repeated: status === 200 }])
    }
    isProblem(await see(fetch, request('POST /events', [two[1]], { 'idempotency-key': 'call-7' })), 409, 'ID_TAKEN')
    assert.equal(log.stored.size, 2)
    for (const key of ['', 'x'.repeat(256)])
      isProblem(await see(fetch, request('POST /events', two, { 'idempotency-key': key })), 400, 'ENVELOPE_INVALID')
    assert.deepEqual((await see(fetch, request('POST /events', []))).body, { ids: [], repeated: false })
  })

  test('given an event with an id of its own, when an Idempotency-Key says another, then it is refused and nothing is stored', async () => {
    const { log, fetch } = await opened()
    const own = { type: 'Placed', data: order, id: 'e1' }
    isProblem(await see(fetch, request('POST /events', own, { 'idempotency-key': 'e2' })), 400, 'ENVELOPE_INVALID')
    assert.equal(log.stored.size, 0)
    assert.equal((await see(fetch, request('POST /events', own, { 'idempotency-key': 'e1' }))).status, 202)
  })

  test('given a CloudEvent in each of the three ways, when posted, then its attributes arrive', async () => {
    const { log, fetch } = await opened()
    const attributes = {
      specversion: '1.0',
      id: 'c1',
      source: '/billing',
      type: 'Placed',
      partitionkey: 'k',
      eventversion: 2,
      causationid: 'b',
      xtrace: 'x',
    }
    const expected = {
      source: '/billing',
      type: 'Placed',
      id: 'c1',
      key: 'k',
      version: 2,
      cause: 'b',
      extra: '{"xtrace":"x"}',
      data: order,
    }
    const structured = request(
      'POST /events',
      { ...attributes, data: order },
      { 'content-type': 'application/cloudevents+json; charset=utf-8' },
    )
    const batch = request('POST /events', [{ ...attributes, data: order }], { 'content-type': 'application/cloudevents-batch+json' })
    const binary = request(
      'POST /events',
      order,
      Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, String(value)])),
    )
    for (const one of [structured, batch, binary]) {
      log.stored.clear()
      const seen = await see(fetch, one)
      assert.deepEqual([seen.status, seen.body], [202, { ids: ['c1'], repeated: false }])
      assert.deepEqual([...log.stored.values()], [expected])
    }
  })

  test('given wrong data, when posted in any way, then every fault is pointed at where it was sent, and nothing is stored', async () => {
    const { log, fetch } = await opened()
    const wrong = { orderId: 1, cents: 'x' }
    const ce = { specversion: '1.0', id: 'c1', source: '/s', type: 'Placed' }
    const ways: readonly (readonly [Request, string])[] = [
      [request('POST /events', { type: 'Placed', data: wrong }), '/data'],
      [
        request('POST /events', [
          { type: 'Placed', data: order },
          { type: 'Placed', data: wrong },
        ]),
        '/1/data',
      ],
      [request('POST /events', { ...ce, data: wrong }, { 'content-type': 'application/cloudevents+json' }), '/data'],
      [request('POST /events', [{ ...ce, data: wrong }], { 'content-type': 'application/cloudevents-batch+json' }), '/0/data'],
      [request('POST /events', wrong, { 'ce-specversion': '1.0', 'ce-id': 'c', 'ce-source': '/s', 'ce-type': 'Placed' }), ''],
      [request('POST /orders', wrong), ''],
    ]
    for (const [one, before] of ways) {
      const seen = await see(fetch, one)
      isProblem(seen, 422, 'VALIDATION_FAILED')
      assert.deepEqual(pointers(seen), [`${before}/orderId`, `${before}/cents`])
    }
    assert.equal(log.stored.size, 0)
  })

  test('given an envelope that is wrong, when posted, then each place is named', async () => {
    const { log, fetch } = await opened()
    const at = async (body: unknown, headers: Headers_ = {}) => {
      const seen = await see(fetch, request('POST /events', body, headers))
      isProblem(seen, 400, 'ENVELOPE_INVALID')
      return pointers(seen)
    }
    assert.deepEqual(await at({}), ['/type', '/data'])
    assert.deepEqual(await at([{ type: 'Placed', data: order }, 7, { type: '', data: 1, foo: 1, 'a/b': 2, id: '' }]), [
      '/1',
      '/2/type',
      '/2/foo',
      '/2/a~1b',
      '/2/id',
    ])
    assert.deepEqual(await at({ type: 'Placed', data: order, version: 0, time: 'now', key: 7 }), ['/version', '/time', '/key'])
    assert.deepEqual(await at({ specversion: '1.0', source: '/s' }, { 'content-type': 'application/cloudevents+json' }), ['/id', '/type'])
    assert.equal(log.stored.size, 0)
  })

  test('given an event that the app does not know, when posted, then it has a code of its own', async () => {
    const { fetch } = await opened()
    isProblem(await see(fetch, request('POST /events', { type: 'Vanished', data: {} })), 422, 'EVENT_UNKNOWN')
    const second = await see(
      fetch,
      request('POST /events', [
        { type: 'Placed', data: order },
        { type: 'Vanished', data: {} },
      ]),
    )
    isProblem(second, 422, 'EVENT_UNKNOWN')
    assert.equal(second.body['at'], 1)
  })

  test('given broken JSON, when posted, then the place is named', async () => {
    const { fetch } = await opened()
    for (const [text, place] of [
      ['{"type": }', 'line 1, column 10'],
      ['{\n"a"', 'line 2, column 4'],
      ['', 'line 1, column 1'],
    ] as const) {
      const seen = await see(fetch, request('POST /events', text))
      isProblem(seen, 400, 'JSON_BROKEN')
      assert.equal(seen.body['detail'], place)
    }
    const bytes = new Request('http://localhost/events', {
      method: 'POST',
      body: new Uint8Array([0x22, 0xff, 0x22]),
      headers: { 'content-type': 'application/json' },
    })
    isProblem(await see(fetch, bytes), 400, 'JSON_BROKEN')
    isProblem(
      await see(fetch, request('POST /events', `{"type":"Placed","data":${'['.repeat(5_000)}${']'.repeat(5_000)}}`)),
      400,
      'JSON_BROKEN',
    )
  })

  test('given a type of content that is not taken, when posted, then 415', async () => {
    const { fetch } = await opened()
    const types = [
      '',
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/cloudevents+xml',
      'application/cloudevents',
      'multipart/form-data; boundary=x',
    ]
    for (const type of types)
      isProblem(await see(fetch, request('POST /events', '{}', { 'content-type': type })), 415, 'CONTENT_TYPE_UNKNOWN')
    isProblem(await see(fetch, request('POST /events', '{}', { 'content-encoding': 'gzip' })), 415, 'CONTENT_TYPE_UNKNOWN')
    const png = { 'content-type': 'image/png', 'ce-specversion': '1.0', 'ce-id': 'c', 'ce-source': '/s', 'ce-type': 'Placed' }
    isProblem(await see(fetch, request('POST /events', 'x', png)), 415, 'CONTENT_TYPE_UNKNOWN')
  })

  test('given a body over the limit, when posted, then 413, and of a stream no more is read', async () => {
    const { fetch } = await opened({ bodyBytes: 1_000 })
    const large = { type: 'Placed', data: { orderId: 'x'.repeat(1_000), cents: 1 } }
    const length = String(JSON.stringify(large).length)
    for (const headers of [{}, { 'content-length': length }, { 'content-length': '10' }]) {
      isProblem(await see(fetch, request('POST /events', large, headers)), 413, 'BODY_TOO_LARGE')
    }
    for (const [headers, most] of [
      [{}, 5],
      [{ 'content-length': '1001' }, 1],
    ] as const) {
      let pulled = 0
      const pull = (controller: ReadableStreamDefaultController): void => {
        pulled += 1
        controller.enqueue(new Uint8Array(400))
      }
      const init = {
        method: 'POST',
        body: new ReadableStream({ pull }),
        headers: { 'content-type': 'application/json', ...headers },
        duplex: 'half',
      } as RequestInit
      isProblem(await see(fetch, new Request('http://localhost/events', init)), 413, 'BODY_TOO_LARGE')
      assert.ok(pulled <= most, `${pulled} chunks were read`)
    }
    isProblem(await see(fetch, request('PUT /echo/a', 'x'.repeat(1_001))), 413, 'BODY_TOO_LARGE')
    isProblem(await see(fetch, request('POST /hooks/placed', 'x'.repeat(1_001))), 413, 'BODY_TOO_LARGE')
  })
})
