import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replace, testApp, type TestApp } from 'millrace/testing'
import { expectedOf } from './expected.ts'
import { observedBy } from './observed.ts'
import { pulse } from './src/app.ts'
import { AlarmRaised, BuildAsked, GithubDelivered, WorkArrived } from './src/events.ts'
import { notices } from './src/notices.ts'
import { allDeliveries, requestOf, type Delivery } from './src/payloads.ts'

const all = allDeliveries()
const expected = expectedOf(all)
const secret = 'a secret of the test'

const open = async (): Promise<TestApp & { readonly told: Map<string, string> }> => {
  const told = new Map<string, string>()
  const fake = replace(notices, { send: (key, by) => void told.set(key, by) })
  return Object.assign(await testApp(pulse, { replace: [fake], env: { GITHUB_SECRET: secret } }), { told })
}
const deliver = async (app: TestApp, delivery: Delivery, by = secret): Promise<number> =>
  (await app.fetch('/hooks/github', requestOf(delivery, by))).status

test('given 329 real payloads, when they are delivered, then effects and rows are what the payloads alone say', async () => {
  assert.equal(all.length, 329)
  assert.equal(new Set(all.map(({ body }) => body)).size, 324, 'five are byte for byte another’s')
  await using app = await open()
  const statuses = await Promise.all(all.map((delivery) => deliver(app, delivery)))
  assert.ok(statuses.every((status) => status === 202))
  await app.advance('1s')
  app.expectHealthy()
  assert.equal(app.emitted(GithubDelivered).length, 329)
  assert.equal(app.emitted(WorkArrived).length + app.emitted(BuildAsked).length + app.emitted(AlarmRaised).length, expected.emitted.length)
  assert.deepEqual(
    [...app.told.values()].toSorted(),
    expected.notices.map((notice) => notice.split(' ')[0]),
  )
  const { deliveries, senders, work } = expected
  assert.deepEqual(await observedBy(async (path) => (await app.fetch(path as `/${string}`)).json()), { deliveries, senders, work })
})

test('given deliveries with something wrong, when they come in, then each has its own answer, and nothing is stored', async () => {
  await using app = await open()
  const [first, second] = all
  assert.ok(first !== undefined && second !== undefined)
  assert.equal(await deliver(app, first), 202)
  assert.equal(await deliver(app, first), 200, 'repeated')
  assert.equal(await deliver(app, { ...first, kind: 'other' }), 409, 'another content under its id')
  assert.equal(await deliver(app, second, 'not the secret'), 401)
  assert.equal(await deliver(app, { ...second, body: '{"action":' }), 400, 'broken')
  assert.equal(await deliver(app, { ...second, body: '{"repository":7}' }), 422, 'not what GitHub sends')
  assert.equal(
    (await app.fetch('/hooks/github', { method: 'POST', body: second.body, headers: { 'content-type': 'application/json' } })).status,
    401,
    'not signed',
  )
  await app.advance('1s')
  assert.equal(app.emitted(GithubDelivered).length, 1)
  assert.equal(app.told.size, expected.notices.filter((notice) => notice.endsWith(first.id)).length)
})

test('given notices that fail, when their function has given up, then dead letters say so, and a redrive sends each once', async () => {
  let works = false
  const sent: string[] = []
  const fake = replace(notices, { send: (key) => (works ? void sent.push(key) : assert.fail('no line')) })
  await using app = await testApp(pulse, { replace: [fake], env: { GITHUB_SECRET: secret } })
  const stars = all.filter(({ kind }) => kind === 'star')
  for (const star of stars) await deliver(app, star)
  await app.advance('10m')
  const letters = app.deadLetters()
  assert.deepEqual(
    letters.map(({ consumer, message, attempts }) => ({ consumer, message, attempts })),
    [{ consumer: 'thank-fans', message: 'no line', attempts: 6 }],
  )
  works = true
  await app.redrive()
  assert.deepEqual(
    [sent.length, app.deadLetters().length],
    [expected.notices.filter((notice) => stars.some(({ id }) => notice === `thank-fans ${id}`)).length, 0],
  )
})
