import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { z } from 'zod'
import type { ToJsonSchema } from '../contracts/json-schema.ts'
import { app, type AppOptions } from '../define/app.ts'
import { batched } from '../define/batched.ts'
import { config } from '../define/config.ts'
import type { Definition } from '../define/definition.ts'
import { event } from '../define/event.ts'
import { fn } from '../define/fn.ts'
import { projection } from '../define/projection.ts'
import { query } from '../define/query.ts'
import { resource } from '../define/resource.ts'
import { route } from '../define/route.ts'
import { github, webhook } from '../define/webhook.ts'
import { isFault } from '../kit/fault.ts'
import { checkPlan } from './check.ts'
import { compile, planOf } from './compile.ts'

const said = (...parts: readonly Definition[]): readonly string[] =>
  checkPlan(planOf(app('shop', parts)))
    .map(({ level, where, message }) => `${level} ${where}: ${message}`)
    .sort()

/** What is said beyond that something is not consumed. */
const errors = (...parts: readonly Definition[]): readonly string[] => said(...parts).filter((line) => line.startsWith('error'))

const shape = z.object({ id: z.string() })
const run = (): void => {}
const Placed = event('Placed', shape)
const onPlaced = fn('on-placed', Placed, { run })
const rowsOf = (name: string): ReturnType<typeof projection<{ id: string }, 'id'>> =>
  projection(name, shape, { key: 'id', apply: (on) => [on(Placed, (rows, data) => rows.put(data))] })
const ids = rowsOf('ids')
const secret = resource('secret', { open: () => 'whsec_x' })

test('given an app of which everything is listed, when checked, then nothing is said', () => {
  const settings = config(z.object({ TOKEN: z.string() }))
  const client = resource('client', { needs: { token: settings.pick('TOKEN'), secret }, open: () => 1 })
  const one = ids.query('one', shape, (rows, { id }) => rows.get(id))
  const parts = [
    Placed,
    onPlaced,
    ids,
    secret,
    client,
    one,
    route('GET /ids/:id', one),
    route('POST /ids', Placed),
    webhook('/hooks/a', Placed, { verify: github(secret) }),
  ]
  assert.deepEqual(said(...parts), [])
})

test('given a name that stands twice, when checked, then it is told, of each kind once', () => {
  const other = event('Other', shape)
  const unlike = fn('ids', Placed, { run })
  assert.deepEqual(errors(Placed, ids, unlike, rowsOf('ids')), ['error subscription ids: this name is there twice'])
  assert.deepEqual(
    errors(
      query('q', shape, () => 1),
      query('q', shape, () => 2),
    ),
    ['error query q: this name is there twice'],
  )
  assert.deepEqual(errors(resource('r', { open: () => 1 }), resource('r', { open: () => 2 })), [
    'error resource r: this name is there twice',
  ])
  assert.deepEqual(errors(other, event('Other', shape)), ['error event Other 1: this version is there twice'])
  const raised = event('Other', shape, { version: 2, upcast: (from) => from(event('Other', shape), (old) => old) })
  assert.deepEqual(
    errors(other, raised).filter((line) => line.includes('twice')),
    ['error event Other 1: this version is there twice'],
  )
})

test('given a former name, when it is still there or two had it, then it is told', () => {
  assert.deepEqual(errors(Placed, fn('a', Placed, { was: 'b', run }), fn('b', Placed, { run })), [
    "error subscription a: was 'b', which is still there",
  ])
  assert.deepEqual(errors(Placed, fn('a', Placed, { was: 'c', run }), fn('b', Placed, { was: 'c', run })), [
    "error subscription a: was 'c', and so was b",
    "error subscription b: was 'c', and so was a",
  ])
  assert.deepEqual(errors(Placed, fn('a', Placed, { was: 'c', run })), [])
})

test('given what is consumed, emitted, published or asked, when it is not listed, then each is told, where it is', () => {
  const emitting = fn('emits', Placed, { emits: [event('Emitted', shape)], run })
  const one = ids.query('one', shape, () => 1)
  assert.deepEqual(
    errors(
      emitting,
      projection('p', shape, { key: 'id', apply: (on) => [on(event('Applied', shape), run), on(Placed, run)] }),
      fn('batches', batched(event('Gathered', shape), { size: 2, wait: '1s' }), { run }),
      one,
      route(
        'GET /two',
        query('two', shape, () => 1),
      ),
      route('POST /ids', event('Posted', shape)),
      webhook('/hooks/a', event('Hooked', shape), { verify: github(secret) }),
    ),
    [
      'error fn batches: event Gathered 1 is not in the app: add it to its list',
      'error fn emits: event Emitted 1 is not in the app: add it to its list',
      'error fn emits: event Placed 1 is not in the app: add it to its list',
      'error projection p: event Applied 1 is not in the app: add it to its list',
      'error projection p: event Placed 1 is not in the app: add it to its list',
      'error query one: projection ids is not in the app: add it to its list',
      'error route GET /two: query two is not in the app: add it to its list',
      'error route POST /ids: event Posted 1 is not in the app: add it to its list',
      'error webhook /hooks/a: event Hooked 1 is not in the app: add it to its list',
      'error webhook /hooks/a: resource secret is not in the app: add it to its list',
    ],
  )
})

