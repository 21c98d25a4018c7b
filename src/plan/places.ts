/** Where HTTP doors stand: at a method and a path. What a path's parameters are called makes no difference. */
import type { Method } from '../define/route.ts'

/** What every app has. */
export const ownDoors = [
  { method: 'POST', path: '/events' },
  { method: 'GET', path: '/health' },
  { method: 'GET', path: '/ready' },
  { method: 'GET', path: '/problems/:code' },
] as const satisfies readonly { readonly method: Method; readonly path: string }[]

export function placeOf(method: string, path: string): string {
  return `${method} ${path.replaceAll(/:[^/]+/g, ':')}`
}
