/** Faults as callers outside see them: RFC 9457 problems with a stable code. What only concerns us stays inside. */
import { codes, type Code } from '../kit/fault-codes.ts'
import { isFault, type Fault } from '../kit/fault.ts'
import { securityHeaders } from './http-headers.ts'

export interface Problem {
  /** Relative to the server, which answers there. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail?: string
  readonly todo?: string
  /** Which of several events that were sent: 0 is the first. */
  readonly at?: number
  readonly errors?: readonly { readonly pointer: string; readonly message: string }[]
}

/** Where an issue with the data of the event at this place stands in what was sent. */
export type Pointing = (at: number) => string

/**
 * Whatever was thrown. Of our own mistakes (500 and above) the caller learns the code, never the words: they may name files, rows and
 * secrets.
 */
export function problemOf(thrown: unknown, pointing: Pointing = () => ''): Problem {
  if (!isFault(thrown)) return unexpected
  const { title, todo, status } = codes[thrown.code]
  const problem = { type: `/problems/${thrown.code}`, title, status, code: thrown.code }
  if (status >= 500) return problem
  const errors = errorsOf(thrown, pointing)
  const at = typeof thrown.data['at'] === 'number' ? { at: thrown.data['at'] } : {}
  return { ...problem, ...at, detail: thrown.message.slice(thrown.code.length + 2), todo, ...(errors === undefined ? {} : { errors }) }
}

export function problemResponse(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  const later = problem.status === 503 || problem.status === 507 ? { 'retry-after': '1' } : {}
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...securityHeaders, 'content-type': 'application/problem+json', ...later, ...headers },
  })
}

/** What `/problems/CODE` answers. */
export function explained(code: string): Problem | undefined {
  if (!Object.hasOwn(codes, code)) return undefined
  const { title, status, todo } = codes[code as Code]
  return { type: `/problems/${code}`, title, status, code, todo }
}

const unexpected: Problem = { type: '/problems/UNEXPECTED', title: codes.UNEXPECTED.title, status: 500, code: 'UNEXPECTED' }

/** A schema's `issues` are pointers into the data of one event, an envelope's `errors` into what was sent. */
function errorsOf({ data }: Fault, pointing: Pointing): Problem['errors'] {
  const { issues, errors, at } = data
  if (Array.isArray(errors)) return errors
  if (!Array.isArray(issues)) return undefined
  const before = pointing(typeof at === 'number' ? at : 0)
  return issues.map(({ path, message }) => ({ pointer: `${before}${path}`, message }))
}
