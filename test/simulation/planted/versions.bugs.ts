/** Bugs of what an event is to today's code: rule 16. */
import type { Bug } from './bug.ts'

export const bugs: readonly Bug[] = [
  {
    name: 'an unknown version parks',
    file: 'src/flow/runner.ts',
    find: "{ state: 'version' }, fault('UNKNOWN_VERSION'",
    replace: "{ state: 'parked', attempt: 0 }, fault('UNKNOWN_VERSION'",
    rule: '16: an unknown newer version holds its key, unparked (hole 4)',
  },
  {
    name: 'an unknown version is skipped',
    file: 'src/flow/arrivals.ts',
    find: "    if (look.is === 'skip') {",
    replace: "    if (look.is === 'skip' || look.is === 'wait') {",
    rule: '16: an unknown newer version holds its key (hole 4)',
  },
  {
    name: 'a key held for a version is never looked at again',
    file: 'src/flow/claim.ts',
    find: "hold.state === 'version' ? { ...hold, state: 'ready' } : hold",
    replace: 'hold',
    rule: '16: for an owner that knows it (hole 4)',
  },
  {
    name: 'what cannot be read goes along in a batch',
    file: 'src/flow/owned-lane.ts',
    find: '    entry.most = 1\n',
    replace: '',
    rule: '16: an unknown version is not run',
  },
  {
    name: 'rows of an unknown version are run',
    file: 'src/flow/runner.ts',
    find: "      if (look.is !== 'run') this.lane.setUnreadable(entry, look)\n",
    replace: '',
    rule: '16: an unknown version is not run',
  },
  {
    name: 'of a split event the first part runs',
    file: 'src/flow/arrivals.ts',
    find: "look.is === 'run' ? look.parts : []",
    replace: "look.is === 'run' ? look.parts.slice(0, 1) : []",
    rule: '16: a split event is one turn (hole 10)',
  },
  {
    name: 'of a split event in a row the first part runs',
    file: 'src/flow/rows-reader.ts',
    find: "look.is === 'run' ? look.parts : []",
    replace: "look.is === 'run' ? look.parts.slice(0, 1) : []",
    rule: '16: a split event is one turn (hole 10)',
  },
]
