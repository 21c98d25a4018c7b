/** Dead letters: events that failed to the end, and hold their keys until somebody redrives, edits or discards them. */
import { milliseconds, type Duration } from '../kit/duration.ts'
import { fault } from '../kit/fault.ts'
import type { DeadLetter, DeadLetterInFull } from '../observe/dead-letters.ts'
import type { Settled } from '../observe/operator.ts'
import { byOption, exits, type Command, type Given, type Options } from './command.ts'
import { connected } from './connection.ts'
import { readData } from './given-data.ts'
import { withCode } from './look-commands.ts'
import { ago, firstLine, place, shortKey, type Screen } from './screen.ts'
import { whoAsks } from './steer-commands.ts'

const filters: Options = {
  subscription: { type: 'string', value: 'NAME', says: 'only of this subscription' },
  key: { type: 'string', value: 'KEY', says: 'only of this order key' },
  type: { type: 'string', value: 'TYPE', says: 'only events of this type' },
  code: { type: 'string', value: 'CODE', says: 'only those that failed with this code' },
  since: { type: 'string', value: 'WHEN', says: 'only those parked since: 30m, 2h, 1d, or an instant' },
}

export const listCommand: Command = {
  name: 'dead-letters',
  summary: 'events that failed to the end, and hold their keys: what, where and why',
  takes: [],
  options: filters,
  examples: [
    ['dead-letters', 'all of them'],
    ['dead-letters --subscription charge-card --since 1h', 'of one subscription, parked within the hour'],
  ],
  run: (given) => list(given),
}

export const listedCommand: Command = { ...listCommand, name: 'dead-letters list', summary: 'the same as dead-letters' }

export const showCommand: Command = {
  name: 'dead-letters show',
  summary: 'one of them in full: its data, the error, the attempts, what waits behind it',
  takes: [{ name: 'ID', needed: true }],
  options: { subscription: { type: 'string', value: 'NAME', says: 'where several have parked this event' } },
  examples: [['dead-letters show evt_8812', 'by the id of its event']],
  async run(given) {
    const answer = await connected(given.store, ({ ask }) =>
      ask<{ deadLetters: readonly DeadLetterInFull[] }>(
        'GET',
        `/v1/dead-letters/${encodeURIComponent(given.args[0] ?? '')}?${queryOf(given)}`,
      ),
    )
    if (given.screen.json) given.screen.value(answer)
    else for (const [i, letter] of answer.deadLetters.entries()) writeOne(given.screen, letter, i > 0)
    return exits.ok
  },
}

export const redriveCommand: Command = {
  name: 'dead-letters redrive',
  summary: 'run them again, from attempt 0, through today’s code; what waits behind follows in order',
  takes: [{ name: 'ID', needed: false, many: true }],
  options: { ...filters, all: { type: 'boolean', says: 'all of them' }, ...byOption },
  examples: [
    ['dead-letters redrive evt_8812', 'one, by the id of its event'],
    ['dead-letters redrive --subscription charge-card --code PROVIDER_DOWN', 'all that failed so'],
    ['dead-letters redrive --all', 'everything'],
  ],
  run: (given) => settle(given, 'redrive', chosenBy(given), 'redriven'),
}

export const discardCommand: Command = {
  name: 'dead-letters discard',
  summary: 'give one up: it counts as done; what waits behind goes on',
  takes: [{ name: 'ID', needed: false, many: true }],
  options: {
    ...filters,
    all: { type: 'boolean', says: 'all of them' },
    'whole-key': { type: 'boolean', says: 'and what waits behind it' },
    ...byOption,
  },
  examples: [
    ['dead-letters discard evt_8812', 'this one; the next of its key runs'],
    ['dead-letters discard evt_8812 --whole-key', 'and all of its key that wait behind it'],
  ],
  run: (given) => settle(given, 'discard', { ...chosenBy(given), ...(given.is('whole-key') ? { wholeKey: true } : {}) }, 'discarded'),
}

export const editCommand: Command = {
  name: 'dead-letters edit',
  summary: 'put other data in its place: a new run; the log keeps what was published',
  takes: [
    { name: 'ID', needed: true },
    { name: 'JSON|@FILE|-', needed: true },
  ],
  options: {
    subscription: { type: 'string', value: 'NAME', says: 'where several have parked this event' },
    redrive: { type: 'boolean', says: 'and run it at once' },
    ...byOption,
  },
  examples: [
    [`dead-letters edit evt_8812 '{"orderId":"o-7","cents":900}' --redrive`, 'the whole data, not a part of it'],
    ['dead-letters edit evt_8812 @mended.json', 'from a file; then: dead-letters redrive evt_8812'],
  ],
  async run(given) {
    const [id = '', json = ''] = given.args
    const subscription = given.text('subscription')
    const body = { id, data: await readData(json), redrive: given.is('redrive'), ...(subscription === undefined ? {} : { subscription }) }
    return settle(given, 'edit', body, given.is('redrive') ? 'edited and redriven' : 'edited')
  },
}

