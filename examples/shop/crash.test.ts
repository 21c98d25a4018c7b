import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { readLedger, type Line } from './providers/ledger.ts'

interface Shop {
  readonly url: string
  readonly child: ChildProcess
  said(): string
}

interface Order {
  readonly orderId: string
  readonly customerId: string
  readonly sku: string
  readonly cents: number
  readonly currency: string
  readonly card: string
}

const limits = { timeout: 60_000 }

/** Of ten orders one is declined and one finds nothing on the shelf. */
const placed = Array.from({ length: 30 }, (_, n): Order => ({
  orderId: `o-${n}`,
  customerId: 'ada',
  sku: n % 10 === 4 ? 'unicorn' : 'lamp',
  cents: 1_000 + n,
  currency: n % 2 === 0 ? 'EUR' : 'USD',
  card: n % 10 === 7 ? 'tok_broke' : 'tok_visa',
}))
const ending = ({ sku, card }: Order): string => (card === 'tok_broke' ? 'declined' : sku === 'unicorn' ? 'refunded' : 'shipped')
const idsOf = (status: string): string[] => placed.filter((order) => ending(order) === status).map(({ orderId }) => orderId)
const paid = placed.filter((order) => ending(order) !== 'declined').map(({ orderId }) => orderId)

test(
  'given 30 orders and unreliable providers, when the shop is killed and started again, then each order has ended once',
  limits,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shop-'))
    const ledger = (name: string, path: string): Line[] => readLedger(join(folder, `${name}.jsonl`)).filter((line) => line.path === path)
    const parcels = (): number => ledger('warehouse', '/parcels').length
    let shop = await openShop(folder)
    try {
      const known = new Set<string>()
      const place = async (order: Order): Promise<void> => void (await post(shop.url, order), known.add(order.orderId))
      await Promise.all(placed.slice(0, 20).map(place))
      const underWay = Promise.allSettled(placed.slice(20).map(place))
      await until('some parcels are sent', async () => parcels() >= 3)
      await end(shop, 'SIGKILL')
      await underWay
      assert.ok(parcels() < idsOf('shipped').length, 'it was killed in the middle')

      shop = await openShop(folder)
      const repeated = await Promise.all(placed.map(async (order) => ((await post(shop.url, order)) ? order.orderId : undefined)))
      for (const orderId of known) assert.ok(repeated.includes(orderId), `${orderId} was acknowledged before, and is known`)

      await until('every order has ended', async () =>
        (await statuses(shop.url)).every(([, status]) => status !== undefined && isFinal(status)),
      )
      assert.deepEqual(new Map(await statuses(shop.url)), new Map(placed.map((order) => [order.orderId, ending(order)])))
      await until('the revenue has followed', async () => sum(await revenue(shop.url), 'orders') === idsOf('shipped').length)

      assert.deepEqual(ordersIn(ledger('payments', '/charges')), sorted(placed.map(({ orderId }) => orderId)), 'each is charged once')
      assert.deepEqual(ordersIn(ledger('payments', '/refunds')), sorted(idsOf('refunded')))
      assert.deepEqual(ordersIn(ledger('warehouse', '/reservations')), sorted(paid))
      assert.deepEqual(ordersIn(ledger('warehouse', '/parcels')), sorted(idsOf('shipped')), 'each is shipped once')
      const centsOf = (currency: string): number =>
        sum(
          placed.filter((order) => order.currency === currency && ending(order) === 'shipped'),
          'cents',
        )
      assert.deepEqual(
        (await revenue(shop.url)).map(({ currency, cents }) => [currency, cents]),
        [
          ['EUR', centsOf('EUR')],
          ['USD', centsOf('USD')],
        ],
      )
      shop.child.kill('SIGINT')
      assert.equal(await end(shop, 'SIGTERM'), 0, 'it drains and closes; what comes in the same moment is no second wish')

      const log = logOf(join(folder, 'shop.db'))
      assert.deepEqual(
        sorted(log.filter(({ type }) => type === 'OrderPlaced').map(({ key }) => key)),
        sorted(placed.map(({ orderId }) => orderId)),
      )
      assert.deepEqual(sorted(log.filter(({ type }) => type === 'OrderShipped').map(({ key }) => key)), sorted(idsOf('shipped')))
      assert.deepEqual(sorted(log.filter(({ type }) => type === 'PaymentDeclined').map(({ key }) => key)), sorted(idsOf('declined')))
      assert.deepEqual(sorted(log.filter(({ type }) => type === 'PaymentReturned').map(({ key }) => key)), sorted(idsOf('refunded')))
    } finally {
      await end(shop, 'SIGKILL')
      rmSync(folder, { recursive: true })
    }
  },
)

