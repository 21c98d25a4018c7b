import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type } from 'arktype'
import { z } from 'zod'
import { isFault } from '../kit/fault.ts'
import { config, readConfig } from './config.ts'
import { resource } from './resource.ts'

const settings = config(z.object({ URL: z.url(), KEY: z.string().min(10), SIZE: z.coerce.number().default(50) }), { secret: ['KEY'] })

test('given an environment, when read, then the settings are as the schema gives them', () => {
  assert.deepEqual(readConfig(settings, { URL: 'http://a', KEY: '0123456789', SIZE: '7', HOME: '/root' }), {
    URL: 'http://a',
    KEY: '0123456789',
    SIZE: 7,
  })
  assert.deepEqual(readConfig(settings, { URL: 'http://a', KEY: '0123456789', SIZE: '' }), { URL: 'http://a', KEY: '0123456789', SIZE: 50 })
})

test('given settings that are missing or wrong, when read, then all are named at once', () => {
  assert.throws(
    () => readConfig(settings, { KEY: 'short' }),
    (error) =>
      isFault(error, 'CONFIG_INVALID') && /URL: .*KEY: /s.test(error.message) && (error.data['issues'] as readonly unknown[]).length === 2,
  )
})

test('given a secret that is refused, when it is told, then its value is not', () => {
  const quoting = config(type({ KEY: "'a' | 'b'", NAME: "'x'" }), { secret: ['KEY'] })
  assert.throws(
    () => readConfig(quoting, { KEY: 'hunter2hunter2', NAME: 'visible' }),
    (error) =>
      isFault(error, 'CONFIG_INVALID') &&
      !error.message.includes('hunter2') &&
      !JSON.stringify(error.data).includes('hunter2') &&
      error.message.includes('visible') &&
      error.cause === undefined,
  )
})

test('given one setting, when picked, then it is a resource that knows where it is from', () => {
  const key = settings.pick('KEY')
  assert.deepEqual([key.kind, key.name, 'of' in key && key.of], ['setting', 'KEY', settings])
})

test('given a resource, when defined, then its needs and its ways to open and close are there', () => {
  const opened: unknown[] = []
  const payments = resource('payments', {
    needs: { settings },
    open: (needs) => (opened.push(needs), 1),
    close: (it) => void opened.push(it),
  })
  assert.deepEqual([payments.kind, payments.name, 'needs' in payments && payments.needs], ['resource', 'payments', { settings }])
  assert.throws(
    () => resource('pay ments', { open: () => 1 }),
    (error) => isFault(error, 'NAME_INVALID'),
  )
  assert.throws(
    () => resource('x', { open: () => 1, ...({ opens: 1 } as object) }),
    (error) => isFault(error, 'OPTION_INVALID'),
  )
})
