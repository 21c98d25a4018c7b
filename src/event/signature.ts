/**
 * Who sent this? Signatures of webhooks, checked on the raw bytes. Own code, for time comes in: Standard Webhooks, by a shared secret
 * (`v1`) or by a public key (`v1a`), and GitHub's `X-Hub-Signature-256`.
 */
import { createHmac, createPublicKey, createSecretKey, timingSafeEqual, verify as verifyEd25519, type KeyObject } from 'node:crypto'
import { fault } from '../kit/fault.ts'

export type Scheme = 'standard-webhooks' | 'github'

export interface Delivery {
  readonly headers: { get(name: string): string | null }
  readonly body: Uint8Array
}

export type Signed =
  | { readonly is: 'ok' }
  /** A header that the scheme asks for is not there. */
  | { readonly is: 'missing'; readonly header: string }
  /** Nothing in the header is a signature of the scheme. */
  | { readonly is: 'malformed'; readonly header: string }
  | { readonly is: 'wrong' }
  /** Rightly signed, at another time: it may be played back. Positive: so long ago. */
  | { readonly is: 'stale'; readonly ageMs: number }

/** How far a sender's clock may be from ours, and a delivery on its way. */
export const toleranceMs = 300_000

/** To check one by a public key takes a tenth of a millisecond: whoever sends does not say how long we compute. */
const signedMost = 8

export type Verify = (delivery: Delivery, nowMs: number) => Signed

/**
 * `secret` may hold several, from the newest to the oldest, while keys are being changed: one a line, those of Standard Webhooks by any
 * white space.
 * Every signature is held against every secret, whichever fits, so that the time taken tells nothing. Made once: to make a key takes
 * longer than to use it. A public key checks signatures by public keys alone: known to all, it must never be taken for a secret.
 */
export function verifier(scheme: Scheme, secret: string): Verify {
  const keys = keysOf(scheme, secret)
  return scheme === 'github' ? (delivery) => verifyGithub(keys, delivery) : (delivery, nowMs) => verifyStandard(keys, delivery, nowMs)
}

/** The headers that a sender puts on it: for tests, and for what sends to itself. GitHub's signature says no time. */
export function sign(scheme: Scheme, secret: string, { id, body, nowMs }: Sending): Readonly<Record<string, string>> {
  const [key] = keysOf(scheme, secret).secrets
  if (key === undefined) throw fault('SECRET_INVALID', 'a public key signs nothing')
  if (scheme === 'github') return { 'x-github-delivery': id, 'x-hub-signature-256': `sha256=${macOf(key, [body]).toString('hex')}` }
  const timestamp = String(Math.floor(nowMs / 1_000))
  const mac = macOf(key, [`${id}.${timestamp}.`, body]).toString('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac}` }
}

export interface Sending {
  readonly id: string
  readonly body: string | Uint8Array
  readonly nowMs: number
}

interface Keys {
  readonly secrets: readonly KeyObject[]
  /** Of Ed25519. */
  readonly publics: readonly KeyObject[]
}

function keysOf(scheme: Scheme, secret: string): Keys {
  const lines = (scheme === 'github' ? secret.split('\n').map((line) => line.trim()) : secret.split(/\s+/)).filter((line) => line !== '')
  if (lines.length === 0) throw fault('SECRET_INVALID', 'the secret of a webhook is empty')
  if (scheme === 'github') return { secrets: lines.map((line) => createSecretKey(Buffer.from(line))), publics: [] }
  const isPublic = (line: string): boolean => line.startsWith('whpk_')
  return {
    secrets: lines.filter((line) => !isPublic(line)).map((line) => createSecretKey(standardKey(line))),
    publics: lines.filter(isPublic).map(publicKey),
  }
}

function verifyStandard(keys: Keys, { headers, body }: Delivery, nowMs: number): Signed {
  const [id, timestamp, signatures] = [headers.get('webhook-id'), headers.get('webhook-timestamp'), headers.get('webhook-signature')]
  if (id === null || id === '') return { is: 'missing', header: 'webhook-id' }
  if (timestamp === null) return { is: 'missing', header: 'webhook-timestamp' }
  if (signatures === null) return { is: 'missing', header: 'webhook-signature' }
  if (!/^\d{1,12}$/.test(timestamp)) return { is: 'malformed', header: 'webhook-timestamp' }
  // A list: the sender signs with the old key and the new one; other versions of the scheme stand in it too.
  const listed = signatures.split(' ')
  const macs = listed.flatMap((one) => bytesOf(/^v1,([A-Za-z0-9+/]{43}=)$/.exec(one)?.[1], 'base64'))
  const signed = listed.flatMap((one) => bytesOf(/^v1a,([A-Za-z0-9+/]{86}==)$/.exec(one)?.[1], 'base64'))
  if (macs.length + signed.length === 0) return { is: 'malformed', header: 'webhook-signature' }
  const content = [`${id}.${timestamp}.`, body]
  if (!anyFits(keys.secrets, macs, content) && !anySigned(keys.publics, signed.slice(0, signedMost), content)) return { is: 'wrong' }
  const ageMs = nowMs - Number(timestamp) * 1_000
  return Math.abs(ageMs) > toleranceMs ? { is: 'stale', ageMs } : { is: 'ok' }
}

function verifyGithub({ secrets }: Keys, { headers, body }: Delivery): Signed {
  const signature = headers.get('x-hub-signature-256')
  if (signature === null) return { is: 'missing', header: 'x-hub-signature-256' }
  const given = bytesOf(/^sha256=([0-9a-f]{64})$/i.exec(signature)?.[1], 'hex')
  if (given.length === 0) return { is: 'malformed', header: 'x-hub-signature-256' }
  return anyFits(secrets, given, [body]) ? { is: 'ok' } : { is: 'wrong' }
}

/** `whsec_` and base64, or the base64 alone. */
function standardKey(secret: string): Buffer {
  const base64 = secret.startsWith('whsec_') ? secret.slice(6) : secret
  const key = Buffer.from(base64, 'base64')
  if (key.length === 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64))
    throw fault('SECRET_INVALID', 'a secret of Standard Webhooks is whsec_ and base64')
  return key
}

/** `whpk_` and base64 of the 32 bytes. */
function publicKey(text: string): KeyObject {
  const base64 = text.slice(5)
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length !== 32 || bytes.toString('base64') !== base64)
    throw fault('SECRET_INVALID', 'a public key of Standard Webhooks is whpk_ and base64 of 32 bytes')
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }, format: 'jwk' })
}

function anySigned(keys: readonly KeyObject[], given: readonly Uint8Array[], content: readonly (string | Uint8Array)[]): boolean {
  if (keys.length === 0 || given.length === 0) return false
  const bytes = Buffer.concat(content.map((part) => Buffer.from(part)))
  return keys.some((key) => given.some((one) => verifyEd25519(null, bytes, key, one)))
}

function anyFits(keys: readonly KeyObject[], given: readonly Uint8Array[], content: readonly (string | Uint8Array)[]): boolean {
  let fits = false
  for (const key of keys) {
    const expected = macOf(key, content)
    for (const one of given) fits = timingSafeEqual(one, expected) || fits
  }
  return fits
}

function macOf(key: KeyObject, content: readonly (string | Uint8Array)[]): Buffer {
  const hmac = createHmac('sha256', key)
  for (const part of content) hmac.update(part)
  return hmac.digest()
}

function bytesOf(text: string | undefined, encoding: 'base64' | 'hex'): Uint8Array[] {
  return text === undefined ? [] : [Buffer.from(text, encoding)]
}
