/**
 * The one way anything consumes events. A function, a projection, a batch, later a saga, a window or a sink: each is
 * lowered to this value, and the runner knows nothing else.
 *
 *   lane ──read──▶ look ──▶ skip (settled)
 *                     ├──▶ run   ──▶ queue of its key ──▶ turn ──▶ wave ──▶ one commit
 *                     ├──▶ wait  ──▶ a row: its key is held for an owner that knows the version
 *                     └──▶ fault ──▶ a row: its key is parked
 */
import type { Fault } from '../kit/fault.ts'
import type { Placed } from '../ports/store.ts'
import type { Turn } from './turn.ts'

export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly attempts: number
  readonly fromMs: number
  readonly toMs: number
}

export interface BreakerPolicy {
  /** Opens when this share of the last `of` outcomes has failed, over at least `keys` keys. */
  readonly share: number
  readonly of: number
  readonly keys: number
  readonly restMs: number
}

export interface Policy {
  readonly retry: RetryPolicy
  readonly timeoutMs: number
  /** After a time-out the next attempt waits until the old one settles, or this long. */
  readonly graceMs: number
  /** Turns side by side in one process, over all its lanes. */
  readonly concurrency: number
  readonly breaker: BreakerPolicy | false
}

export interface BatchPolicy {
  readonly size: number
  /** How long a batch that is not full waits for more. 0: it takes what is there. */
  readonly waitMs: number
  /** Only events of one group share a batch. */
  group?(look: Extract<Look, { is: 'run' }>): string
}

/** What a subscription makes of one stored event, by its text or by what was parsed of it. Never throws. */
export type Look =
  | { readonly is: 'skip' }
  /**
   * `parts` is what the lowered consumer decoded: today's facts of this event, several where it is split. Flow carries
   * it and never looks inside.
   */
  | { readonly is: 'run'; readonly key: string; readonly parts: readonly unknown[] }
  /** A version newer than this code knows. `key` is absent where it can't be computed. */
  | { readonly is: 'wait'; readonly key: string | undefined; readonly why: string }
  /** Decoding, upcasting, validation or size failed: no attempt can help. */
  | { readonly is: 'fault'; readonly key: string | undefined; readonly fault: Fault }

export interface Subscription {
  readonly name: string
  readonly kind: 'fn' | 'projection'
  /** What it was called before. */
  readonly was?: string
  /** Read once, when it is first deployed. A number is an instant, in milliseconds since 1970. */
  readonly from: 'now' | 'start' | number
  /** One owner reads all lanes by position; else each lane has an owner. */
  readonly merged: boolean
  /** Types as stored: those that are upcast or split into what it takes are among them. */
  readonly types: ReadonlySet<string>
  readonly policy: Policy
  readonly batch?: BatchPolicy
  look(event: Placed): Look
  /** One attempt. What it stages on the turn commits with the mark, once it has returned. */
  run(turn: Turn): void | Promise<void>
}
