/**
 * A signed webhook in: the signature is checked on the raw body, then what arrived is published as an ordinary event, under the delivery's
 * id.
 */
import { validate } from '../contracts/schema.ts'
import type { Published } from '../define/context.ts'
import type { Webhook } from '../define/webhook.ts'
import { problemOf as attributeProblem, isJsonType } from '../event/envelope.ts'
import { utf8Text } from '../event/envelope-http.ts'
import { verifier, type Signed, type Verify } from '../event/signature.ts'
import { fault, isFault, type Fault } from '../kit/fault.ts'
import { parsedJson } from '../kit/json-text.ts'
import { readBody } from './http-body.ts'
import type { Door } from './http-door.ts'

/** Every delivery is counted: stored, repeated, or by the code that refused it. */
export function webhookDoor(webhook: Webhook, door: Door, bytesMax: number): (request: Request) => Promise<Published> {
  const count = (result: string): void => door.telemetry.count('millrace_webhook_deliveries_total', 1, { path: webhook.path, result })
  const verify = verifyWith(webhook, door)
  return async (request) => {
    try {
      const published = await take(webhook, request, door, verify, bytesMax)
      count(published.repeated ? 'repeated' : 'stored')
      return published
    } catch (thrown) {
      count(isFault(thrown) ? thrown.code : 'UNEXPECTED')
      throw thrown
    }
  }
}

/** The secret is asked for each time, for a test may replace it; its key is made when it is another. */
function verifyWith({ verify: { scheme, secret } }: Webhook, door: Door): Verify {
  let last: { readonly secret: string; readonly verify: Verify } | undefined
  return (delivery, nowMs) => {
    const now = door.use(secret)
    if (last?.secret !== now) last = { secret: now, verify: verifier(scheme, now) }
    return last.verify(delivery, nowMs)
  }
}

async function take(webhook: Webhook, request: Request, door: Door, verify: Verify, bytesMax: number): Promise<Published> {
  const { headers } = request
  const body = await readBody(request, bytesMax)
  const signed = verify({ headers, body }, door.nowMs())
  if (signed.is !== 'ok') throw signatureFault(signed)
  const contentType = headers.get('content-type') ?? ''
  if (!isJsonType(contentType))
    throw fault('CONTENT_TYPE_UNKNOWN', `'${contentType}' is not JSON: choose application/json where the sender is set up`, { contentType })
  const parsed = parsedJson(utf8Text(body))
  // Where nothing looks at the body before, publishing validates it.
  const looked = webhook.data !== undefined || webhook.id !== undefined || webhook.body !== webhook.publishes.schema
  const given = looked ? validate(webhook.body, parsed, `webhook ${webhook.path}`) : parsed
  const id = webhook.id === undefined ? headers.get(webhook.verify.idHeader) : webhook.id(given, headers)
  if (id === null) throw fault('DELIVERY_UNNAMED', `no ${webhook.verify.idHeader} header`)
  const wrong = attributeProblem('id', id)
  if (wrong !== undefined) throw fault('DELIVERY_UNNAMED', `its id ${wrong}`)
  const data = webhook.data === undefined ? given : webhook.data(given, headers)
  const { type, version } = webhook.publishes
  return await door.publish([{ type, version, id, source: webhook.path, data }], {})
}

function signatureFault(signed: Exclude<Signed, { is: 'ok' }>): Fault {
  if (signed.is === 'missing') return fault('SIGNATURE_MISSING', `no ${signed.header} header`)
  if (signed.is === 'malformed') return fault('SIGNATURE_MALFORMED', `the ${signed.header} header`)
  if (signed.is === 'wrong') return fault('SIGNATURE_WRONG')
  const seconds = Math.round(Math.abs(signed.ageMs) / 1_000)
  return fault('DELIVERY_STALE', `${seconds} seconds ${signed.ageMs > 0 ? 'ago' : 'ahead of our clock'}`, { ageMs: signed.ageMs })
}
