/** Bugs of wake-ups that are lost and of numbers that are not kept: rules 10, 11 and 30. */
import type { Bug } from './bug.ts'

export const bugs: readonly Bug[] = [
  {
    name: 'the next who lost to a row is not called',
    file: 'src/flow/owned-lane.ts',
    find: '    if (next !== undefined) this.list(next)\n',
    replace: '',
    rule: '7, 30: a lost wake-up (hole 30)',
  },
  {
    name: 'a place that is free is told to its own lane only',
    file: 'src/flow/runner.ts',
    find: 'const starved = crew.free <= 0',
    replace: 'const starved = crew.free < 0',
    rule: '10: a lost wake-up (hole 30)',
  },
  {
    name: 'it listens after it has read',
    file: 'src/flow/reader.ts',
    find: '      this.#hint ??= this.#listen()\n      const went = await this.#read()\n',
    replace: '      const went = await this.#read()\n      this.#hint ??= this.#listen()\n',
    rule: '10: a lost wake-up (hole 30)',
  },
  {
    name: 'a due time that is a little early is not rung again',
    file: 'src/flow/settling.ts',
    find: 'return this.ringAt(queue, queue.hold.dueMs)',
    replace: 'return',
    rule: '11: a due retry runs (hole 30)',
  },
  {
    name: 'after a take-over due times are not rung',
    file: 'src/flow/unit.ts',
    find: "if (queue.hold?.state === 'wait') this.runner.settling.ringAt(queue, queue.hold.dueMs)",
    replace: '',
    rule: '11: durable timers (hole 30)',
  },
  {
    name: 'room is not told to the reader',
    file: 'src/flow/unit.ts',
    find: 'room: () => this.#reader.wake(),',
    replace: 'room: () => {},',
    rule: '10, 30: a lost wake-up (hole 30)',
  },
  {
    name: 'counts begin again with each wave',
    file: 'src/flow/committer.ts',
    find: '    lane.counts = wave.counts\n',
    replace: '',
    rule: '30: nothing is dropped without a counter',
  },
  {
    name: 'what is skipped is counted when it is read',
    file: 'src/flow/marks.ts',
    find: 'if (upTo <= mark) sum += count',
    replace: 'sum += count',
    rule: '30: counted once',
  },
  {
    name: 'what is done before is not counted',
    file: 'src/flow/wave.ts',
    find: '    this.#once += staged.repeated\n',
    replace: '',
    rule: '8, 30: what once skips is counted',
  },
  {
    name: 'a discard is not counted',
    file: 'src/flow/wave.ts',
    find: '    this.#discarded += held.length\n',
    replace: '',
    rule: '30: nothing is dropped without a counter',
  },
  {
    name: 'what waits behind a slow turn gets no rows',
    file: 'src/flow/reader.ts',
    find: 'arrivals.spill()',
    replace: 'undefined',
    rule: '10: a slow event delays its key only',
  },
  {
    name: 'rows are given only while nothing else runs',
    file: 'src/flow/arrivals.ts',
    find: 'if (crew.free <= 0 || crew.paused) return false',
    replace: 'if (crew.running > 1 || crew.paused) return false',
    rule: '10: a slow event delays its key only',
  },
]