test(
  'given a poison order, when the warehouse is mended and the order is redriven from the command line, then it ships',
  limits,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shop-'))
    const shop = await openShop(folder)
    try {
      const [lamp] = placed
      assert.ok(lamp !== undefined)
      await post(shop.url, { ...lamp, orderId: 'o-ghost', sku: 'ghost' })
      await until('it is parked', async () => shop.said().includes("reserve parked key 'o-ghost'"))
      await post(shop.url, lamp)
      await until('another order ships', async () => (await statusOf(shop.url, 'o-0')) === 'shipped')
      assert.equal(await statusOf(shop.url, 'o-ghost'), 'paid')

      const list = await millrace(['dead-letters', 'list', '--json', '--store', join(folder, 'shop.db')])
      const { deadLetters } = JSON.parse(list) as { readonly deadLetters: readonly Readonly<Record<string, unknown>>[] }
      assert.deepEqual(
        deadLetters.map(({ subscription, key, type, attempts }) => ({ subscription, key, type, attempts })),
        [{ subscription: 'reserve', key: 'o-ghost', type: 'PaymentTaken', attempts: 5 }],
      )
      const mend = /curl -X POST (\S+\/mend)/.exec(shop.said())?.[1]
      assert.ok((await fetch(`http://${mend}`, { method: 'POST' })).ok)
      await millrace(['dead-letters', 'redrive', '--all', '--store', join(folder, 'shop.db')])
      await until('it ships', async () => (await statusOf(shop.url, 'o-ghost')) === 'shipped')
      assert.deepEqual(ordersIn(readLedger(join(folder, 'payments.jsonl'))), ['o-0', 'o-ghost'], 'nobody was charged again')
    } finally {
      await end(shop, 'SIGKILL')
      rmSync(folder, { recursive: true })
    }
  },
)

test('given a port that is taken, when the shop is started, then it says so and what to do, and ends', limits, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shop-'))
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  try {
    const second = run(['--port', String((other.address() as AddressInfo).port), '--data', folder])
    const said = textOf(second.stderr)
    const [code] = await once(second, 'close')
    assert.equal(code, 1)
    assert.match(said(), /^ADDRESS_TAKEN: .*\n.*npm start -- --port \d+\n$/)
  } finally {
    other.close()
    rmSync(folder, { recursive: true })
  }
})

function run(line: readonly string[]): ChildProcess {
  const env = { ...process.env, SEED: 'seven', FAILING: '0.2', SLOW_MS: '50' }
  const program = ['--no-warnings', '--conditions=millrace-source', join(import.meta.dirname, 'src', 'main.ts'), ...line]
  return spawn(process.execPath, program, { cwd: import.meta.dirname, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function openShop(folder: string): Promise<Shop> {
  const child = run(['--port', '0', '--data', folder])
  const [said, complained] = [textOf(child.stdout), textOf(child.stderr)]
  const url = (): string | undefined => /open at (\S+)\. /.exec(said())?.[1]
  await until('the shop is open', async () => url() !== undefined || child.exitCode !== null)
  const at = url()
  if (at === undefined) throw new Error(`the shop did not open: ${complained()}`)
  return { url: at, child, said }
}

async function millrace(line: readonly string[]): Promise<string> {
  const cli = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')
  const child = spawn(process.execPath, ['--conditions=millrace-source', cli, ...line], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [said, complained] = [textOf(child.stdout), textOf(child.stderr)]
  const [code] = await once(child, 'close')
  assert.equal(code, 0, complained())
  return said()
}

function textOf(stream: Readable | null): () => string {
  let text = ''
  stream?.setEncoding('utf8').on('data', (more: string) => (text += more))
  return () => text
}

/** Its channels close when its providers are gone too: they end with it. */
async function end({ child }: Shop, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const closed = once(child, 'close')
  child.kill(signal)
  await closed
  return child.exitCode
}

/** Whether it was known. */
async function post(url: string, order: Order): Promise<boolean> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': order.orderId }
  const answer = await fetch(`${url}/orders`, { method: 'POST', headers, body: JSON.stringify(order) })
  const { repeated } = (await answer.json()) as { readonly repeated: boolean }
  assert.equal(answer.status, repeated ? 200 : 202)
  return repeated
}

async function statusOf(url: string, orderId: string): Promise<string | undefined> {
  const answer = await fetch(`${url}/orders/${orderId}`)
  return answer.ok ? ((await answer.json()) as { readonly status: string }).status : undefined
}

async function statuses(url: string): Promise<(readonly [string, string | undefined])[]> {
  return Promise.all(placed.map(async ({ orderId }) => [orderId, await statusOf(url, orderId)] as const))
}

interface Revenue {
  readonly currency: string
  readonly cents: number
  readonly orders: number
}

async function revenue(url: string): Promise<Revenue[]> {
  return (await (await fetch(`${url}/revenue/today`)).json()) as Revenue[]
}

function isFinal(status: string): boolean {
  return ['shipped', 'declined', 'refunded'].includes(status)
}

/** What a person would ask the file. */
function logOf(path: string): { readonly type: string; readonly key: string }[] {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return database.prepare('select type, key from events').all() as { type: string; key: string }[]
  } finally {
    database.close()
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `in vain: ${what}`)
    await pause(25)
  }
}

function ordersIn(lines: readonly Line[]): string[] {
  return sorted(lines.map(({ orderId }) => orderId))
}

function sum<K extends string>(of: readonly Readonly<Record<K, number>>[], field: K): number {
  return of.reduce((all, one) => all + one[field], 0)
}

function sorted(texts: readonly string[]): string[] {
  return texts.toSorted()
}
