/** How arrivals are treated: one set of options for every consumer, all of them data but the functions of one event's data. */
import type { BreakerPolicy, Policy, RetryPolicy } from '../flow/subscription.ts'
import type { Duration } from '../kit/duration.ts'
import { atLeast, duration, optionFault } from './definition.ts'
import { refuse } from './refusal.ts'

/** '2026-01-31T12:00:00Z' */
export type Instant = `${number}-${number}-${number}T${string}`

/** What every subscription may say of itself. */
export interface Subscribing {
  /** Where it begins: read once, when it is first deployed. @default 'now' for functions, 'start' for projections */
  readonly from?: 'now' | 'start' | Instant
  /** What it was called before. A rename without it is a new subscription; the old one keeps everything until `forget`. */
  readonly was?: string
}

/** Exponential, with full jitter. After the last attempt the key parks, and its later events queue behind. */
export interface Retry {
  /** In all, the first included. */
  readonly attempts: number
  /** @default '200ms' */
  readonly from?: Duration
  /** @default '1m' */
  readonly to?: Duration
}

/** Opens when this share of the last `of` outcomes has failed, over at least five keys; probes after `rest`. */
export interface Breaker {
  readonly share: number
  readonly of: number
  readonly rest: Duration
}

/** `Data` is one event's, also where a function takes them in batches. */
export interface Delivery<Data> extends Subscribing {
  /** @default { attempts: 6, from: '200ms', to: '1m' } */
  readonly retry?: Retry | false
  /** Then `ctx` is closed, and the attempt has failed. @default '30s' */
  readonly timeout?: Duration
  /** Turns side by side in each process; never two of one order key. @default 64 */
  readonly concurrency?: number
  /**
   * By the event's key, by none (then one event parks, not its key), or by another field (then one owner reads all lanes: merged).
   * @default 'key'
   */
  readonly order?: 'key' | 'none' | ((data: Data) => string)
  /** @default { share: 0.5, of: 20, rest: '30s' } */
  readonly breaker?: boolean | Breaker
  /** The same thing twice is done once: a row in the turn's commit, so what parked is not done. What it skips is counted. */
  readonly once?: { by(data: Data): string; readonly within: Duration }
}

export const deliveryOptions = ['from', 'was', 'retry', 'timeout', 'concurrency', 'order', 'breaker', 'once'] as const

const defaultBreaker: BreakerPolicy = { share: 0.5, of: 20, keys: 5, restMs: 30_000 }

/** After a time-out the next attempt waits for the old one this long. */
const graceMs = 30_000

export function policyOf(what: string, options: Pick<Delivery<never>, 'retry' | 'timeout' | 'concurrency' | 'breaker'>): Policy {
  return {
    retry: retryOf(what, options.retry),
    timeoutMs: positive(what, 'timeout', options.timeout ?? '30s'),
    graceMs,
    concurrency: atLeast(what, 'concurrency', options.concurrency ?? 64, 1),
    breaker: breakerOf(what, options.breaker ?? true),
  }
}

/** An instant is given in milliseconds. */
export function beginning(what: string, from: 'now' | 'start' | Instant): 'now' | 'start' | number {
  if (from === 'now' || from === 'start') return from
  const atMs = Date.parse(from)
  if (Number.isNaN(atMs)) refuse(optionFault(what, 'from', `'${from}' is not 'now', 'start' or an instant like 2026-01-31T12:00:00Z`))
  return atMs
}

export function positive(what: string, option: string, given: Duration): number {
  const ms = duration(what, option, given)
  if (ms <= 0) refuse(optionFault(what, option, 'must be more than 0'))
  return ms
}

function retryOf(what: string, retry: Retry | false | undefined): RetryPolicy {
  const { attempts, from = '200ms', to = '1m' } = retry === false ? { attempts: 1 } : (retry ?? { attempts: 6 })
  const policy = {
    attempts: atLeast(what, 'retry.attempts', attempts, 1),
    fromMs: positive(what, 'retry.from', from),
    toMs: positive(what, 'retry.to', to),
  }
  if (policy.fromMs > policy.toMs) refuse(optionFault(what, 'retry', `from ${from} is more than to ${to}`))
  return policy
}

function breakerOf(what: string, breaker: boolean | Breaker): BreakerPolicy | false {
  if (typeof breaker === 'boolean') return breaker && defaultBreaker
  if (!(breaker.share > 0 && breaker.share <= 1)) refuse(optionFault(what, 'breaker.share', 'must be more than 0, and 1 at most'))
  return {
    share: breaker.share,
    of: atLeast(what, 'breaker.of', breaker.of, 1),
    keys: defaultBreaker.keys,
    restMs: positive(what, 'breaker.rest', breaker.rest),
  }
}
