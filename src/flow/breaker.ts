/**
 * Stops calling what keeps failing, and asks again once in a while. One for a subscription, in a row of its own, so
 * that a restart does not forget it.
 *
 *   closed ──half of the last 20 outcomes failed, over at least 5 keys──▶ open ──a rest──▶ one probe ──well──▶ closed
 *                                                                          ▲──────badly──────┘
 *
 * One poison key's retries do not open it, and what fails while it is open is not an attempt: an outage parks nobody who is innocent.
 */
import type { BreakerPolicy } from './subscription.ts'

export interface Outcome {
  readonly key: string
  readonly well: boolean
}

export type Breaker =
  | { readonly phase: 'closed'; readonly last: readonly Outcome[] }
  /** `probed`: keys whose probe failed since it opened; the next probe is another key's. */
  | { readonly phase: 'open'; readonly untilMs: number; readonly probed: readonly string[] }

export const closed: Breaker = { phase: 'closed', last: [] }

const probedMax = 20

/** Tell it how a call went. `nowMs` is the store's time. */
export function settle(breaker: Breaker, outcome: Outcome, policy: BreakerPolicy, nowMs: number): Breaker {
  if (breaker.phase === 'open') {
    if (outcome.well) return closed
    const probed = [...breaker.probed.filter((key) => key !== outcome.key), outcome.key].slice(-probedMax)
    return { phase: 'open', untilMs: nowMs + policy.restMs, probed }
  }
  if (outcome.well && breaker.last.length === 0) return breaker
  const last = fromFirstFailure([...breaker.last, outcome].slice(-policy.of))
  if (last.length === 0) return closed
  return opens(last, policy) ? { phase: 'open', untilMs: nowMs + policy.restMs, probed: [] } : { phase: 'closed', last }
}

/** Of the keys that could run, the one to probe with: one that was not probed since it opened, else the one longest ago. */
export function probeKey(breaker: Extract<Breaker, { phase: 'open' }>, ready: Iterable<string>): string | undefined {
  let oldest: string | undefined
  let oldestAt = Number.POSITIVE_INFINITY
  for (const key of ready) {
    const at = breaker.probed.indexOf(key)
    if (at < 0) return key
    if (at < oldestAt) {
      oldest = key
      oldestAt = at
    }
  }
  return oldest
}

export function encodeBreaker(breaker: Breaker): string {
  return JSON.stringify(breaker)
}

export function decodeBreaker(text: string): Breaker {
  return JSON.parse(text) as Breaker
}

/** What went well before the oldest failure decides nothing: so the happy path records nothing. */
function fromFirstFailure(last: readonly Outcome[]): readonly Outcome[] {
  const first = last.findIndex((outcome) => !outcome.well)
  return first <= 0 ? (first < 0 ? [] : last) : last.slice(first)
}

function opens(last: readonly Outcome[], policy: BreakerPolicy): boolean {
  const failed = last.filter((outcome) => !outcome.well)
  return failed.length >= policy.of * policy.share && new Set(failed.map((outcome) => outcome.key)).size >= policy.keys
}
