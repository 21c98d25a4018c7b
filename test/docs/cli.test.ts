/** What the guide on the command says, compared with the table of commands, and with what they answer. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { exitMeanings, globalOptions } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/commands.ts'
import { usage } from '../../src/cli/help.ts'
import { appFile, newPlace } from '../cli/command-line.ts'
import { readPage, tableOf } from './pages.ts'

const page = readPage('docs/guides/cli.md')
const textOf = (text: string): string => text.replaceAll('`', '')

describe('the guide on the command', () => {
  test('given all commands, when the page is read, then it has each of them, as the help tells it', () => {
    assert.deepEqual(
      tableOf(page, 'command'),
      commands.map((command) => [usage(command), textOf(command.summary)]),
    )
  })

  test('given the options of all, when the page is read, then it has each of them', () => {
    assert.deepEqual(
      tableOf(page, 'option'),
      Object.entries(globalOptions).map(([name, { says }]) => [`--${name}`, says]),
    )
  })

  test('given the exit codes, when the page is read, then it has each of them', () => {
    assert.deepEqual(tableOf(page, 'code'), Object.entries(exitMeanings))
  })
})

describe('answers for scripts', () => {
  const place = newPlace()
  before(() => place.start(['start', appFile, '--no-http']))
  after(() => place.remove())

  const lines: Readonly<Record<string, readonly string[]>> = {
    'check FILE': ['check', appFile],
    'publish TYPE JSON': ['publish', 'Ordered', '{"order":"a","table":"t","dish":"pie"}', '--id', 'a1'],
    tail: ['tail', '--from', 'start', '--limit', '1'],
    'event ID': ['event', 'a1'],
    'pause NAME': ['pause', 'cook'],
    'resume NAME': ['resume', 'cook'],
  }

  test('given an app that runs, when each command is asked for JSON, then it has the members that the page names', async () => {
    for (const [commandsOf = '', members = ''] of tableOf(page, 'with --json')) {
      for (const command of commandsOf.split(', ')) {
        const answer = await place.json<object>(lines[command] ?? [command])
        const wanted = members.replace(/^.*: /, '').split(', ')
        assert.deepEqual(
          wanted.filter((member) => !(member in answer)),
          [],
          command,
        )
      }
    }
  })
})
