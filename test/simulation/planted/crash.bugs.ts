/** Bugs of suspects, start rows and the gate: rule 13. */
import type { Bug } from './bug.ts'

export const bugs: readonly Bug[] = [
  {
    name: 'nobody is suspected beyond the mark',
    file: 'src/flow/reader.ts',
    find: 'if (unclean) this.#suspectsLeft = context.settings.holesMax',
    replace: '',
    rule: '13: events that may have been in flight get start rows (hole 1)',
  },
  {
    name: 'a second start parks',
    file: 'src/flow/suspects.ts',
    find: 'this.#startsOf(entry).length >= 2',
    replace: 'this.#startsOf(entry).length >= 1',
    rule: '13: the third time parks it (hole 1)',
  },
  {
    name: 'a suspect does not run alone',
    file: 'src/flow/suspects.ts',
    find: 'const alone = [...starts.values()].some((before) => before.length > 0)',
    replace: 'const alone = false',
    rule: '13: one that was started and not finished runs alone (hole 1)',
  },
  {
    name: 'a crash is never the last',
    file: 'src/flow/suspects.ts',
    find: 'return entry.suspect && this.#startsOf(entry).length >= 2',
    replace: 'return entry.suspect && this.#startsOf(entry).length > 20',
    rule: '13: the third time parks it (hole 1)',
  },
  {
    name: 'owners that came back count as dead',
    file: 'src/flow/claim.ts',
    find: '.filter((token) => !returned.has(token))',
    replace: '',
    rule: '13: an owner that returns takes its start back (hole 28)',
    unproved: 'no seed has an owner that comes back between two deaths',
  },
  {
    name: 'a start is not taken back',
    file: 'src/flow/unit.ts',
    find: '        void takeStartsBack(claimed)\n',
    replace: '',
    rule: '13: an owner that returns takes its start back (hole 28)',
    unproved: 'no seed has an owner that comes back between two deaths',
  },
  {
    name: 'a start row stays when its event has failed',
    file: 'src/flow/wave.ts',
    find: '    const before = this.#holdOf(queue)\n    if (entry.suspect)',
    replace: "    const before = this.#holdOf(queue)\n    if (entry.suspect && next.state === 'parked')",
    rule: '13: started and not finished',
  },
  {
    name: 'the gate lets others in beside one alone',
    file: 'src/flow/gate.ts',
    find: 'if (this.#alone || this.#queue.length > 0) {',
    replace: 'if (this.#queue.length > 0) {',
    rule: '13: it runs alone in its process (hole 1)',
  },
  {
    name: 'who runs alone leaves before its commit',
    file: 'src/flow/suspects.ts',
    find: '    if (alone) this.#alone.add(work)\n    this.#run(work, alone)',
    replace: '    this.#run(work, false)',
    rule: '13: it runs alone until its outcome stands',
  },
  {
    name: 'who is turned away at the gate is not called',
    file: 'src/flow/gate.ts',
    find: '    for (const wake of wakes) wake()\n',
    replace: '',
    rule: '13: others wait until its outcome stands, no longer',
  },
]
