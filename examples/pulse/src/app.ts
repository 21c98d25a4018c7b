/** The app: whatever these modules export. */
import { app } from 'millrace'
import * as doors from './doors.ts'
import * as events from './events.ts'
import * as functions from './functions.ts'
import * as notices from './notices.ts'
import * as projections from './projections.ts'
import * as settings from './settings.ts'

export const pulse = app('pulse', { events, functions, projections, doors, notices, settings })
