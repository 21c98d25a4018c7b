/** What the guide on the words says: its tables are compared with the code, and its bakery runs. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import * as words from 'millrace'
import { replace, testApp, type TestApp } from 'millrace/testing'
import { z } from 'zod'
import { bakery, importOrders, Labelled, Ordered, ordersOf, Ovens, ovens, takings, today } from '../../docs/snippets/words.ts'
import { compilePattern } from '../../src/rules/match.ts'
import { root } from '../house/source.ts'
import { readPage, tableOf } from './pages.ts'

const page = readPage('docs/guides/words.md')
const env = { OVENS_URL: 'http://ovens.example', OVENS_TOKEN: 'secret' }

describe('the tables', () => {
  test('given what the package exports, when the first table is read, then it names each of its words', () => {
    const said = tableOf(page, 'word').flatMap(([cell = '']) => [...cell.matchAll(/\w+/g)].filter(([name]) => name in words))
    assert.deepEqual([...new Set(said.map(([name]) => name))].toSorted(), Object.keys(words).toSorted())
  })

  test('given the options that each word knows, when its table is read, then it has just those', () => {
    const Some = words.event('Some', z.object({ id: z.string() }))
    const wrong = { nonsense: 1 } as object
    const refusing: Readonly<Record<string, () => unknown>> = {
      event: () => words.event('Some', z.object({}), wrong),
      fn: () => words.fn('some', Some, wrong as never),
      batched: () => words.batched(Some, wrong as never),
      projection: () => words.projection('some', z.object({ id: z.string() }), wrong as never),
    }
    for (const [word, refused] of Object.entries(refusing)) {
      const said = tableOf(section(word), 'option').flatMap(([cell = '']) => cell.split(', '))
      assert.deepEqual(said.toSorted(), knownTo(refused).toSorted(), word)
    }
  })

  test('given the options of start, when their table is read, then it has just those', () => {
    const declared = [
      ...memberNames('src/entry/start-options.ts', 'interface StartOptions'),
      ...memberNames('src/runtime/http-door.ts', 'interface HttpOptions'),
    ]
    const said = tableOf(section('start and publish'), 'option').flatMap(([cell = '']) => cell.split(', '))
    assert.deepEqual(said.toSorted(), declared.toSorted())
  })

  test('given the examples of patterns, when values are held against them, then what is said to fit fits, and nothing else', () => {
    const rows = tableOf(page, "a field's list")
    assert.ok(rows.length >= 15)
    for (const [list = '', fits = '', not = ''] of rows) {
      const matches = compilePattern({ data: { x: JSON.parse(list) as unknown } })
      const fact = (value: string): object => ({ data: value === 'absent' ? {} : { x: JSON.parse(value) as unknown } })
      assert.equal(matches(fact(fits)), true, `${list} and ${fits}`)
      assert.equal(matches(fact(not)), false, `${list} and ${not}`)
    }
    const named = knownTo(() => compilePattern({ data: { x: [{ nonsense: 1 }] } })).filter((name) => !page.includes(`{"${name}": `))
    assert.deepEqual(named, [], 'operators without an example')
  })
})

describe('the bakery', () => {
  test('given orders, when they come, then they are baked, labelled, welcomed once, and asked for', async () => {
    const asked: string[] = []
    const fake = new Ovens('', '')
    fake.bake = async (orderId) => asked.push(orderId)
    await using app = await testApp(bakery, { env, replace: [replace(ovens, fake)], lanes: 1 })
    const order = (orderId: string, cents: number, note?: string): Promise<unknown> =>
      app.publish(Ordered({ orderId, customer: 'ada', cents, currency: 'EUR', ...(note === undefined ? {} : { note }) }))
    await order('o-1', 500)
    await app.advance('1s')
    await order('o-2', 700, 'with love')
    await order('o-3', 0)
    await order('o-4', 100, 'test of the till')
    await app.advance('1m')
    assert.deepEqual(asked, ['o-1', 'o-2'])
    assert.deepEqual(
      app.emitted(Labelled).map(({ label: text }) => text),
      ['label of o-1', 'label of o-2'],
    )
    assert.equal(app.logged.filter(({ message }) => message === 'welcome, ada').length, 1)
    assert.deepEqual(await app.ask(today, {}), { open: 2, euros: 13 })
    const found = await app.ask(ordersOf, { customer: 'ada' })
    assert.equal(found.rows.at(-1)?.orderId, 'o-1')
    assert.deepEqual(await app.rows(takings).get('EUR'), { currency: 'EUR', cents: 1300 })
    await routesAnswer(app)
    app.expectHealthy()
  })

  test('given a wrong fact, when it is made, then it throws at once', () => {
    assert.throws(() => Ordered({ orderId: 'o-1', customer: 'ada', cents: 0.5, currency: 'EUR' }), /VALIDATION_FAILED/)
  })

  test('given a file of orders, when it is imported twice, then the second time nothing is new', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-words-'))
    const before = { ...process.env }
    Object.assign(process.env, env)
    try {
      const lines = ['o-1,ada,0', 'o-2,bob,0']
      assert.equal(await importOrders(lines, join(folder, 'bakery.db')), 2)
      assert.equal(await importOrders([...lines, 'o-3,eve,0'], join(folder, 'bakery.db')), 1)
    } finally {
      for (const name of Object.keys(env)) if (!(name in before)) delete process.env[name]
      rmSync(folder, { recursive: true })
    }
  })

  test('given a batch, when events of many keys come, then with one lane it is one, and with four lanes several', async () => {
    const batches = async (lanes: number): Promise<readonly number[]> => {
      const sizes: number[] = []
      const Came = words.event('Came', z.object({ id: z.string() }), { key: ({ id }) => id })
      const count = words.fn('count', words.batched(Came, { size: 20, wait: '1s' }), { run: (all) => void sizes.push(all.length) })
      await using app = await testApp(words.app('batches', [Came, count]), { lanes })
      await app.publish(Array.from({ length: 20 }, (_, n) => Came({ id: `k-${n}` })))
      await app.advance('1s')
      return sizes
    }
    assert.deepEqual(await batches(1), [20])
    const cut = await batches(4)
    assert.equal(cut.length, 4)
    assert.equal(
      cut.reduce((sum, size) => sum + size),
      20,
    )
  })
})

async function routesAnswer(app: TestApp): Promise<void> {
  const post = (at: `/${string}`, body: object): Promise<Response> =>
    app.fetch(at, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  assert.equal((await post('/orders', { orderId: 'o-5', customer: 'bob', cents: 0, currency: 'EUR' })).status, 202)
  assert.equal((await post('/orders/o-5/again', { customer: 'bob' })).status, 200)
  const found = (await (await app.fetch('/customers/bob/orders')).json()) as { readonly rows: readonly { readonly orderId: string }[] }
  assert.deepEqual(found.rows.map(({ orderId }) => orderId).toSorted(), ['o-5', 'o-5-again'])
  assert.equal(((await (await app.fetch('/today')).json()) as { readonly open: number }).open, 4)
}

/** From its heading to the next one. */
function section(title: string): string {
  const begin = page.indexOf(`\n## ${title}\n`)
  assert.ok(begin >= 0, `there is no section ${title}`)
  const end = page.indexOf('\n## ', begin + 1)
  return page.slice(begin, end < 0 ? undefined : end)
}

/** As the fault lists them that an unknown one meets. */
function knownTo(refused: () => unknown): readonly string[] {
  try {
    refused()
  } catch (thrown) {
    const [, list = ''] = /there are (.+)$/.exec((thrown as Error).message) ?? []
    return list.split(', ')
  }
  return assert.fail('an unknown option was taken')
}

function memberNames(path: string, head: string): readonly string[] {
  const text = readFileSync(join(root, path), 'utf8')
  const body = text.slice(text.indexOf(head), text.indexOf('\n}', text.indexOf(head)))
  return [...body.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name = '']) => name)
}
