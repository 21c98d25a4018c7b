import assert from 'node:assert/strict'
import { createHmac, createPrivateKey, sign as signWith } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { isFault } from '../kit/fault.ts'
import { sign, toleranceMs, verifier, type Delivery, type Scheme, type Signed } from './signature.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const sentMs = 1_614_265_330_000
const body = new TextEncoder().encode('{"test": 2432232314}')
const vector = {
  'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  'webhook-timestamp': '1614265330',
  'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
}

function verify(scheme: Scheme, secrets: string, from: Delivery, nowMs: number): Signed {
  return verifier(scheme, secrets)(from, nowMs)
}

function delivery(headers: Readonly<Record<string, string>>, bytes: Uint8Array = body): Delivery {
  return { headers: new Headers(headers), body: bytes }
}

function signed(key: string, id: string, timestamp: string, bytes: Uint8Array): string {
  return `v1,${createHmac('sha256', Buffer.from(key.replace('whsec_', ''), 'base64'))
    .update(`${id}.${timestamp}.`)
    .update(bytes)
    .digest('base64')}`
}

test('given the vector of Standard Webhooks, when verified within five minutes, then it is ok, and stale one millisecond later', () => {
  const at = (nowMs: number) => verify('standard-webhooks', secret, delivery(vector), nowMs)
  assert.deepEqual(at(sentMs), { is: 'ok' })
  assert.deepEqual(at(sentMs + toleranceMs), { is: 'ok' })
  assert.deepEqual(at(sentMs - toleranceMs), { is: 'ok' })
  assert.deepEqual(at(sentMs + toleranceMs + 1), { is: 'stale', ageMs: toleranceMs + 1 })
  assert.deepEqual(at(sentMs - toleranceMs - 1), { is: 'stale', ageMs: -toleranceMs - 1 })
})

test('given a signed delivery, when one bit of the body, the id or the time differs, then the signature is wrong', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(bytes, fc.nat(), fc.nat(7), (content, place, bit) => {
      const headers = {
        'webhook-id': 'a',
        'webhook-timestamp': '1614265330',
        'webhook-signature': signed(secret, 'a', '1614265330', content),
      }
      assert.deepEqual(verify('standard-webhooks', secret, delivery(headers, content), sentMs), { is: 'ok' })
      const other = Uint8Array.from(content)
      other[place % other.length] = (other[place % other.length] ?? 0) ^ (1 << bit)
      for (const [changed, of] of [
        [headers, other],
        [{ ...headers, 'webhook-id': 'b' }, content],
        [{ ...headers, 'webhook-timestamp': '1614265331' }, content],
      ] as const) {
        assert.deepEqual(verify('standard-webhooks', secret, delivery(changed, of), sentMs), { is: 'wrong' })
      }
    }),
  )
})

test('given several signatures and several secrets, when any fits any, then it is ok', () => {
  const [older, newer] = [`whsec_${Buffer.alloc(24, 1).toString('base64')}`, Buffer.alloc(24, 2).toString('base64')]
  const by = (key: string) => signed(key, 'a', '1614265330', body)
  const at = (secrets: string, signatures: string) =>
    verify(
      'standard-webhooks',
      secrets,
      delivery({ 'webhook-id': 'a', 'webhook-timestamp': '1614265330', 'webhook-signature': signatures }),
      sentMs,
    ).is
  assert.equal(at(`${newer} ${older}`, by(older)), 'ok')
  assert.equal(at(`${newer}\n${older}`, by(newer)), 'ok')
  assert.equal(at(older, `v1a,xyz ${by(secret)} ${by(older)}`), 'ok')
  assert.equal(at(`${newer} ${older}`, by(secret)), 'wrong')
})

/** The first key pair of RFC 8032. */
const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
const known = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex')
const publicKey = `whpk_${known.toString('base64')}`

function signedBySeed(id: string, timestamp: string, bytes: Uint8Array): string {
  const key = createPrivateKey({
    key: { kty: 'OKP', crv: 'Ed25519', d: seed.toString('base64url'), x: known.toString('base64url') },
    format: 'jwk',
  })
  return `v1a,${signWith(null, Buffer.concat([Buffer.from(`${id}.${timestamp}.`), bytes]), key).toString('base64')}`
}

test('given a delivery signed with a private key, when it is verified with the public one, then it is ok, and wrong once changed', () => {
  const right = signedBySeed('a', '1614265330', body)
  const at = (signatures: string, secrets = publicKey, id = 'a', bytes = body, nowMs = sentMs) =>
    verify(
      'standard-webhooks',
      secrets,
      delivery({ 'webhook-id': id, 'webhook-timestamp': '1614265330', 'webhook-signature': signatures }, bytes),
      nowMs,
    )
  assert.deepEqual(at(right), { is: 'ok' })
  assert.deepEqual(at(right, publicKey, 'a', body, sentMs + toleranceMs + 1), { is: 'stale', ageMs: toleranceMs + 1 })
  assert.deepEqual(at(`${signed(secret, 'a', '1614265330', body)} ${right}`), { is: 'ok' })
  assert.deepEqual(at(signed(secret, 'a', '1614265330', body), `${publicKey} ${secret}`), { is: 'ok' }, 'while schemes are being changed')
  assert.deepEqual(at(right, publicKey, 'b'), { is: 'wrong' })
  assert.deepEqual(at(right, publicKey, 'a', body.slice(1)), { is: 'wrong' })
  assert.deepEqual(at(right, secret), { is: 'wrong' })
  assert.deepEqual(at(right.replace('v1a', 'v1')), { is: 'malformed', header: 'webhook-signature' })
})

