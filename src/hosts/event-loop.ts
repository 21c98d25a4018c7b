/** The event loop of a Node process, for those who must let it turn: a test on virtual time waits so for what is real. */
import type { Real } from '../testing/stillness.ts'

export const eventLoop: Real = {
  turn: () => new Promise((resolve) => setImmediate(resolve)),
  rest: () => new Promise((resolve) => setTimeout(resolve, 1)),
  nowMs: () => performance.now(),
}
