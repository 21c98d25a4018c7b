/** Time and chance of a Node process. */
import type { Environment } from '../ports/environment.ts'

/** The longest that a timer of Node can wait. */
const timerMaxMs = 2_147_483_647

export const nodeEnvironment: Environment = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  wait,
  random: () => Math.random(),
  soon: (run) => process.nextTick(run),
}

function wait(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, Math.min(Math.max(0, Math.ceil(ms)), timerMaxMs))
    signal?.addEventListener('abort', end, { once: true })
  })
}