test('given a public key, which everybody knows, when somebody signs with it as with a secret, then that is wrong', () => {
  const forged = `v1,${createHmac('sha256', known).update('a.1614265330.').update(body).digest('base64')}`
  const headers = { 'webhook-id': 'a', 'webhook-timestamp': '1614265330', 'webhook-signature': forged }
  assert.deepEqual(verify('standard-webhooks', publicKey, delivery(headers), sentMs), { is: 'wrong' })
  assert.throws(
    () => sign('standard-webhooks', publicKey, { id: 'a', body, nowMs: sentMs }),
    (error) => isFault(error, 'SECRET_INVALID'),
  )
})

test('given a header of many signatures by private keys, when it is verified, then only the first few are looked at', () => {
  const other = `v1a,${Buffer.alloc(64, 1).toString('base64')}`
  const right = signedBySeed('a', '1614265330', body)
  const at = (before: number) => {
    const signatures = [...Array.from({ length: before }, () => other), right].join(' ')
    const headers = { 'webhook-id': 'a', 'webhook-timestamp': '1614265330', 'webhook-signature': signatures }
    return verify('standard-webhooks', publicKey, delivery(headers), sentMs).is
  }
  assert.deepEqual([at(7), at(8)], ['ok', 'wrong'])
})

test('given headers that miss or cannot be read, when verified, then it says which', () => {
  const at = (change: Readonly<Record<string, string | undefined>>) => {
    const headers = Object.entries({ ...vector, ...change }).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, value]],
    )
    return verify('standard-webhooks', secret, delivery(Object.fromEntries(headers)), sentMs)
  }
  for (const header of ['webhook-id', 'webhook-timestamp', 'webhook-signature'])
    assert.deepEqual(at({ [header]: undefined }), { is: 'missing', header })
  for (const timestamp of ['', 'soon', '1614265330.0', '-1', '0x10'])
    assert.deepEqual(at({ 'webhook-timestamp': timestamp }), { is: 'malformed', header: 'webhook-timestamp' })
  for (const signature of [
    '',
    'v1',
    'v1,',
    'v1,short',
    'v1a,xyz',
    vector['webhook-signature'].replace('v1', 'v1a'),
    vector['webhook-signature'].slice(3),
    `${vector['webhook-signature']}x`,
  ]) {
    assert.deepEqual(at({ 'webhook-signature': signature }), { is: 'malformed', header: 'webhook-signature' })
  }
})

test('given a delivery of GitHub, when it is verified, then right is ok and all else is told apart', () => {
  // The example of GitHub's own documentation.
  const hello = new TextEncoder().encode('Hello, World!')
  const right = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
  const at = (signature: string | undefined, secrets = "It's a Secret to Everybody", bytes = hello) =>
    verify('github', secrets, delivery(signature === undefined ? {} : { 'x-hub-signature-256': signature }, bytes), 0)
  assert.deepEqual(at(right), { is: 'ok' })
  assert.deepEqual(at(right, "the new one\nIt's a Secret to Everybody\n"), { is: 'ok' })
  assert.deepEqual(at(right, 'Secret'), { is: 'wrong' })
  assert.deepEqual(at(right, undefined, body), { is: 'wrong' })
  assert.deepEqual(at(undefined), { is: 'missing', header: 'x-hub-signature-256' })
  for (const signature of ['', 'sha256=', right.slice(7), `${right}0`, right.replace('sha256', 'sha1')]) {
    assert.deepEqual(at(signature), { is: 'malformed', header: 'x-hub-signature-256' })
  }
})

test('given a secret that is none, when anything is verified with it, then it is a fault and never ok', () => {
  for (const [scheme, none] of [
    ['standard-webhooks', ''],
    ['standard-webhooks', 'whsec_'],
    ['standard-webhooks', 'whsec_ä!'],
    ['standard-webhooks', 'whpk_'],
    ['standard-webhooks', `whpk_${Buffer.alloc(31).toString('base64')}`],
    ['standard-webhooks', `${publicKey}=`],
    ['github', ''],
    ['github', ' \n'],
  ] as const) {
    const headers = { ...vector, 'x-hub-signature-256': `sha256=${createHmac('sha256', '').update(body).digest('hex')}` }
    assert.throws(
      () => verify(scheme, none, delivery(headers), sentMs),
      (error) => isFault(error, 'SECRET_INVALID'),
    )
  }
})

test('given anything signed by us, when it is verified, then it is ok', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uuid(), (content, id) => {
      const bytes = new TextEncoder().encode(content)
      for (const [scheme, key] of [
        ['standard-webhooks', secret],
        ['github', 'it is no secret'],
      ] as const) {
        const headers = sign(scheme, key, { id, body: bytes, nowMs: sentMs + 999 })
        assert.deepEqual(verify(scheme, key, delivery(headers, bytes), sentMs), { is: 'ok' })
        assert.deepEqual(verify(scheme, `${key.slice(0, -1)}A`, delivery(headers, bytes), sentMs), { is: 'wrong' })
      }
    }),
    { numRuns: 20 },
  )
  assert.deepEqual(sign('standard-webhooks', secret, { id: vector['webhook-id'], body, nowMs: sentMs }), vector)
})
