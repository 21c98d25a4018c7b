#!/usr/bin/env node
/** The command line: reads what is asked, does it, and ends with a code that scripts can tell apart. */
import { readFileSync } from 'node:fs'
import { codes } from '../kit/fault-codes.ts'
import { asError, fault, isFault } from '../kit/fault.ts'
import { isForeignFault } from './app-file.ts'
import { exits, type Given } from './command.ts'
import { commands } from './commands.ts'
import { helpOfAll, helpOfOne } from './help.ts'
import { checkArguments, readLine, type Line } from './read-line.ts'
import { processScreen, type Screen } from './screen.ts'

void main(process.argv.slice(2))

async function main(words: readonly string[]): Promise<void> {
  // Before the line is read, a mistake in it must be told too.
  const screen = processScreen(words.includes('--json'), words.includes('--debug'))
  quietExperiments(screen)
  try {
    // A pipe whose reader has gone is no failure of ours.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? exits.ok : exits.failed))
    const code = await run(readLine(words, commands), screen)
    await flushed()
    process.exit(code)
  } catch (thrown) {
    tellFailure(screen, thrown)
    await flushed()
    process.exit(codeOf(thrown))
  }
}

/** Node 22 warns of SQLite and of types in files, both of which we mean to use. Other warnings are told. */
function quietExperiments(screen: Screen): void {
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => {
    if (name !== 'ExperimentalWarning') screen.note(`${name}: ${message}`)
  })
}

async function run({ command, args, values }: Line, screen: Screen): Promise<number> {
  if (values['version'] === true) {
    screen.line(version())
    return exits.ok
  }
  if (command === undefined) {
    helpOfAll(screen, commands)
    return values['help'] === true ? exits.ok : exits.usage
  }
  if (values['help'] === true) {
    helpOfOne(screen, command)
    return exits.ok
  }
  checkArguments(command, args)
  for (const file of listOf(values['env-file'])) loadEnvironment(file)
  return command.run(givenBy(args, values, screen))
}

function givenBy(args: readonly string[], values: Line['values'], screen: Screen): Given {
  const text = (option: string): string | undefined => {
    const value = values[option]
    return typeof value === 'string' ? value : undefined
  }
  const store = text('store') ?? (process.env['MILLRACE_STORE'] || './millrace.db')
  return { args, text, texts: (option) => listOf(values[option]), is: (option) => values[option] === true, screen, store }
}

function listOf(value: Line['values'][string]): readonly string[] {
  return Array.isArray(value) ? value : typeof value === 'string' ? [value] : []
}

function loadEnvironment(file: string): void {
  try {
    process.loadEnvFile(file)
  } catch (error) {
    throw fault('USAGE_WRONG', `--env-file ${file} could not be read: ${asError(error).message}`, { file }, error)
  }
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string }
  return manifest.version
}

/** The code, what happened, what to do. A stack only where it is asked for. */
function tellFailure(screen: Screen, thrown: unknown): void {
  const error = asError(thrown)
  const code = isFault(error) || isForeignFault(error) ? error.code : 'UNEXPECTED'
  const todo = Object.hasOwn(codes, code) ? codes[code as keyof typeof codes].todo : ''
  const detail = error.message.startsWith(`${code}: `) ? error.message.slice(code.length + 2) : error.message
  if (screen.json)
    screen.note(
      JSON.stringify({
        error: {
          code,
          detail,
          todo: code === 'UNEXPECTED' ? 'Run it with --debug to see where.' : todo,
          ...('data' in error ? { data: error.data } : {}),
        },
      }),
    )
  else {
    screen.note(`${code}: ${detail}`)
    screen.note(code === 'UNEXPECTED' ? 'Run it with --debug to see where.' : todo)
  }
  if (screen.debug) screen.note(error.stack ?? '')
  if (screen.debug && error.cause !== undefined) screen.note(`caused by ${asError(error.cause).stack ?? ''}`)
}

const unreachable = new Set(['STORE_HELD', 'STORE_UNREACHABLE', 'APP_NOT_RUNNING'])

function codeOf(thrown: unknown): number {
  if (!isFault(thrown)) return exits.failed
  if (thrown.code === 'USAGE_WRONG' || thrown.code === 'OPERATION_INVALID') return exits.usage
  if (unreachable.has(thrown.code)) return exits.unreachable
  return codes[thrown.code].status === 404 ? exits.nothing : exits.failed
}

/** What was written to a pipe may not have left yet. */
async function flushed(): Promise<void> {
  await Promise.all(
    [process.stdout, process.stderr].map(
      (stream) => new Promise<void>((done) => (stream.writableLength === 0 ? done() : stream.write('', () => done()))),
    ),
  )
}
