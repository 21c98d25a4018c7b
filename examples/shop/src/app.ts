/** The shop: whatever these modules define. Nothing is listed twice, so nothing can be forgotten. */
import { app } from 'millrace'
import * as events from './events.ts'
import * as functions from './functions.ts'
import * as payments from './payments.ts'
import * as projections from './projections.ts'
import * as routes from './routes.ts'
import * as settings from './settings.ts'
import * as warehouse from './warehouse.ts'

export const shop = app('shop', { events, settings, payments, warehouse, functions, projections, routes })
