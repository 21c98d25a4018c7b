/** Serves a door over HTTP with Node's own server. Loads its adapter when it is asked to listen. */
import { createServer, type Server } from 'node:http'
import { asError, fault } from '../kit/fault.ts'
import { problemOf, problemResponse } from '../runtime/problem.ts'

export interface ListenOptions {
  readonly fetch: (request: Request) => Promise<Response>
  /** @default '127.0.0.1' */
  readonly host?: string
  /** 0: any free one. */
  readonly port: number
  /** What nothing else catches: a door answers its own faults. */
  readonly failed?: (error: Error) => void
}

export interface Listening {
  readonly port: number
  /** As one can type it into a browser. */
  readonly url: string
  /** Takes no new requests, waits for those in flight as long as this, then cuts them off. Tells how many it had to. */
  close(graceMs: number): Promise<number>
}

export async function listen({ fetch, host = '127.0.0.1', port, failed = () => {} }: ListenOptions): Promise<Listening> {
  const { getRequestListener } = await import('@hono/node-server')
  const errorHandler = (thrown: unknown): Response => {
    const { name, message } = asError(thrown)
    if (name === 'RequestError') return problemResponse(problemOf(fault('REQUEST_MALFORMED', message)))
    failed(asError(thrown))
    return problemResponse(problemOf(thrown))
  }
  // A sender that dribbles its request byte by byte holds a connection for half a minute at most.
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 15_000, keepAliveTimeout: 5_000 })
  const inFlight = track(server)
  // oxlint-disable-next-line no-misused-promises: it answers its own failures
  server.on('request', getRequestListener(fetch, { errorHandler }))
  await opened(server, host, port, failed)
  const address = server.address()
  const at = typeof address === 'object' && address !== null ? address.port : port
  return { port: at, url: `http://${named(host)}:${at}`, close: (graceMs) => closed(server, inFlight, graceMs) }
}

/** How many requests are being answered. A connection that is kept alive is closed after its answer once the server is closing. */
function track(server: Server): () => number {
  let inFlight = 0
  server.on('request', (_request, response) => {
    inFlight += 1
    response.once('close', () => {
      inFlight -= 1
      if (!server.listening) server.closeIdleConnections()
    })
  })
  return () => inFlight
}

function opened(server: Server, host: string, port: number, failed: (error: Error) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'EADDRINUSE' ? 'ADDRESS_TAKEN' : 'ADDRESS_REFUSED'
      reject(fault(code, `${named(host)}:${port}`, { host, port }, error))
    })
    server.listen(port, host.replace(/^\[|\]$/g, ''), () => {
      server.removeAllListeners('error')
      server.on('error', failed)
      resolve()
    })
  })
}

function closed(server: Server, inFlight: () => number, graceMs: number): Promise<number> {
  return new Promise((resolve) => {
    let cut = 0
    const timer = setTimeout(() => {
      cut = inFlight()
      server.closeAllConnections()
    }, graceMs)
    server.close(() => {
      clearTimeout(timer)
      resolve(cut)
    })
  })
}

/** An address of IPv6 stands in brackets. */
function named(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
