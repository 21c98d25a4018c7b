/** Publishing one event, and following the log. */
import { setTimeout as rest } from 'node:timers/promises'
import type { EventView } from '../observe/event-trail.ts'
import type { LogPage } from '../observe/log-page.ts'
import { fault } from '../kit/fault.ts'
import { exits, type Command, type Given } from './command.ts'
import { connected, type Connection } from './connection.ts'
import { sinceOf } from './dead-letter-commands.ts'
import { readData } from './given-data.ts'
import { shortKey, type Screen } from './screen.ts'

export const publishCommand: Command = {
  name: 'publish',
  summary: 'publish an event through the running app, which validates it',
  details: ['The same id again, with the same content, changes nothing, and says so.'],
  takes: [
    { name: 'TYPE', needed: true },
    { name: 'JSON|@FILE|-', needed: true },
  ],
  options: {
    id: { type: 'string', value: 'ID', says: 'makes a repeat the same event (else a new one)' },
    key: { type: 'string', value: 'KEY', says: 'what ordering is kept by, where the event does not say' },
    subject: { type: 'string', value: 'TEXT', says: 'what it is about' },
  },
  examples: [
    [`publish OrderPlaced '{"orderId":"o-1","cents":900}'`, 'prints its id'],
    ['publish OrderPlaced @order.json --id order-o-1', 'may be repeated'],
    ['publish OrderPlaced - < order.json', 'from stdin'],
  ],
  async run({ args, text, store, screen }) {
    const [type = '', json = ''] = args
    const named = Object.fromEntries(['id', 'key', 'subject'].flatMap((name) => (text(name) === undefined ? [] : [[name, text(name)]])))
    const body = { type, data: JSON.parse(await readData(json)) as unknown, ...named }
    const published = await connected(store, ({ ask }) => ask<{ ids: readonly string[]; repeated: boolean }>('POST', '/v1/events', body))
    if (screen.json) screen.value(published)
    else screen.line(`${published.ids[0] ?? ''}${published.repeated ? ' was published before' : ''}`)
    return exits.ok
  },
}

export const tailCommand: Command = {
  name: 'tail',
  summary: 'follow the log: events as they come',
  details: ['Where no app runs it shows what is there, and ends.'],
  takes: [],
  options: {
    from: { type: 'string', value: 'PLACE', says: 'now, start, or a position (else now)' },
    since: { type: 'string', value: 'WHEN', says: 'from the start, only those stored since: 30m, 2h, 1d, or an instant' },
    type: { type: 'string', value: 'TYPE', multiple: true, says: 'only events of this type; may be given several times' },
    key: { type: 'string', value: 'KEY', says: 'only events of this key' },
    source: { type: 'string', value: 'SOURCE', says: 'only events from there' },
    limit: { type: 'string', short: 'n', value: 'N', says: 'end after so many' },
    'no-follow': { type: 'boolean', says: 'end where the log ends' },
  },
  examples: [
    ['tail', 'what comes from now on'],
    ['tail --from start --type OrderPlaced --no-follow --json', 'all of a type, one JSON text a line'],
    ['tail --since 10m', 'the last ten minutes, and on'],
  ],
  run: (given) => connected(given.store, (connection) => follow(given, connection)),
}

async function follow(given: Given, { ask, live }: Connection): Promise<number> {
  const { screen } = given
  const limit = limitOf(given.text('limit'))
  const follows = live && !given.is('no-follow')
  const since = given.text('since')
  const query = new URLSearchParams([
    ...given.texts('type').map((type): [string, string] => ['type', type]),
    ...['key', 'source'].flatMap((name): [string, string][] => (given.text(name) === undefined ? [] : [[name, given.text(name) ?? '']])),
    ...(since === undefined ? [] : [['sinceMs', String(sinceOf(since))] as [string, string]]),
  ])
  let from = given.text('from') ?? (since !== undefined || !follows ? 'start' : 'now')
  for (let left = limit; left > 0;) {
    query.set('from', from)
    query.set('limit', String(Math.min(left, 500)))
    query.set('waitMs', follows ? '20000' : '0')
    const page = await askPage(ask, query, screen)
    if (page === undefined) return exits.ok
    for (const event of page.events.slice(0, left)) writeEvent(screen, event)
    left -= page.events.length
    if (page.end && !follows) break
    from = page.next
  }
  return exits.ok
}

/** The app may stop while we wait: then there is nothing to follow any more. */
async function askPage(ask: Connection['ask'], query: URLSearchParams, screen: Screen): Promise<LogPage | undefined> {
  try {
    return await ask<LogPage>('GET', `/v1/log?${query.toString()}`)
  } catch (thrown) {
    await rest(0)
    if (thrown instanceof Error && thrown.message.startsWith('STORE_UNREACHABLE')) {
      screen.note('the app has stopped')
      return undefined
    }
    throw thrown
  }
}

function writeEvent(screen: Screen, event: EventView): void {
  if (screen.json) return screen.value(event)
  const { storedAt, type, key, id, data } = event
  screen.line(
    [
      screen.styled('dim', storedAt.slice(11, 23)),
      screen.styled('bold', type),
      `${id} key ${shortKey(key)}`,
      screen.styled('dim', JSON.stringify(data)),
    ].join(' '),
  )
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY
  const limit = Number(text)
  if (!Number.isSafeInteger(limit) || limit < 1) throw fault('USAGE_WRONG', `--limit '${text}' is no number from 1 on`, { limit: text })
  return limit
}