test('given a resource that needs one, or a config, when that is not listed, then it is told; a single setting need not be', () => {
  const settings = config(z.object({ TOKEN: z.string() }))
  const client = resource('client', { needs: { settings, secret, token: settings.pick('TOKEN') }, open: () => 1 })
  assert.deepEqual(errors(client), [
    'error resource client: config config is not in the app: add it to its list',
    'error resource client: resource secret is not in the app: add it to its list',
  ])
})

test('given two things at one place of the door, or one where the door itself answers, when checked, then it is told', () => {
  const a = query('a', shape, () => 1)
  const hook = webhook('/hooks/a', Placed, { verify: github(secret) })
  assert.deepEqual(
    errors(
      Placed,
      secret,
      onPlaced,
      a,
      hook,
      route('POST /hooks/a', run),
      route('GET /x/:id', a),
      route('GET /x/:other', run),
      route('GET /health', run),
      route('GET /problems/:id', a),
      route('GET /hooks/a', a),
    ),
    [
      'error route GET /health: the door itself answers there',
      'error route GET /problems/:id: the door itself answers there',
      'error route GET /x/:other: route GET /x/:id answers there',
      'error route POST /hooks/a: webhook /hooks/a answers there',
    ],
  )
  assert.deepEqual(errors(Placed, secret, onPlaced, hook, webhook('/hooks/a', Placed, { verify: github(secret) })), [
    'error webhook /hooks/a: webhook /hooks/a answers there',
  ])
})

test('given a breaker over fewer outcomes than it needs keys, when checked, then it is told that it never opens', () => {
  const breaking = (of: number): Definition => fn('f', Placed, { breaker: { share: 0.5, of, rest: '1s' }, run })
  assert.deepEqual(errors(Placed, breaking(4)), ["error fn f: breaker.of: never opens: the last 4 outcomes can't be of 5 keys"])
  assert.deepEqual(errors(Placed, breaking(5), fn('g', Placed, { breaker: false, run })), [])
})

const Placed2 = event('Placed', shape, { version: 2, upcast: (from) => from(Placed, (old) => old) })

test('given a consumer of what is read as something else today, when checked, then that is named', () => {
  const Renamed = event('Ordered', shape, { version: 3, upcast: (from) => from(Placed2, (old) => old) })
  const Split = event('Split', shape, { becomes: (into) => into([Placed2], () => []) })
  assert.deepEqual(errors(Placed, Placed2, onPlaced, ids), [
    'error fn on-placed: takes Placed 1, which is read as Placed 2: name that',
    'error projection ids: takes Placed 1, which is read as Placed 2: name that',
  ])
  assert.deepEqual(errors(Placed, Placed2, Renamed, fn('f', Placed2, { run })), [
    'error fn f: takes Placed 2, which is read as Ordered 3: name that',
  ])
  assert.deepEqual(errors(Placed2, Split, fn('f', Split, { run })), ['error fn f: takes Split 1, which is read as Placed 2: name that'])
  assert.deepEqual(errors(Placed, Placed2, Split, fn('f', Placed2, { run })), [])
})

test('given a version that two events come from, or none, when checked, then it is told', () => {
  const One = event('One', shape, { version: 2, upcast: (from) => from(Placed, (old) => old) })
  const Two = event('Two', shape, { version: 2, upcast: (from) => from(Placed, (old) => old) })
  assert.deepEqual(errors(One, Two), ['error event Placed 1: two events come from it: One 2 and Two 2'])
  assert.deepEqual(errors(Placed, One), [], 'a former one may be listed')
  const Apart = event('Placed', shape, { version: 2 })
  assert.deepEqual(errors(Placed, Apart, fn('f', Apart, { run })), [
    'error event Placed 1: there is no way from it to version 2: give that one an upcast',
  ])
})

test('given splits that come back to themselves, when checked, then each consumer is told', () => {
  const Round = event('Round', shape, { becomes: (into) => into([About], () => []) })
  const About: typeof Placed = event('About', shape, { becomes: (into) => into([Round as never], () => []) }) as never
  assert.ok(
    errors(Round, About, fn('f', About, { run })).some((line) => line.includes('error fn f:') && line.includes('comes back to itself')),
  )
})

test('given schemas that transform, of events and of rows, when checked, then each is told', () => {
  const changing = z.object({ id: z.string(), n: z.string().transform(Number) })
  const Changing = event('Changing', changing as never)
  const rows = projection('p', changing as never, { key: 'id' as never, apply: (on) => [on(Placed, run)] })
  const why = 'its schema gives another shape than it takes: keep what it gives, and transform where it is read'
  assert.deepEqual(errors(Placed, Changing, rows), [`error event Changing 1: ${why}`, `error projection p: ${why}`])
})

