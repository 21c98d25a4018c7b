/** What `start` composes: the SQLite store, a Node process, and the HTTP door where a port is given. */
import type { App } from '../define/app.ts'
import type { Log } from '../define/context.ts'
import { nodeEnvironment } from '../hosts/node-environment.ts'
import { keepYoungYoung } from '../hosts/node-heap.ts'
import type { Listening } from '../hosts/node-http.ts'
import { nodeProcess } from '../hosts/node-process.ts'
import { listenOnSocket, socketPathOf, type ListeningSocket } from '../hosts/node-socket.ts'
import { survive } from '../hosts/node-uncaught.ts'
import { asError, isFault } from '../kit/fault.ts'
import { telemetryTo } from '../observe/telemetry.ts'
import { compile } from '../plan/compile.ts'
import type { Store } from '../ports/store.ts'
import type { Level, Telemetry } from '../ports/telemetry.ts'
import type { Fetch } from '../runtime/http-door.ts'
import { checkSettings } from '../runtime/resources.ts'
import { startPlan, type Runtime } from '../runtime/runtime.ts'
import { sqliteStore, type SqliteStore } from '../stores/sqlite.ts'
import type { Running, StartOptions } from './start-options.ts'

const requestGraceMs = 5_000

export async function startOnNode(app: App, options: StartOptions): Promise<Running> {
  keepYoungYoung()
  const env = options.env ?? nodeProcess.env
  // Before there is a file: what is wrong with the app leaves none behind.
  const plan = compile(app)
  checkSettings(plan, env, options.replace ?? [])
  const store = await openStore(options)
  // A handler that blocks the event loop is named while it still does.
  const telemetry: Telemetry = { ...telemetryOf(options), span: (_name, of, run) => store.watch.during(of.name, run) }
  try {
    const runtime = await startPlan(plan, { store, environment: nodeEnvironment, telemetry }, { ...options, env })
    return await serve(runtime, store, telemetry, options).catch(async (thrown: unknown) => {
      await runtime.stop()
      throw thrown
    })
  } catch (thrown) {
    await store.close()
    throw thrown
  }
}

function openStore({ store: path = './millrace.db', lanes = 1, flush = 'auto' }: StartOptions): Promise<SqliteStore> {
  const { nowMs, monotonicMs, random, soon } = nodeEnvironment
  return sqliteStore({ path, lanes, flush, nowMs, monotonicMs, random, soon })
}

async function serve(runtime: Runtime, store: Store, telemetry: Telemetry, options: StartOptions): Promise<Running> {
  const stopping = new AbortController()
  const serving = runtime.serving(stopping.signal)
  let opened: Promise<Fetch> | undefined
  const fetch: Fetch = async (request) => (await (opened ??= openFetch(runtime, options)))(request)
  const listening = options.port === undefined ? undefined : await listenAt(fetch, options.port, options.host, telemetry)
  const socket = await openSocket(runtime, store, telemetry, options)
  // What a handler stages when its turn is over was logged where it happened.
  const alone = survive((thrown) => isFault(thrown, 'TURN_CLOSED'))
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => (stopped ??= stopAll(runtime, store, [listening, socket], stopping).finally(alone))
  return {
    ...serving,
    get signal() {
      return stopping.signal
    },
    url: listening?.url,
    fetch,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function openFetch(runtime: Runtime, options: StartOptions): Promise<Fetch> {
  const { openDoor } = await import('../runtime/http.ts')
  return openDoor(runtime.door, runtime.doors, options)
}

async function listenAt(fetch: Fetch, port: number, host: string | undefined, telemetry: Telemetry): Promise<Listening> {
  const { listen } = await import('../hosts/node-http.ts')
  const failed = (error: Error): void => telemetry.log('error', `an HTTP answer failed: ${error.message}`, { stack: error.stack })
  return listen({ fetch, port, failed, ...(host === undefined ? {} : { host }) })
}

/** For operators; without it the app runs all the same. What answers there is loaded when somebody asks. */
async function openSocket(
  runtime: Runtime,
  store: Store,
  telemetry: Telemetry,
  { store: file = './millrace.db' }: StartOptions,
): Promise<ListeningSocket | undefined> {
  if (file === ':memory:') return undefined
  let opened: Promise<Fetch> | undefined
  const fetch: Fetch = async (request) => (await (opened ??= operators(runtime, store)))(request)
  const failed = (error: Error): void => telemetry.log('warn', `an operator's question failed: ${error.message}`)
  try {
    return await listenOnSocket({ path: socketPathOf(file), fetch, failed })
  } catch (thrown) {
    telemetry.log('warn', `operators cannot reach it: ${asError(thrown).message}`)
    return undefined
  }
}

async function operators(runtime: Runtime, store: Store): Promise<Fetch> {
  const { operatorDoor } = await import('../observe/operator-door.ts')
  const { plan, flow, door } = runtime
  const about = { app: plan.name, pid: nodeProcess.pid, node: nodeProcess.version }
  const sources = [plan.name, ...plan.webhooks.map(({ path }) => path)]
  return operatorDoor({
    store,
    flow,
    sources,
    environment: nodeEnvironment,
    changeId: flow.context.changeId,
    about,
    door,
    events: plan.events,
  })
}

/** The doors first, so that nothing new comes in; the store last. */
async function stopAll(
  runtime: Runtime,
  store: Store,
  [listening, socket]: readonly [Listening | undefined, ListeningSocket | undefined],
  stopping: AbortController,
): Promise<void> {
  await Promise.all([listening?.close(requestGraceMs), socket?.close()])
  stopping.abort()
  await runtime.stop()
  await store.close()
}

function telemetryOf({ log, logLevel = 'info' }: StartOptions): Telemetry {
  const { terminal, colours, write } = nodeProcess
  const sink = { form: terminal ? ('text' as const) : ('json' as const), least: logLevel, colours, nowMs: nodeEnvironment.nowMs }
  const telemetry = telemetryTo(log === undefined ? { ...sink, write } : sink)
  return log === undefined || log === false ? telemetry : { ...telemetry, log: forwarded(log) }
}

function forwarded(log: Log): Telemetry['log'] {
  return (level: Level, message, fields) => log[level](message, fields)
}
