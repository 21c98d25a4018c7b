/**
 * The way to a store: through the socket of the app that holds it; where nobody does, the file itself, for looking and
 * for leaving requests.
 */
import { existsSync } from 'node:fs'
import { setTimeout as rest } from 'node:timers/promises'
import { nodeEnvironment } from '../hosts/node-environment.ts'
import { isOwnSocket, socketPathOf } from '../hosts/node-socket.ts'
import { codes, type Code } from '../kit/fault-codes.ts'
import { fault, isFault } from '../kit/fault.ts'
import { idMint } from '../kit/uuid-v7.ts'
import { askSocket, isNobodyThere } from './socket-client.ts'

export interface Connection {
  /** Whether an app runs at the other end. */
  readonly live: boolean
  ask<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T>
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

/** Runs with the connection, and closes it whatever happens. */
export async function connected<T>(store: string, run: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await connect(store)
  try {
    return await run(connection)
  } finally {
    await connection.close()
  }
}

/** An app that is starting or stopping holds its store a moment longer than its socket. */
async function connect(store: string): Promise<Connection> {
  const untilMs = Date.now() + 2_000
  for (;;) {
    const live = await throughSocket(store)
    if (live !== undefined) return live
    if (!existsSync(store)) throw fault('STORE_ABSENT', `${store} does not exist`, { store })
    try {
      return await throughFile(store)
    } catch (thrown) {
      if (!isFault(thrown, 'STORE_HELD')) throw thrown
      if (Date.now() > untilMs)
        throw fault(
          'STORE_UNREACHABLE',
          `${thrown.message.slice('STORE_HELD: '.length)}, and nothing answers at ${socketPathOf(store)}`,
          thrown.data,
          thrown,
        )
    }
    await rest(100)
  }
}

async function throughSocket(store: string): Promise<Connection | undefined> {
  const path = socketPathOf(store)
  if (!isOwnSocket(path)) return undefined
  const send = async (method: string, at: string, body?: object): Promise<Answer> => {
    try {
      return await askSocket(path, method, at, body)
    } catch (error) {
      throw fault('STORE_UNREACHABLE', `${path}: ${error instanceof Error ? error.message : String(error)}`, { path }, error)
    }
  }
  try {
    await askSocket(path, 'GET', '/v1')
  } catch (error) {
    // A socket that nobody listens at was left by a process that died.
    if (isNobodyThere(error)) return undefined
    throw fault('STORE_UNREACHABLE', `${path}: ${error instanceof Error ? error.message : String(error)}`, { path }, error)
  }
  return { live: true, ask: async (method, at, body) => taken(await send(method, at, body)), close: async () => {} }
}

async function throughFile(path: string): Promise<Connection> {
  const [{ sqliteStore }, { operatorDoor }] = await Promise.all([import('../stores/sqlite.ts'), import('../observe/operator-door.ts')])
  const { nowMs, monotonicMs, random, soon } = nodeEnvironment
  const store = await sqliteStore({ path, nowMs, monotonicMs, random, soon })
  const door = operatorDoor({ store, environment: nodeEnvironment, changeId: idMint(nodeEnvironment), about: { app: null } })
  return {
    live: false,
    ask: async (method, at, body) => {
      const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
      const response = await door(new Request(new URL(at, 'http://operators'), { method, ...sent }))
      return taken({ status: response.status, body: await response.json() })
    },
    close: () => store.close(),
  }
}

/** The answer, or the fault that the other end tells. */
function taken<T>({ status, body }: Answer): T {
  if (status < 400) return body as T
  const { code, detail, data } = body as {
    readonly code?: string
    readonly detail?: string
    readonly data?: Readonly<Record<string, unknown>>
  }
  throw fault(isCode(code) ? code : 'UNEXPECTED', detail ?? `status ${status}`, data ?? {})
}

function isCode(code: string | undefined): code is Code {
  return code !== undefined && Object.hasOwn(codes, code)
}