test('given a key or an index over what the rows do not have or can’t be ordered by, when checked, then each is told', () => {
  const row = z.object({ id: z.string(), n: z.int().optional(), list: z.array(z.string()), maybe: z.string().nullable() })
  const over = (key: string, index: readonly (readonly string[])[], of: unknown = row): Definition =>
    projection('p', of as never, { key, index, apply: (on: (e: typeof Placed, apply: () => void) => never) => [on(Placed, run)] } as never)
  assert.deepEqual(errors(Placed, over('id', [['n'], ['maybe', 'n']])), [])
  assert.deepEqual(errors(Placed, over('n', [['x', 'list'], ['x']])), [
    "error projection p: 'list' holds more than one value: no index orders by that",
    "error projection p: 'n' is the key, and no text",
    "error projection p: 'x' is no column of its rows",
  ])
  for (const open of [z.looseObject({ id: z.string() }), z.record(z.string(), z.string()), v.object({ id: v.string() }), z.any()])
    assert.deepEqual(errors(Placed, over('id', [['x']], open)), [], 'what can’t be told is no fault')
})

test('given a library that tells nothing by itself, when the app converts for it, then its schemas are looked through too', () => {
  const Taken = event('Taken', v.object({ n: v.pipe(v.string(), v.transform(Number)) }))
  const rows = projection('rows', v.object({ id: v.string() }), {
    key: 'id',
    index: ['id', ...(['color'] as unknown as ['id'])],
    apply: (on) => [on(Taken, (its, { n }) => its.put({ id: String(n) }))],
  })
  const errorsWith = (options: AppOptions): readonly string[] =>
    checkPlan(planOf(app('shop', [Taken, rows], options))).map(({ where, message }) => `${where}: ${message}`)
  assert.deepEqual(errorsWith({}), [])
  const valibot: ToJsonSchema = (schema, typeMode) => ({ ...toJsonSchema(schema as v.GenericSchema, { typeMode }) })
  assert.deepEqual(errorsWith({ jsonSchema: { valibot } }), [
    'event Taken 1: its schema gives another shape than it takes: keep what it gives, and transform where it is read',
    "projection rows: 'color' is no column of its rows",
  ])
})

test('given a webhook whose body is another shape than its event, when it has no `data`, then it is told', () => {
  const Shipped = event('Shipped', z.object({ id: z.string(), n: z.number(), more: z.string().optional() }))
  const hook = (body: unknown, data?: () => never): readonly string[] =>
    errors(
      Shipped,
      secret,
      fn('f', Shipped, { run }),
      webhook('/hooks/a', Shipped, { verify: github(secret), body: body as never, ...(data && { data }) }),
    )
  const told = (which: string): readonly string[] => [
    `error webhook /hooks/a: its body is no Shipped (${which}): give \`data\`, which makes one of the other`,
  ]
  assert.deepEqual(hook(z.object({ id: z.string() })), told('n'))
  assert.deepEqual(hook(z.object({ id: z.int(), n: z.string() })), told('id, n'))
  assert.deepEqual(
    hook(z.object({ order: z.string() }), () => JSON.parse('{}') as never),
    [],
  )
  assert.deepEqual(hook(z.object({ id: z.string().min(3), n: z.int(), less: z.string() })), [])
  for (const open of [z.looseObject({}), v.object({}), z.union([shape, shape])])
    assert.deepEqual(hook(open), [], 'what can’t be told is no fault')
})

test('given what is not wrong but odd, when checked, then it is a warning, and the app starts', () => {
  const emitting = fn('f', Placed2, { emits: [Placed], run })
  const odd = app('shop', [Placed, Placed2, emitting, event('Unread', shape)])
  assert.deepEqual(
    checkPlan(planOf(odd)).map(({ level, where, message }) => `${level} ${where}: ${message}`),
    ['warning fn f: emits Placed 1, which is read as Placed 2', 'warning event Unread: nothing consumes it'],
  )
  assert.equal(compile(odd).name, 'shop')
})

test('given an app with several things wrong, when compiled, then one fault tells all of them, and no warning', () => {
  const wrong = app('shop', [event('Unread', shape), onPlaced, onPlaced, rowsOf('on-placed'), route('GET /health', run)])
  assert.throws(
    () => compile(wrong),
    (error) => {
      assert.ok(isFault(error, 'APP_INVALID'))
      const lines = (error.data['findings'] as readonly { where: string; message: string }[]).map(
        ({ where, message }) => `${where}: ${message}`,
      )
      assert.equal(error.message, `APP_INVALID: ${lines.join('; ')}`)
      assert.deepEqual(lines, [
        'subscription on-placed: this name is there twice',
        'fn on-placed: event Placed 1 is not in the app: add it to its list',
        'projection on-placed: event Placed 1 is not in the app: add it to its list',
        'route GET /health: the door itself answers there',
      ])
      return true
    },
  )
})

test('given all versions of an event, in whatever order they are listed, when compiled, then today’s is the newest', () => {
  for (const parts of [
    [Placed, Placed2],
    [Placed2, Placed],
  ])
    assert.equal(compile(app('shop', parts)).today.get('Placed'), Placed2)
})
