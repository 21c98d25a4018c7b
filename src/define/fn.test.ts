import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { isFault, type Fault } from '../kit/fault.ts'
import { batched } from './batched.ts'
import type { Source } from './definition.ts'
import { event } from './event.ts'
import { fn, type FnOptions } from './fn.ts'

const Placed = event('Placed', z.object({ orderId: z.string(), cents: z.int() }))
const Shipped = event('Shipped', z.object({ orderId: z.string() }))

test('given a function that says little of itself, when defined, then the rest is as the documentation has it', () => {
  const { kind, name, on, batch, matches, emits, policy, order, once, from, was } = fn('charge', Placed, { run: () => {} })
  assert.deepEqual(
    { kind, name, on, batch, matches, emits, order, once, from, was },
    {
      kind: 'fn',
      name: 'charge',
      on: [Placed],
      batch: undefined,
      matches: undefined,
      emits: [],
      order: 'key',
      once: undefined,
      from: 'now',
      was: undefined,
    },
  )
  assert.deepEqual(policy, {
    retry: { attempts: 6, fromMs: 200, toMs: 60_000 },
    timeoutMs: 30_000,
    graceMs: 30_000,
    concurrency: 64,
    breaker: { share: 0.5, of: 20, keys: 5, restMs: 30_000 },
  })
})

test('given a function that says all of itself, when defined, then its durations are milliseconds and its pattern compiled', () => {
  const charge = fn('charge', [Placed, Shipped], {
    where: { data: { orderId: [{ prefix: 'o-' }] }, source: ['shop'] },
    emits: [Shipped],
    retry: { attempts: 2, from: '1s', to: '5m' },
    timeout: '1m',
    concurrency: 3,
    breaker: { share: 0.3, of: 50, rest: '10s' },
    once: { by: (data) => data.orderId, within: '1d' },
    order: (data) => data.orderId,
    from: '2026-01-01T00:00:00Z',
    was: 'pay',
    run: () => {},
  })
  assert.deepEqual(charge.policy, {
    retry: { attempts: 2, fromMs: 1_000, toMs: 300_000 },
    timeoutMs: 60_000,
    graceMs: 30_000,
    concurrency: 3,
    breaker: { share: 0.3, of: 50, keys: 5, restMs: 10_000 },
  })
  assert.equal(charge.matches?.({ source: 'shop', data: { orderId: 'o-1' } }), true)
  assert.equal(charge.matches?.({ source: 'shop', data: { orderId: 'x-1' } }), false)
  assert.equal(charge.once?.by({ orderId: 'o-1' }), 'o-1')
  assert.equal(charge.once?.withinMs, 86_400_000)
  assert.equal(charge.from, Date.parse('2026-01-01T00:00:00Z'))
  assert.deepEqual([charge.on, charge.emits, charge.was], [[Placed, Shipped], [Shipped], 'pay'])
})

test('given no retry and no breaker, when defined, then there is one attempt and nothing opens', () => {
  const { policy } = fn('x', Placed, { retry: false, breaker: false, run: () => {} })
  assert.deepEqual([policy.retry.attempts, policy.breaker], [1, false])
})

test('given a batch, when a function stands on it, then it has size, wait and group', () => {
  const pushed = fn('push', batched(Placed, { size: 100, wait: '5s', by: (order) => order.orderId }), {
    run: (orders) => void orders.length,
  })
  assert.deepEqual(pushed.on, [Placed])
  assert.deepEqual([pushed.batch?.size, pushed.batch?.waitMs, pushed.batch?.by?.({ orderId: 'o-1' })], [100, 5_000, 'o-1'])
})

type Loose = Partial<Record<keyof FnOptions<typeof Placed, {}> | 'limit', unknown>>
const mistakes: readonly (readonly [options: Loose, code: Fault['code'], option?: string])[] = [
  [{ limit: { to: 1, per: '1s' } }, 'OPTION_INVALID', 'limit'],
  [{ retry: { attempts: 0 } }, 'OPTION_INVALID', 'retry.attempts'],
  [{ retry: { attempts: 2, from: '2m', to: '1m' } }, 'OPTION_INVALID', 'retry'],
  [{ retry: { attempts: 2, from: 'soon' } }, 'NOT_A_DURATION'],
  [{ timeout: '0s' }, 'OPTION_INVALID', 'timeout'],
  [{ timeout: '-5m' }, 'NOT_A_DURATION'],
  [{ concurrency: 1.5 }, 'OPTION_INVALID', 'concurrency'],
  [{ breaker: { share: 2, of: 20, rest: '1s' } }, 'OPTION_INVALID', 'breaker.share'],
  [{ from: '2026-13-45T00:00:00Z' }, 'OPTION_INVALID', 'from'],
  [{ once: { by: () => '', within: '0s' } }, 'OPTION_INVALID', 'once.within'],
  [{ where: { data: { cents: [{ wildcard: '1*' }] } } }, 'PATTERN_INVALID'],
]

test('given an option that can’t be, when a function is defined, then the fault names function and option', () => {
  for (const [options, code, option] of mistakes) {
    assert.throws(
      () => fn('charge', Placed, { ...(options as object), run: () => {} }),
      (error) => isFault(error, code) && (option === undefined || (error.data['option'] === option && error.message.includes('fn charge'))),
      JSON.stringify(options),
    )
  }
})

test('given no source, two batches, or a batch among events, when a function is defined, then it is refused', () => {
  const batch: Source = batched(Placed, { size: 2, wait: '1s' })
  for (const on of [[], [batch, batch], [batch, Placed], [JSON.parse('{"kind":"fn","name":"y"}')]]) {
    assert.throws(
      () => fn('x', on, { run: () => {} }),
      (error) => isFault(error, 'OPTION_INVALID') && error.data['option'] === 'on',
    )
  }
})

test('given a batch of nothing or of no name, when made, then it is refused', () => {
  assert.throws(
    () => batched(Placed, { size: 0, wait: '1s' }),
    (error) => isFault(error, 'OPTION_INVALID'),
  )
  assert.equal(batched(Placed, { size: 1, wait: '0s' }).waitMs, 0)
})
