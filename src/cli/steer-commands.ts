/** Pausing a subscription, letting it go on, and forgetting one that was removed. */
import { userInfo } from 'node:os'
import { byOption, exits, type Command, type Given } from './command.ts'
import { connected } from './connection.ts'

interface Paused {
  readonly subscription: string
  readonly paused: boolean
  readonly changed: boolean
}

const name = { name: 'NAME', needed: true } as const

export const pauseCommand: Command = {
  name: 'pause',
  summary: 'a subscription starts no new turn, until `resume`; a restart does not change that',
  takes: [name],
  options: { ...byOption, why: { type: 'string', value: 'TEXT', says: 'for whoever finds it paused' } },
  examples: [['pause charge-card --why "the provider is down until noon"', 'events wait, in order, and nothing is lost']],
  async run(given) {
    const why = given.text('why')
    const done = await steer<Paused>(given, 'pause', why === undefined ? {} : { why })
    return told(given, done, done.changed ? `${done.subscription} is paused` : `${done.subscription} was paused already`)
  },
}

export const resumeCommand: Command = {
  name: 'resume',
  summary: 'a paused subscription goes on',
  takes: [name],
  options: byOption,
  examples: [['resume charge-card', 'where it stopped']],
  async run(given) {
    const done = await steer<Paused>(given, 'resume', {})
    return told(given, done, done.changed ? `${done.subscription} goes on` : `${done.subscription} was not paused`)
  },
}

export const forgetCommand: Command = {
  name: 'forget',
  summary: 'delete what a removed subscription keeps: its place in the log, its dead letters, its rows',
  details: [
    'A subscription that the app no longer has keeps everything, so that it can come back. This ends that.',
    'It is refused while a running app has the subscription. Under the same name it would begin anew.',
  ],
  takes: [name],
  options: { ...byOption, yes: { type: 'boolean', short: 'y', says: 'really: there is no way back' } },
  examples: [['forget old-report --yes', 'after it was taken out of the app']],
  async run(given) {
    const [wanted = ''] = given.args
    if (!given.is('yes')) {
      given.screen.note(`forget deletes all that ${wanted} keeps, and there is no way back: add --yes`)
      return exits.usage
    }
    const done = await steer<{ subscription: string; rows: number }>(given, 'forget', {})
    return told(given, done, `${done.subscription} is forgotten: ${done.rows} rows deleted`)
  },
}

export function whoAsks(given: Given): string {
  return given.text('by') ?? userInfo().username
}

function steer<T>(given: Given, what: string, body: object): Promise<T> {
  const [wanted = ''] = given.args
  return connected(given.store, ({ ask }) =>
    ask<T>('POST', `/v1/subscriptions/${encodeURIComponent(wanted)}/${what}`, { ...body, by: whoAsks(given) }),
  )
}

function told({ screen }: Given, answer: object, sentence: string): number {
  if (screen.json) screen.value(answer)
  else screen.line(sentence)
  return exits.ok
}
