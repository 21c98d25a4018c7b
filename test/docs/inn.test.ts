/** The app of the README runs, and does what the README says that it does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testApp } from 'millrace/testing'
import { inn } from '../../docs/snippets/inn.ts'
import { codeBlocks } from './code-blocks.ts'
import { readPage } from './pages.ts'

test('given the app of the README, when somebody comes twice, once with a repeated call, then two visits are counted', async () => {
  await using app = await testApp(inn)
  const come = (key: string): Promise<Response> =>
    app.fetch('/visits', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: '{"name":"ada"}',
    })
  assert.equal((await come('1')).status, 202)
  assert.equal((await come('1')).status, 200)
  assert.equal((await come('2')).status, 202)
  assert.deepEqual(await (await app.fetch('/guests/ada')).json(), { name: 'ada', visits: 2 })
  assert.equal((await app.fetch('/guests/bob')).status, 404)
  app.expectHealthy()
})

test('given the README, when the lines of its app are counted, then there are twelve', () => {
  const block = codeBlocks(readPage('README.md')).find(({ from }) => from === 'docs/snippets/inn.ts#inn')
  assert.equal(block?.text.split('\n').filter((line) => line !== '').length, 12)
})
