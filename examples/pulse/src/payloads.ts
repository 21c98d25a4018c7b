/** 329 real payloads of GitHub, each with an id of its own: five are byte for byte another's, and yet deliveries of their own. */
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

export interface Delivery {
  readonly id: string
  readonly kind: string
  readonly body: string
}

interface Definition {
  readonly name: string
  readonly examples: readonly unknown[]
}

export function allDeliveries(): readonly Delivery[] {
  const path = createRequire(import.meta.url).resolve('@octokit/webhooks-examples')
  const definitions = JSON.parse(readFileSync(path, 'utf8')) as readonly Definition[]
  return definitions
    .flatMap(({ name, examples }) => examples.map((payload) => ({ kind: name, body: JSON.stringify(payload) })))
    .map((one, n) => ({ ...one, id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` }))
}

/** As GitHub sends it. */
export function requestOf({ id, kind, body }: Delivery, secret: string): RequestInit & { readonly method: 'POST' } {
  const signature = createHmac('sha256', secret).update(body).digest('hex')
  return {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': kind,
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${signature}`,
    },
    body,
  }
}
