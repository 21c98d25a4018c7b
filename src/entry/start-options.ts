/** How an app is started on this machine, and what a started one offers. */
import type { Env } from '../define/config.ts'
import type { Log, Serving } from '../define/context.ts'
import type { Replacement } from '../define/resource.ts'
import type { Settings } from '../flow/settings.ts'
import type { Level } from '../ports/telemetry.ts'
import type { HttpOptions } from '../runtime/http-door.ts'

export interface StartOptions extends HttpOptions {
  /** 0: any free one. Without it no HTTP is served. */
  readonly port?: number
  /** A file of SQLite, ':memory:' for one that is gone with the process. @default './millrace.db' */
  readonly store?: string
  /** How many lanes the store is made with: it keeps them. @default 1 */
  readonly lanes?: number
  /** How a commit becomes durable: in the thread pool, inside the commit, or whichever is faster here. @default 'auto' */
  readonly flush?: 'auto' | 'inline' | 'pool'
  /** @default lines on stdout: readable on a terminal, JSON elsewhere */
  readonly log?: Log | false
  /** @default 'info' */
  readonly logLevel?: Level
  /** What `config` is read from. @default process.env */
  readonly env?: Env
  readonly replace?: readonly Replacement[]
  /** The limits of the guarantee table. */
  readonly settings?: Partial<Settings>
}

export interface Running extends Serving, AsyncDisposable {
  /** Where it listens, if it does. */
  readonly url: string | undefined
  fetch(request: Request): Promise<Response>
  /** Takes nothing new, drains, and lets go of the store. A second call waits for the first. */
  stop(): Promise<void>
}