async function list(given: Given): Promise<number> {
  const { store, screen } = given
  const answer = await connected(store, ({ ask }) =>
    ask<{ deadLetters: readonly DeadLetter[] }>('GET', `/v1/dead-letters?${queryOf(given)}`),
  )
  if (screen.json) screen.value(answer)
  else if (answer.deadLetters.length === 0) screen.line('nothing is parked')
  else {
    const columns = [
      { title: 'SUBSCRIPTION', least: 12 },
      { title: 'KEY', least: 8 },
      { title: 'EVENT', least: 36 },
      { title: 'TYPE', least: 8 },
      { title: 'PARKED' },
      { title: 'TRIES', right: true },
      { title: 'BEHIND', right: true },
      { title: 'WHY', least: 16 },
    ] as const
    screen.table(
      columns,
      answer.deadLetters.map((one) => [
        one.subscription,
        shortKey(one.key),
        one.id,
        one.type,
        ago(one.parkedAt, Date.now()),
        String(one.attempts),
        String(one.behind),
        withCode(one.code, one.error),
      ]),
    )
    screen.line()
    screen.line(screen.styled('dim', 'millrace dead-letters show EVENT tells more; redrive, edit or discard settles it'))
  }
  return exits.ok
}

function writeOne(screen: Screen, letter: DeadLetterInFull, gap: boolean): void {
  const { type, id, subscription, key, attempts, parkedAt, code, error, stack, data, original, waiting, behind, source, time, position } =
    letter
  const tries = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
  if (gap) screen.line()
  screen.line(
    `${screen.styled('bold', type)} ${id}, parked in ${screen.styled('bold', subscription)} ${ago(parkedAt, Date.now())} after ${tries}`,
  )
  screen.line(`from ${source} at ${time}, key ${shortKey(key)}, position ${place(position)}`)
  screen.line()
  screen.line(screen.styled('red', withCode(code, error)))
  for (const line of stack?.split('\n').slice(1) ?? []) screen.line(screen.styled('dim', line))
  screen.line()
  screen.line(`${original === undefined ? 'data' : 'data, as edited'}  ${JSON.stringify(data)}`)
  if (original !== undefined) screen.line(`as published     ${JSON.stringify(original)}`)
  if (behind > 0) screen.line(`\n${behind} of its key ${behind === 1 ? 'waits' : 'wait'} behind it:`)
  for (const one of waiting) screen.line(`  ${one.type} ${one.id}`)
  if (behind > waiting.length) screen.line(`  and ${behind - waiting.length} more`)
}

async function settle(given: Given, what: string, body: object, done: string): Promise<number> {
  const { store, screen } = given
  const answer = await connected(store, ({ ask }) =>
    ask<{ settled: readonly Settled[] }>('POST', `/v1/dead-letters/${what}`, { ...body, by: whoAsks(given) }),
  )
  if (screen.json) {
    screen.value(answer)
    return exits.ok
  }
  if (answer.settled.length === 0) screen.line('nothing fits')
  // An edit that is redriven is two operations on one event: the last tells of both, unless one is refused.
  const last = new Map<string, Settled>()
  for (const one of answer.settled) {
    const event = `${one.subscription} ${one.id}`
    if (last.get(event)?.outcome !== 'refused') last.set(event, one)
  }
  for (const one of last.values()) {
    const of = `${one.id} of ${one.subscription}${one.key === '' ? '' : `, key ${shortKey(one.key)}`}`
    screen.line(one.outcome === 'done' ? `${done}: ${of}` : `${one.outcome}: ${of}; ${firstLine(one.why ?? '')}`)
  }
  return exits.ok
}

function chosenBy(given: Given): object {
  const { since, ...rest } = filterOf(given)
  return { ids: given.args, ...(given.is('all') ? { all: true } : {}), ...rest, ...(since === undefined ? {} : { sinceMs: Number(since) }) }
}

function queryOf(given: Given): string {
  const { since, ...rest } = filterOf(given)
  return new URLSearchParams({ ...rest, ...(since === undefined ? {} : { sinceMs: since }) }).toString()
}

function filterOf(given: Given): Record<string, string> {
  const texts = ['subscription', 'key', 'type', 'code'].flatMap((name) => {
    const value = given.text(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  const since = given.text('since')
  return Object.fromEntries([...texts, ...(since === undefined ? [] : [['since', String(sinceOf(since))] as const])])
}

/** So long ago, or an instant. */
export function sinceOf(text: string): number {
  if (/^\d+(\.\d+)?(ms|s|m|h|d)$/.test(text)) return Math.floor(Date.now() - milliseconds(text as Duration))
  const instant = Date.parse(text)
  if (Number.isNaN(instant))
    throw fault('USAGE_WRONG', `'${text}' is no time: write 30m, 2h, 1d, or an instant such as 2026-01-31T12:00:00Z`, { since: text })
  return instant
}
