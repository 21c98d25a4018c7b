/** Bugs of failures, due times and parking: rule 11. */
import type { Bug } from './bug.ts'

export const bugs: readonly Bug[] = [
  {
    name: 'a retry rings by the clock of its machine',
    file: 'src/flow/store-clock.ts',
    find: 'return Math.floor(this.#storeMs + Math.max(0, this.#environment.monotonicMs() - this.#notedMs))',
    replace: 'return this.#environment.nowMs()',
    rule: '11: due times by the clock of the store (hole 27)',
  },
  {
    name: 'due times are made by the clock of the machine',
    file: 'src/flow/runner.ts',
    find: 'dueMs: nowMs + backoffMs(',
    replace: 'dueMs: this.lane.context.environment.nowMs() + backoffMs(',
    rule: '11: due times by the clock of the store (hole 27)',
  },
  {
    name: 'one attempt too many',
    file: 'src/flow/runner.ts',
    find: 'if (counts && attempt >= retry.attempts)',
    replace: 'if (counts && attempt > retry.attempts)',
    rule: '11: after the last attempt the key parks',
  },
  {
    name: 'a rest that grows without a cap',
    file: 'src/flow/backoff.ts',
    find: 'Math.min(retry.toMs, ',
    replace: 'Math.max(retry.toMs, ',
    rule: '11: exponential, with a cap',
  },
  {
    name: 'a fault of the store is an attempt',
    file: 'src/flow/attempt.ts',
    find: '!storeFailed && !isStoreFault(thrown)',
    replace: 'true',
    rule: '11: store faults are not attempts',
  },
  {
    name: 'a stop is an attempt',
    file: 'src/flow/runner.ts',
    find: '      attempt.callOff(why)\n',
    replace: '      attempt.callOff(why)\n      this.#afterFailure(attempt.work, new Error(why), true)\n',
    rule: '11, 18: stops are not attempts',
  },
  {
    name: 'what cannot be decoded is tried again',
    file: 'src/flow/runner.ts',
    find: "{ state: 'parked', attempt: work.attempt - 1 }",
    replace: 'this.#next(work.attempt, true, this.lane.context.clock.nowMs())',
    rule: '11: decode faults park at once',
  },
  {
    name: 'the cap of parked keys is one too high',
    file: 'src/flow/settling.ts',
    find: 'if (this.#lane.parkedKeys >= context.settings.parkedMax)',
    replace: 'if (this.#lane.parkedKeys > context.settings.parkedMax)',
    rule: '11: at the cap of parked keys the subscription pauses',
  },
  {
    name: 'of a failed batch the first key goes again',
    file: 'src/flow/runner.ts',
    find: '      this.settling.giveBack(work)\n      return',
    replace: '      this.settling.giveBack({ ...work, queues: [queue] })\n      return',
    rule: '11: a failed batch is halved',
  },
  {
    name: 'an event without an order key is passed',
    file: 'src/flow/arrivals.ts',
    find: '    if (look.key === undefined) {',
    replace: "    if (look.key === undefined && look.is === 'fault') return true\n    if (look.key === undefined) {",
    rule: '11: a merged subscription pauses at it',
  },
  {
    name: 'a retry begins again at the first attempt',
    file: 'src/flow/wave.ts',
    find: "attempt: next.state === 'version' ? before.attempt : next.attempt",
    replace: 'attempt: before.attempt',
    rule: '11: a failure is a row with attempt and due time',
  },
]
