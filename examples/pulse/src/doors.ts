/** Where deliveries come in, and where questions are asked. */
import { github, route, webhook } from 'millrace'
import { GithubDelivered } from './events.ts'
import { delivered, payload } from './github.ts'
import { busiest, deliveriesAt, latestAlarms, totals, workIn } from './projections.ts'
import { settings } from './settings.ts'

/** The event's id is that of the delivery (`X-GitHub-Delivery`): GitHub may send it as often as it likes. */
export const hook = webhook('/hooks/github', GithubDelivered, {
  verify: github(settings.pick('GITHUB_SECRET')),
  body: payload,
  data: delivered,
})

export const getTotals = route('GET /totals', totals)
export const getDeliveries = route('GET /deliveries', deliveriesAt)
export const getSenders = route('GET /senders', busiest)
export const getWork = route('GET /items/:state', workIn)
export const getAlarms = route('GET /alarms', latestAlarms)
