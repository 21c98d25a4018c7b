/** When a failure is tried again: exponential, full jitter, a cap. (Brooker, "Exponential Backoff and Jitter", 2015.) */
import type { RetryPolicy } from './subscription.ts'

/** `attempt` failed, 1 the first. Chance is a number from 0 up to 1. */
export function backoffMs(retry: RetryPolicy, attempt: number, chance: number): number {
  const most = Math.min(retry.toMs, retry.fromMs * 2 ** Math.min(attempt - 1, 40))
  return Math.ceil(most * chance)
}
