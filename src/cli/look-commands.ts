/** Looking: subscriptions, lanes, one event's way, and what operators did. */
import type { Station, Trail } from '../observe/event-trail.ts'
import type { OperationView } from '../observe/operation-log.ts'
import type { Lag, LaneView, SubscriptionView } from '../observe/subscription-views.ts'
import { exits, type Command } from './command.ts'
import { connected } from './connection.ts'
import { ago, firstLine, grouped, place, shortKey, type Screen } from './screen.ts'

export const subscriptionsCommand: Command = {
  name: 'subscriptions',
  summary: 'what consumes events, how far it has come, and what stops it',
  details: [
    'LAG is what it wants and has still to settle, HELD the keys that wait for another attempt, PARKED those that wait for you.',
    'Where no app runs, nobody can tell which events a subscription wants: then LAG counts all that come after its mark.',
  ],
  takes: [],
  options: {},
  examples: [
    ['subscriptions', 'of the app that holds ./millrace.db'],
    ['subscriptions --store data/shop.db --json', 'for a script'],
  ],
  async run({ store, screen }) {
    const { live, answer } = await connected(store, async ({ live: runs, ask }) => ({
      live: runs,
      answer: await ask<{ subscriptions: readonly SubscriptionView[] }>('GET', '/v1/subscriptions'),
    }))
    if (screen.json) screen.value(answer)
    else writeSubscriptions(screen, answer.subscriptions, live)
    return exits.ok
  },
}

export const lanesCommand: Command = {
  name: 'lanes',
  summary: 'each lane of each subscription: its owner, its mark, what it holds',
  takes: [],
  options: {},
  examples: [['lanes', 'who owns what, and how far it has come']],
  async run({ store, screen }) {
    const answer = await connected(store, ({ ask }) => ask<{ lanes: readonly LaneView[] }>('GET', '/v1/lanes'))
    if (screen.json) screen.value(answer)
    else if (answer.lanes.length === 0) screen.line('no subscription has a lane in this store')
    else {
      const columns = [
        { title: 'SUBSCRIPTION', least: 12 },
        { title: 'LANE' },
        { title: 'OWNER', least: 8 },
        { title: 'EPOCH', right: true },
        { title: 'MARK', right: true },
        { title: 'HOLES', right: true },
        { title: 'LAG', right: true },
        { title: 'HELD', right: true },
        { title: 'PARKED', right: true },
      ] as const
      screen.table(
        columns,
        answer.lanes.map((lane) => [
          lane.subscription,
          lane.lane,
          lane.owner ?? '-',
          String(lane.epoch),
          place(lane.mark) || '-',
          grouped(lane.holes),
          lagText(lane.lag),
          grouped(lane.held),
          grouped(lane.parked),
        ]),
      )
    }
    return exits.ok
  },
}

export const eventCommand: Command = {
  name: 'event',
  summary: 'the way of one event: for each subscription done, filtered, waiting, held or parked, and why',
  details: ['The beginning of an id is enough where only one event has it.'],
  takes: [{ name: 'ID', needed: true }],
  options: { source: { type: 'string', value: 'SOURCE', says: 'where it comes from, if two sources gave one id' } },
  examples: [
    ['event 0199f3c2-7a51-7c02-8f3e-2b8d5f0e6a11', 'what became of it'],
    ['event evt_8812 --source /hooks/payments', 'a delivery, by the id that its sender gave'],
  ],
  async run({ store, screen, args, text }) {
    const source = text('source')
    const query = source === undefined ? '' : `?source=${encodeURIComponent(source)}`
    const trail = await connected(store, ({ ask }) => ask<Trail>('GET', `/v1/events/${encodeURIComponent(args[0] ?? '')}${query}`))
    if (screen.json) screen.value(trail)
    else writeTrail(screen, trail)
    return exits.ok
  },
}

export const operationsCommand: Command = {
  name: 'operations',
  summary: 'what operators did: who, what and when',
  takes: [],
  options: { limit: { type: 'string', value: 'N', says: 'at most so many, the newest first (else 50)' } },
  examples: [['operations --limit 10', 'the last ten']],
  async run({ store, screen, text }) {
    const answer = await connected(store, ({ ask }) =>
      ask<{ operations: readonly OperationView[] }>('GET', `/v1/operations?limit=${encodeURIComponent(text('limit') ?? '50')}`),
    )
    if (screen.json) screen.value(answer)
    else if (answer.operations.length === 0) screen.line('nobody has done anything yet')
    else
      screen.table(
        [
          { title: 'WHEN' },
          { title: 'WHO' },
          { title: 'WHAT' },
          { title: 'SUBSCRIPTION', least: 12 },
          { title: 'KEY', least: 8 },
          { title: 'WHY' },
        ],
        answer.operations.map((one) => [ago(one.at, Date.now()), one.by, one.op, one.subscription, shortKey(one.key ?? ''), one.why ?? '']),
      )
    return exits.ok
  },
}

