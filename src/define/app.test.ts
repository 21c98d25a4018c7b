import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { isFault } from '../kit/fault.ts'
import { app } from './app.ts'
import { event } from './event.ts'
import { fn } from './fn.ts'

const Placed = event('Placed', z.object({ orderId: z.string() }))
const charge = fn('charge', Placed, { run: () => {} })

test('given a list, when an app is made of it, then each word is in it once', () => {
  const shop = app('shop', [Placed, charge, Placed])
  assert.deepEqual([shop.kind, shop.name, shop.words], ['app', 'shop', [Placed, charge]])
})

test('given modules, when an app is made of them, then it has what in them is a definition', () => {
  const orders = { Placed, charge, vat: 0.08, rates: { kind: 'vat', name: 'x' }, helper: () => {}, nothing: null }
  assert.deepEqual(app('shop', { orders, again: { Placed } }).words, [Placed, charge])
})

test('given an app, when another is made of it, then its parts are the other’s', () => {
  assert.deepEqual(app('both', [app('shop', [Placed]), charge]).words, [Placed, charge])
  assert.deepEqual(app('both', { shop: { all: app('shop', [Placed]) } }).words, [Placed])
})

test('given what is no definition, when an app is made of it, then the fault names its place', () => {
  for (const part of [Placed({ orderId: 'o-1' }), async () => {}, undefined, 'charge', {}]) {
    assert.throws(
      () => app('shop', [Placed, part as typeof Placed]),
      (error) => isFault(error, 'OPTION_INVALID') && error.data['option'] === 'parts[1]',
    )
  }
  assert.throws(
    () => app('the shop', []),
    (error) => isFault(error, 'NAME_INVALID'),
  )
})
