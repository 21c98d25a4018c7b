/** The app: modules by name. What a module exports is what the app has. */
import { app } from '../../../src/entry/index.ts'
import * as analytics from './analytics.ts'
import * as devices from './devices.ts'
import * as hooks from './hooks.ts'
import * as notifications from './notifications.ts'
import * as settings from './settings.ts'
import * as shop from './shop.ts'

export const everything = app('everything', { settings, shop, analytics, notifications, devices, hooks })
export const small = app('small', [shop.OrderPlaced, shop.charge])
export const both = app('both', [small, devices.ReadingTaken])

export const refused = [
  // @ts-expect-error: an event value, not its fact
  () => app('x', [shop.OrderShipped({ orderId: 'o-1', carrier: 'post' })]),
  // @ts-expect-error: not a definition
  () => app('x', [shop.charge, { run: () => {} }]),
  // @ts-expect-error: not a definition either
  () => app('x', [shop.charge, async () => {}]),
  // @ts-expect-error: no such option
  () => app('x', [shop.charge], { schemas: {} }),
]
