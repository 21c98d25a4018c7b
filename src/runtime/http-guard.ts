/**
 * Who may call. Any page in a browser can reach a server on localhost: by its address (then the page's origin stands in `Origin`),
 * or by a name of its own that it has pointed at us (then that name stands in `Host`: DNS rebinding). Both are checked.
 */
import { fault } from '../kit/fault.ts'
import type { HttpOptions } from './http-door.ts'

export interface Guard {
  /**
   * Throws HOST_REFUSED or ORIGIN_REFUSED. A route that changes nothing may be asked from anywhere, for a browser keeps its answer from
   * other pages.
   */
  check(request: Request, changes: boolean): void
  /** The headers that let a page of another origin read an answer; `undefined`: it may not. */
  cors(request: Request): Readonly<Record<string, string>> | undefined
}

export function guardOf({ host = '127.0.0.1', hosts = [host, 'localhost', '127.0.0.1', '[::1]'], origins = [] }: HttpOptions): Guard {
  const names = new Set(hosts.map((name) => bracketed(name.toLowerCase())))
  const pages = new Set(origins.map((origin) => origin.toLowerCase()))
  const allowed = (origin: string): boolean => pages.has(origin.toLowerCase())
  return {
    check(request, changes) {
      const at = hostOf(request)
      if (!names.has(nameOf(at))) throw fault('HOST_REFUSED', `'${nameOf(at)}' is not among its names`, { host: at })
      if (!changes) return
      const origin = request.headers.get('origin')
      if (origin === null ? fromElsewhere(request) : !allowed(origin) && !isSame(origin, at)) {
        throw fault('ORIGIN_REFUSED', `'${origin ?? 'another site'}' is not among its origins`, { origin })
      }
    },
    cors(request) {
      const origin = request.headers.get('origin')
      if (origin === null || !allowed(origin)) return undefined
      return { 'access-control-allow-origin': origin, vary: 'origin', 'cross-origin-resource-policy': 'cross-origin' }
    },
  }
}

/** A request made in this process has no such header, but an address. */
function hostOf(request: Request): string {
  return (request.headers.get('host') ?? new URL(request.url).host).toLowerCase()
}

/** Addresses of IPv6 stand in brackets. */
function bracketed(name: string): string {
  return name.includes(':') && !name.startsWith('[') ? `[${name}]` : name
}

function nameOf(host: string): string {
  return host.replace(/:\d*$/, '')
}

/** A page that we served ourselves. Behind a proxy we cannot know its scheme. */
function isSame(origin: string, host: string): boolean {
  const at = /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1]
  return at !== undefined && at === host
}

/** Browsers that leave out the origin say at least whether it is another one. */
function fromElsewhere(request: Request): boolean {
  const site = request.headers.get('sec-fetch-site')
  return site === 'cross-site' || site === 'same-site'
}
