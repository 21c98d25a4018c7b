/** Runs an app: one process, one store, drained and stopped by the first signal. */
import { jsonSchema } from '../contracts/json-schema.ts'
import type { App } from '../define/app.ts'
import { start } from '../entry/start.ts'
import type { Running, StartOptions } from '../entry/start-options.ts'
import { socketPathOf } from '../hosts/node-socket.ts'
import { fault, isFault } from '../kit/fault.ts'
import type { Level } from '../ports/telemetry.ts'
import { loadApp } from './app-file.ts'
import { exits, type Command, type Given, type Options } from './command.ts'
import { numberOf } from './numbers.ts'
import { sampleOf } from './sample-data.ts'
import type { Screen } from './screen.ts'

export const startOptions: Options = {
  port: { type: 'string', short: 'p', value: 'PORT', says: 'where HTTP listens; 0: any free one (else PORT, else 3000)' },
  host: { type: 'string', value: 'ADDRESS', says: 'the address it listens at (else 127.0.0.1)' },
  'no-http': { type: 'boolean', says: 'serve no HTTP' },
  lanes: { type: 'string', value: 'N', says: 'how many lanes a new store is made with (else 1)' },
  'log-level': { type: 'string', value: 'LEVEL', says: 'debug, info, warn or error (else info)' },
}

const defaultPort = '3000'
const levels = ['debug', 'info', 'warn', 'error']
const sameSignalMs = 300
/** As a shell counts what ended by a signal. */
const endedBy = { SIGINT: 130, SIGTERM: 143 } as const

export const startCommand: Command = {
  name: 'start',
  summary: 'run an app; Ctrl-C drains and stops it, and the next start carries on',
  details: [
    'The file is an ES module, TypeScript as it is, that exports the app.',
    'Logs go to stdout: text on a terminal, one JSON object a line elsewhere.',
  ],
  takes: [{ name: 'FILE', needed: true }],
  options: startOptions,
  examples: [
    ['start src/app.ts', 'on ./millrace.db, at http://127.0.0.1:3000'],
    ['start src/app.ts --port 8080 --store data/shop.db --env-file .env', 'elsewhere, with settings from a file'],
    ['start dist/app.js --no-http', 'without HTTP'],
  ],
  async run(given) {
    const app = await loadApp(given.args[0] ?? '')
    const options = startedWith(given)
    const running = await startPatiently(() => start(app, options), given.screen.note)
    const ended = untilSignal(running, given.screen)
    tell(given, app, running)
    return ended
  },
}

/**
 * Another command that looks into the file holds it for a moment, and so does an app that is just stopping. Each try waits for a second
 * by itself: SQLite does. What holds it longer stays. (`dev` needs no more: it waits for the end of the run before.)
 */
export async function startPatiently<T>(open: () => Promise<T>, note: (text: string) => void): Promise<T> {
  try {
    return await open()
  } catch (thrown) {
    if (!isFault(thrown, 'STORE_HELD')) throw thrown
    note(`${thrown.message.slice('STORE_HELD: '.length)}: it waits for a moment`)
    return open()
  }
}

function startedWith(given: Given): StartOptions {
  const { store, text, is } = given
  const host = text('host')
  const lanes = text('lanes')
  const level = text('log-level')
  if (level !== undefined && !levels.includes(level))
    throw fault('USAGE_WRONG', `--log-level '${level}': there are ${levels.join(', ')}`, { level })
  return {
    store,
    ...(is('no-http') ? {} : { port: numberOf('port', text('port') ?? process.env['PORT'] ?? defaultPort, 0, 65_535) }),
    ...(host === undefined ? {} : { host }),
    ...(lanes === undefined ? {} : { lanes: numberOf('lanes', lanes, 1, 1_024) }),
    ...(level === undefined ? {} : { logLevel: level as Level }),
  }
}

/** On a terminal a few lines of text; elsewhere one more line of the log. */
function tell({ screen, store }: Given, app: App, { url }: Running): void {
  if (process.stdout.isTTY !== true || screen.json) {
    const socket = store === ':memory:' ? {} : { socket: socketPathOf(store) }
    return screen.value({
      time: new Date().toISOString(),
      level: 'info',
      message: `${app.name} runs`,
      ...(url === undefined ? {} : { url }),
      store,
      ...socket,
    })
  }
  screen.line(`${screen.styled('bold', app.name)} ${url === undefined ? 'runs' : `listens at ${url}`}, its events are in ${store}`)
  for (const line of tries(app, url, store)) screen.line(`  ${screen.styled('dim', line)}`)
}

/** What can be pasted into another terminal. */
function tries(app: App, url: string | undefined, store: string): readonly string[] {
  const option = store === './millrace.db' ? '' : ` --store ${store}`
  const question = app.words.find((word) => word.kind === 'route' && word.method === 'GET' && !word.path.includes(':'))
  const asked = url === undefined ? [] : [`curl ${url}${question?.kind === 'route' ? question.path : '/ready'}`]
  if (store === ':memory:') return asked
  const data = sampled(app)
  return [...(data === undefined ? [] : [`millrace publish ${data}${option}`]), ...asked, `millrace subscriptions${option}`]
}

/** An event that something consumes, and data that its schema takes, where it can be made up. */
function sampled(app: App): string | undefined {
  const consumed = new Set(app.words.flatMap((word) => (word.kind === 'fn' ? word.on : [])))
  const event = app.words.find((word) => word.kind === 'event' && consumed.has(word))
  if (event?.kind !== 'event') return undefined
  try {
    const text = JSON.stringify(sampleOf(jsonSchema(event.schema, app.jsonSchema), 1))
    return text.length > 200 || text.includes("'") ? undefined : `${event.type} '${text}'`
  } catch {
    return undefined
  }
}

/** The first signal drains; a second one does not wait. */
function untilSignal(running: Running, screen: Screen): Promise<number> {
  return new Promise((resolve) => {
    let askedMs: number | undefined
    // A process without a server or a timer would end by itself.
    const alive = setInterval(() => {}, 60_000)
    const signalled = (signal: keyof typeof endedBy): void => {
      // Whoever ends a whole group of processes sends each a signal, and `dev` passes it on: within a moment it is the same one.
      if (askedMs !== undefined && performance.now() - askedMs < sameSignalMs) return
      if (askedMs !== undefined) {
        screen.note(`${signal} again: it ends at once; what was under way runs again at the next start`)
        process.exit(endedBy[signal])
      }
      askedMs = performance.now()
      screen.note(`${signal}: it drains, and stops; a second one ends it at once`)
      void running.stop().then(
        () => {
          clearInterval(alive)
          resolve(exits.ok)
        },
        (thrown: unknown) => {
          screen.note(`it could not stop in order: ${String(thrown)}`)
          resolve(exits.failed)
        },
      )
    }
    process.on('SIGINT', () => signalled('SIGINT'))
    process.on('SIGTERM', () => signalled('SIGTERM'))
  })
}
