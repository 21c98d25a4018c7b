import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { readLedger, type Line } from './providers/ledger.ts'

interface Shop {
  readonly url: string
  readonly child: ChildProcess
}

interface Order {
  readonly orderId: string
  readonly customerId: string
  readonly sku: string
  readonly cents: number
  readonly currency: string
  readonly card: string
}

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
  { timeout: 60_000 },
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
      assert.equal(await end(shop, 'SIGINT'), 0, 'it drains and closes')

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

test('given a port that is taken, when the shop is started, then it says so, and ends', { timeout: 30_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shop-'))
  const shop = await openShop(folder)
  const second = run(['--port', new URL(shop.url).port, '--data', join(folder, 'second')])
  try {
    let said = ''
    second.stderr?.on('data', (text) => (said += text))
    const [code] = await once(second, 'close')
    assert.equal(code, 1)
    assert.match(said, /^ADDRESS_TAKEN: .*\n/)
    assert.doesNotMatch(said, /\n +at /, 'without a stack')
  } finally {
    second.kill('SIGKILL')
    await end(shop, 'SIGKILL')
    rmSync(folder, { recursive: true })
  }
})

function run(line: readonly string[]): ChildProcess {
  const env = { ...process.env, SEED: 'seven', FAILING: '0.2', SLOW_MS: '50' }
  const program = ['--no-warnings', '--conditions=source', join(import.meta.dirname, 'src', 'main.ts'), ...line]
  return spawn(process.execPath, program, { cwd: import.meta.dirname, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function openShop(folder: string): Promise<Shop> {
  const child = run(['--port', '0', '--data', folder])
  let said = ''
  child.stderr?.on('data', (text) => (said += text))
  if (child.stdout !== null) {
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /open at (\S+)\. /.exec(line)?.[1]
      if (url === undefined) continue
      child.stdout.resume()
      return { url, child }
    }
  }
  throw new Error(`the shop did not open: ${said}`)
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

async function statuses(url: string): Promise<(readonly [string, string | undefined])[]> {
  return Promise.all(
    placed.map(async ({ orderId }) => {
      const answer = await fetch(`${url}/orders/${orderId}`)
      const row = answer.ok ? ((await answer.json()) as { readonly status: string }) : undefined
      return [orderId, row?.status] as const
    }),
  )
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
