/** The one class of error. Every fault has a code of the table, which says what to do. */
import { codes, type Code } from './fault-codes.ts'

export type FaultData = Readonly<Record<string, unknown>>

export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: Code
  readonly data: FaultData
  /** The HTTP status that a caller outside sees. */
  readonly status: number
  /** What to do about it. Its own, so that Node shows it where nobody catches the fault. */
  readonly todo: string

  constructor(code: Code, detail: string, data: FaultData, cause: unknown) {
    super(detail === '' ? `${code}: ${codes[code].title}` : `${code}: ${detail}`, cause === undefined ? {} : { cause })
    this.code = code
    this.data = data
    this.status = codes[code].status
    this.todo = codes[code].todo
  }
}

/** `throw fault('STORE_HELD', 'shop.db is held by process 812', { path })` */
export function fault(code: Code, detail = '', data: FaultData = {}, cause?: unknown): Fault {
  return new Fault(code, detail, data, cause)
}

export function isFault(error: unknown, code?: Code): error is Fault {
  return error instanceof Fault && (code === undefined || error.code === code)
}

/** Whatever was thrown, as an Error: `undefined` and texts too. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error(typeof thrown === 'string' ? thrown : `something that is no Error was thrown: ${describe(thrown)}`)
}

function describe(thrown: unknown): string {
  try {
    return typeof thrown === 'object' && thrown !== null ? JSON.stringify(thrown) : String(thrown)
  } catch {
    return typeof thrown
  }
}
