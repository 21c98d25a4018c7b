/** What the guide on webhooks says of each answer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testApp } from 'millrace/testing'
import { billing, InvoicePaid } from '../../docs/snippets/billing-hook.ts'
import { sign } from '../../src/event/signature.ts'

const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`
const body = JSON.stringify({ data: { id: 'in-1', amount: 900 } })

test('given deliveries that are new, repeated, changed, stale, unsigned or wrong, when they come, then each has its answer', async () => {
  await using app = await testApp(billing, { env: { BILLING_SECRET: secret } })
  const deliver = async (sent: string, headers: Readonly<Record<string, string>>): Promise<string> => {
    const answer = await app.fetch('/hooks/billing', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: sent,
    })
    const { code } = (await answer.json()) as { readonly code?: string }
    return code === undefined ? String(answer.status) : `${answer.status} ${code}`
  }
  const signed = (sent: string, id = 'd-1', nowMs = app.now()): Promise<string> =>
    deliver(sent, sign('standard-webhooks', secret, { id, body: sent, nowMs }))

  assert.equal(await signed(body), '202')
  assert.equal(await signed(body), '200')
  assert.equal(await signed(body.replace('900', '1')), '409 ID_TAKEN')
  assert.equal(await signed(body, 'd-2', app.now() - 3_600_000), '400 DELIVERY_STALE')
  assert.equal(await deliver(body, {}), '401 SIGNATURE_MISSING')
  assert.equal(await deliver(`${body} `, sign('standard-webhooks', secret, { id: 'd-3', body, nowMs: app.now() })), '401 SIGNATURE_WRONG')
  assert.equal(await signed('{"data":{"id":7}}', 'd-4'), '422 VALIDATION_FAILED')
  assert.equal(await signed('{"data":', 'd-5'), '400 JSON_BROKEN')
  assert.deepEqual(app.emitted(InvoicePaid), [{ invoiceId: 'in-1', cents: 900 }])
})
