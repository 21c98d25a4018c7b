/**
 * The socket beside a store file, by which operators reach the app that holds it: HTTP, for this user alone (mode
 * 0600). Whoever holds the store holds its socket, so a
 * socket that is there already was left by a process that died. HTTP is loaded when the first caller comes.
 */
import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { asError, fault } from '../kit/fault.ts'

export interface SocketOptions {
  readonly path: string
  readonly fetch: (request: Request) => Promise<Response>
  /** What nothing else catches. */
  readonly failed?: (error: Error) => void
}

export interface ListeningSocket {
  readonly path: string
  /** Cuts off who still asks, and takes the file away. */
  close(): Promise<void>
}

/** The system's own bound, without the byte that ends it. */
const pathBytesMost = process.platform === 'linux' ? 107 : 103

/** Beside the store; where that is too long for a socket, in a folder of this user's under the one for temporary files. */
export function socketPathOf(store: string): string {
  const beside = resolve(`${store}.sock`)
  if (Buffer.byteLength(beside) <= pathBytesMost) return beside
  const digest = createHash('sha256').update(beside).digest('hex').slice(0, 20)
  return join(tmpdir(), `millrace-${userInfo().uid}`, `${digest}.sock`)
}

export async function listenOnSocket({ path, fetch, failed = () => {} }: SocketOptions): Promise<ListeningSocket> {
  if (Buffer.byteLength(path) > pathBytesMost)
    throw fault('SOCKET_FAILED', `${path} is longer than the ${pathBytesMost} bytes that a socket's path may have`, { path })
  makeWay(path)
  const sockets = new Set<Socket>()
  let http: Promise<HttpServer> | undefined
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    http ??= httpServer(fetch, failed)
    void http.then(
      (one) => one.emit('connection', socket),
      (thrown: unknown) => failed(asError(thrown)),
    )
  })
  await opened(server, path)
  server.on('error', failed)
  server.unref()
  return { path, close: () => closed(server, sockets, path) }
}

/** For whoever connects: that nobody else has put it there. Root may ask anybody. */
export function isOwnSocket(path: string): boolean {
  const is = lstatSync(path, { throwIfNoEntry: false })
  const { uid } = userInfo()
  return is?.isSocket() === true && (is.uid === uid || uid === 0) && (!isInTemporary(path) || isOursAlone(dirname(path)))
}

function isInTemporary(path: string): boolean {
  return dirname(path).startsWith(join(tmpdir(), 'millrace-'))
}

function isOursAlone(folder: string): boolean {
  const is = lstatSync(folder)
  return is.isDirectory() && is.uid === userInfo().uid && (is.mode & 0o077) === 0
}

/** A socket file that is left over goes; anything else stays, and is told. A folder of ours under the temporary one must be ours alone. */
function makeWay(path: string): void {
  const folder = dirname(path)
  if (isInTemporary(path)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (!isOursAlone(folder)) throw fault('SOCKET_FAILED', `${folder} is not this user's alone`, { path })
  }
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there === undefined) return
  if (!there.isSocket()) throw fault('SOCKET_FAILED', `${path} is there, and is no socket`, { path })
  rmSync(path)
}

/** The file is made inside `listen`, before it returns: with this mask nobody else can open it for a moment either. */
function opened(server: Server, path: string): Promise<void> {
  return new Promise((done, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(fault('SOCKET_FAILED', `${path}: ${error.message}`, { path }, error)))
    const before = isMainThread ? process.umask(0o177) : undefined
    try {
      server.listen(path, () => {
        server.removeAllListeners('error')
        chmodSync(path, 0o600)
        done()
      })
    } finally {
      if (before !== undefined) process.umask(before)
    }
  })
}

/** Node takes its socket file away when it closes. */
function closed(server: Server, sockets: ReadonlySet<Socket>, path: string): Promise<void> {
  return new Promise((done) => {
    server.close(() => {
      rmSync(path, { force: true })
      done()
    })
    for (const socket of sockets) socket.destroy()
  })
}

async function httpServer(fetch: SocketOptions['fetch'], failed: (error: Error) => void): Promise<HttpServer> {
  const { createServer: createHttp } = await import('node:http')
  return createHttp((incoming, outgoing) => {
    void answer(fetch, incoming, outgoing).catch((thrown: unknown) => {
      failed(asError(thrown))
      outgoing.destroy()
    })
  })
}

async function answer(fetch: SocketOptions['fetch'], incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController()
  outgoing.once('close', () => gone.abort())
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const { method = 'GET', url = '/' } = incoming
  const type = incoming.headers['content-type']
  const body = method === 'GET' || method === 'HEAD' ? {} : { body: Buffer.concat(chunks) }
  const response = await fetch(
    new Request(new URL(url, 'http://operators'), {
      method,
      signal: gone.signal,
      ...(type === undefined ? {} : { headers: { 'content-type': type } }),
      ...body,
    }),
  )
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  outgoing.end(Buffer.from(await response.arrayBuffer()))
}
