/** Bugs of time-outs, standstills and abandoned handlers: rule 14. */
import type { Bug } from './bug.ts'

export const bugs: readonly Bug[] = [
  {
    name: 'a standstill counts',
    file: 'src/flow/watch.ts',
    find: 'if (lateMs > slackMs) this.#stoodStillMs += lateMs + restMs',
    replace: '',
    rule: '14: time in which the process stood still does not count (hole 28)',
  },
  {
    name: 'the next attempt does not wait for the old one',
    file: 'src/flow/runner.ts',
    find: 'for (const queue of attempt.work.queues) queue.abandoned = true',
    replace: '',
    rule: '14: the next attempt waits for the old one, or one grace',
  },
  {
    name: 'no grace',
    file: 'src/flow/runner.ts',
    find: 'watch.nowMs() + this.lane.crew.subscription.policy.graceMs',
    replace: 'watch.nowMs()',
    rule: '14: or one grace',
  },
  {
    name: 'abandoned handlers are not counted',
    file: 'src/flow/runner.ts',
    find: '    crew.abandoned += 1\n',
    replace: '',
    rule: '14: abandoned handlers are counted and capped',
  },
  {
    name: 'an abandoned handler counts for ever',
    file: 'src/flow/runner.ts',
    find: 'if (attempt.placeFreed) crew.abandoned -= 1\n    else this',
    replace: 'if (!attempt.placeFreed) this',
    rule: '14: abandoned handlers are counted',
  },
  {
    name: 'the cap of abandoned handlers is one too high',
    file: 'src/flow/owned-lane.ts',
    find: 'this.crew.abandoned >= this.context.settings.abandonedMax',
    replace: 'this.crew.abandoned > this.context.settings.abandonedMax',
    rule: '14: abandoned handlers are capped',
  },
]
