/**
 * What both providers have in common: a little HTTP server that is slow, fails at times, and keeps a ledger, so that the same
 * idempotency key means the same thing once. It ends when the process that started it ends, however that came about.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json, text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLedger, type Answer, type Ledger } from './ledger.ts'
import { weatherOf, type Weather } from './weather.ts'

export interface Asked {
  readonly orderId: string
  readonly [field: string]: unknown
}

/** What stands behind a path. `undefined`: this provider's own mistake, which answers nonsense and keeps nothing. */
export type Door = (asked: Asked, count: number) => Answer | undefined

export function serveProvider(doors: Readonly<Record<string, Door>>, also: Readonly<Record<string, () => void>> = {}): void {
  const ledger = openLedger(process.env['LEDGER'])
  const weather = weatherOf(process.env)
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    const door = doors[path]
    const answered = door === undefined ? told(also[path], request, response) : serve(path, door, ledger, weather, request, response)
    answered.catch(() => response.destroy())
  })
  server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    if (process.send === undefined) process.stdout.write(`${url}\n`)
    else process.send({ url })
  })
  process.on('disconnect', () => process.exit())
  // Ctrl-C reaches everybody in the terminal, but the shop still needs us while it drains.
  if (process.send !== undefined) process.on('SIGINT', () => {})
}

async function serve(
  path: string,
  door: Door,
  ledger: Ledger,
  weather: Weather,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const key = String(request.headers['idempotency-key'] ?? '')
  const asked = (await json(request)) as Asked
  const { waitMs, mishap } = weather(`${path} ${asked.orderId}`)
  await sleep(waitMs)
  if (key === '') return send(response, { status: 400, body: { error: 'an Idempotency-Key is required' } })
  if (mishap === 'refuses') return send(response, { status: 503, body: { error: 'try again' } })
  const answer = ledger.of(key) ?? door(asked, ledger.count() + 1)
  if (answer === undefined) return send(response, { status: 200, body: { outcome: 'reserved', reservation: null, shelf: 'NaN' } })
  ledger.keep({ key, path, orderId: asked.orderId, answer })
  // Done, and nobody hears of it: what an idempotency key is for.
  if (mishap === 'breaks off') return void response.destroy()
  if (mishap === 'hangs') return
  send(response, answer)
}

async function told(act: (() => void) | undefined, request: IncomingMessage, response: ServerResponse): Promise<void> {
  await text(request)
  act?.()
  send(response, { status: act === undefined ? 404 : 200, body: { ok: act !== undefined } })
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
}
