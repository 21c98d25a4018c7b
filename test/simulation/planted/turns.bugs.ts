/** Bugs of turns and waves: what is staged, checked and taken back. Rules 6 to 9. */
import type { Bug } from './bug.ts'

export const bugs: readonly Bug[] = [
  {
    name: 'a closed turn still takes what is staged',
    file: 'src/flow/turn.ts',
    find: 'if (this.#closed !== undefined) throw this.#lateFault()',
    replace: "if (this.#closed === '') throw this.#lateFault()",
    rule: '6: return closes the turn (hole 6)',
  },
  {
    name: 'a handler that returns after its time is up still counts',
    file: 'src/flow/attempt.ts',
    find: "    this.over = true\n    this.#turn.close('its time was up', true)",
    replace: "    this.#turn.close('its time was up', true)",
    rule: '6: a time-out closes the turn (hole 6)',
  },
  {
    name: 'a time-out does not abort the signal',
    file: 'src/flow/attempt.ts',
    find: "this.#turn.close('its time was up', true)",
    replace: "this.#turn.close('its time was up')",
    rule: '6, 14: aborted on time-out',
  },
  {
    name: 'two commits of a lane are in flight',
    file: 'src/flow/committer.ts',
    find: "if (this.#scheduled || this.#sending || this.#lane.phase === 'over') return",
    replace: "if (this.#scheduled || this.#lane.phase === 'over') return",
    rule: '6: one commit in flight',
  },
  {
    name: 'what settles is forgotten before the commit',
    file: 'src/flow/committer.ts',
    find: '    const answer = await this.#commit(wave)',
    replace: '    for (const entry of wave.settled) this.#lane.marks.settle(entry)\n    const answer = await this.#commit(wave)',
    rule: '6: memory changes after the commit (hole 13)',
  },
  {
    name: 'two of one wave read and write the same row',
    file: 'src/flow/wave.ts',
    find: 'if (this.#written.has(name)) return true',
    replace: 'if (this.#written.has(name)) return false',
    rule: '6, 7: a turn that read a row written in its wave loses (hole 2)',
  },
  {
    name: 'losers of a row run all at once',
    file: 'src/flow/owned-lane.ts',
    find: 'return queue.contends === undefined || this.contention.get(queue.contends)?.[0] === queue',
    replace: 'return true',
    rule: '7: losers of one row rerun one after another (hole 29)',
  },
  {
    name: 'a loser leaves its line as it starts',
    file: 'src/flow/runner.ts',
    find: 'for (const one of work.queues) one.busy = true',
    replace: 'for (const one of work.queues) {\n      one.busy = true\n      lane.endContention(one)\n    }',
    rule: '7: losers of one row rerun one after another (hole 29)',
  },
  {
    name: 'a loser goes behind what came after it',
    file: 'src/flow/key-queue.ts',
    find: 'this.waiting = new Fifo([...log, ...this.waiting].sort(byPosition))',
    replace: 'this.waiting = new Fifo([...this.waiting, ...log])',
    rule: '7: later calls of its key wait',
  },
  {
    name: 'the row of an event that is done stays',
    file: 'src/flow/wave.ts',
    find: '    this.#deletes.push(heldKey(this.#of.part, entry.key, entry.event.position))\n',
    replace: '',
    rule: '8: effects happen once',
  },
  {
    name: 'a turn that read nothing may emit nothing',
    file: 'src/flow/wave.ts',
    find: '    for (const entry of entries) this.#leave(entry, queues)\n    this.#done',
    replace:
      '    for (const entry of entries) this.#leave(entry, queues)\n' +
      '    if (entries[0]?.held !== undefined) this.#appends.length = 0\n    this.#done',
    rule: '8: emits happen once',
  },
  {
    name: 'a turn that lost to a row has made an attempt',
    file: 'src/flow/runner.ts',
    find: '    for (const outcome of outcomes) this.settling.undo(outcome, row, again)',
    replace:
      '    for (const outcome of outcomes) {\n' +
      "      if (outcome.is !== 'done' || row === undefined) this.settling.undo(outcome, row, again)\n      else {\n" +
      '        for (const queue of outcome.work.queues) queue.staged -= 1\n' +
      "        this.#afterFailure(outcome.work, new Error('it lost to a row'), true)\n      }\n    }",
    rule: '7: reruns are never attempts (hole 29)',
  },
]