function writeSubscriptions(screen: Screen, subscriptions: readonly SubscriptionView[], live: boolean): void {
  if (subscriptions.length === 0) return screen.line('this store knows no subscription: no app has started on it yet')
  const columns = [
    { title: 'SUBSCRIPTION', least: 12 },
    { title: 'KIND' },
    { title: 'STATE' },
    { title: 'LAG', right: true },
    { title: 'HELD', right: true },
    { title: 'PARKED', right: true },
    { title: 'DONE', right: true },
    { title: 'FAILED', right: true },
  ] as const
  screen.table(
    columns,
    subscriptions.map((one) => [
      one.name,
      one.kind,
      stateOf(one),
      lagText(one.lag),
      grouped(one.held),
      grouped(one.parked),
      grouped(one.counts.done),
      grouped(one.counts.failed),
    ]),
  )
  const remarks = subscriptions.flatMap((one) => remarksOn(one, live))
  if (remarks.length > 0) screen.line()
  for (const remark of remarks) screen.line(remark)
  if (!live) screen.note('no app runs on this store: this is how the last one left it')
}

function stateOf({ paused, standsAt, breaker, running }: SubscriptionView): string {
  if (paused !== undefined) return 'paused'
  if (!running) return 'not running'
  if (standsAt !== undefined) return 'stands'
  return breaker === 'open' ? 'breaker open' : 'running'
}

function remarksOn(one: SubscriptionView, live: boolean): readonly string[] {
  const { name, paused, standsAt, probesAt, parked, running } = one
  return [
    ...(paused === undefined
      ? []
      : [`${name}: paused by ${paused.by} ${ago(paused.at, Date.now())}${because(paused.why)}; millrace resume ${name}`]),
    ...(standsAt === undefined
      ? []
      : [`${name}: stands at ${standsAt.type} ${standsAt.id}: ${firstLine(standsAt.why)}; millrace dead-letters discard ${standsAt.id}`]),
    ...(probesAt === undefined ? [] : [`${name}: its breaker lets the next probe through ${ago(probesAt, Date.now())}`]),
    ...(parked === 0
      ? []
      : [`${name}: ${parked === 1 ? 'a key is' : `${parked} keys are`} parked; millrace dead-letters --subscription ${name}`]),
    ...(live && !running ? [`${name}: the app has it no more; millrace forget ${name} deletes what it keeps`] : []),
  ]
}

function because(why: string | undefined): string {
  return why === undefined ? '' : `: ${why}`
}

function lagText({ events, more }: Lag): string {
  return `${grouped(events)}${more ? '+' : ''}`
}

function writeTrail(screen: Screen, { event, stations, caused, causedMore }: Trail): void {
  const { type, id, version, source, key, time, lane, position, cause, data } = event
  screen.line(`${screen.styled('bold', type)} ${id}`)
  screen.line(`version ${version} from ${source}, key ${shortKey(key)}, at ${time}, lane ${lane}, position ${place(position)}`)
  if (cause !== undefined) screen.line(`caused by ${cause}`)
  screen.line(JSON.stringify(data))
  screen.line()
  if (stations.length === 0) screen.line('no subscription is there')
  else
    screen.table(
      [{ title: 'SUBSCRIPTION', least: 12 }, { title: 'STATE' }, { title: 'WHY', least: 20 }],
      stations.map((one) => [one.subscription, one.state, stationText(one)]),
    )
  if (caused.length > 0) screen.line()
  for (const one of caused) screen.line(`caused ${one.type} ${one.id}, key ${shortKey(one.key)}`)
  if (causedMore) screen.line('there may be more that it caused: the log was not read to its end')
}

function stationText({ state, why, attempts, dueAt, error, code }: Station): string {
  const failed = error === undefined ? '' : withCode(code, error)
  const tries =
    attempts === undefined || attempts === 0
      ? ''
      : state === 'running'
        ? `attempt ${attempts}`
        : `after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  const due = dueAt === undefined ? '' : `tried again ${ago(dueAt, Date.now())}`
  return [tries, failed, due === '' ? (why ?? '') : due].filter((text) => text !== '').join('; ')
}

/** The message of a fault of ours begins with its code. */
export function withCode(code: string | undefined, message: string): string {
  const line = firstLine(message)
  return code === undefined || line.startsWith(`${code}:`) ? line : `${code}: ${line}`
}
