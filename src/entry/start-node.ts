/** What `start` composes: the SQLite store, a Node process, and the HTTP door where a port is given. */
import type { App } from '../define/app.ts'
import type { Log } from '../define/context.ts'
import { nodeEnvironment } from '../hosts/node-environment.ts'
import type { Listening } from '../hosts/node-http.ts'
import { telemetryTo } from '../observe/telemetry.ts'
import type { Store } from '../ports/store.ts'
import type { Level, Telemetry } from '../ports/telemetry.ts'
import type { Fetch } from '../runtime/http-door.ts'
import { startRuntime, type Runtime } from '../runtime/runtime.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import type { Running, StartOptions } from './start.ts'

const requestGraceMs = 5_000

export async function startOnNode(app: App, options: StartOptions): Promise<Running> {
  const telemetry = telemetryOf(options)
  const store = await openStore(options)
  try {
    const runtime = await startRuntime(app, { store, environment: nodeEnvironment, telemetry }, { env: process.env, ...options })
    return await serve(runtime, store, telemetry, options)
  } catch (thrown) {
    await store.close()
    throw thrown
  }
}

function openStore({ store: path = './millrace.db', lanes = 1, flush = 'auto' }: StartOptions): Promise<Store> {
  const { nowMs, monotonicMs, random, soon } = nodeEnvironment
  return sqliteStore({ path, lanes, flush, nowMs, monotonicMs, random, soon })
}

async function serve(runtime: Runtime, store: Store, telemetry: Telemetry, options: StartOptions): Promise<Running> {
  const stopping = new AbortController()
  const serving = runtime.serving(stopping.signal)
  let opened: Promise<Fetch> | undefined
  const fetch: Fetch = async (request) => (await (opened ??= openFetch(runtime, options)))(request)
  const listening = options.port === undefined ? undefined : await listenAt(fetch, options.port, options.host, telemetry)
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => (stopped ??= stopAll(runtime, store, listening, stopping))
  return { ...serving, get signal() { return stopping.signal }, url: listening?.url, fetch, stop, [Symbol.asyncDispose]: stop }
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

/** The door first, so that nothing new comes in; the store last. */
async function stopAll(runtime: Runtime, store: Store, listening: Listening | undefined, stopping: AbortController): Promise<void> {
  await listening?.close(requestGraceMs)
  stopping.abort()
  await runtime.stop()
  await store.close()
}

function telemetryOf({ log, logLevel = 'info' }: StartOptions): Telemetry {
  const terminal = process.stdout.isTTY === true
  const write = log === undefined ? (line: string) => void process.stdout.write(`${line}\n`) : undefined
  const telemetry = telemetryTo({ ...(write === undefined ? {} : { write }), form: terminal ? 'text' : 'json', least: logLevel, colours: terminal && process.env['NO_COLOR'] === undefined, nowMs: nodeEnvironment.nowMs })
  return log === undefined || log === false ? telemetry : { ...telemetry, log: forwarded(log) }
}

function forwarded(log: Log): Telemetry['log'] {
  return (level: Level, message, fields) => log[level](message, fields)
}
