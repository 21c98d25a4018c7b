/** Bugs of the breaker: rule 12. */
import type { Bug } from './bug.ts'

export const bugs: readonly Bug[] = [
  {
    name: 'one poison key opens it',
    file: 'src/flow/breaker.ts',
    find: 'failed.length >= policy.of * policy.share && new Set(failed.map((outcome) => outcome.key)).size >= policy.keys',
    replace: 'failed.length >= policy.of * policy.share',
    rule: '12: over at least five keys (hole 8)',
  },
  {
    name: 'what fails while it is open is an attempt',
    file: 'src/flow/runner.ts',
    find: "countable && crew.breaker.phase === 'closed' && !work.probe",
    replace: 'countable',
    rule: '11, 12: failures while it is open are not attempts (hole 8)',
  },
  {
    name: 'its row is not written',
    file: 'src/flow/wave.ts',
    find: '      this.#puts.push({ ...breaker, value: encodeBreaker(crew.breaker) })\n',
    replace: '',
    rule: '12: the breaker is durable',
  },
  {
    name: 'it asks with all keys at once',
    file: 'src/flow/runner.ts',
    find: "      if (crew.probing) return { is: 'nothing' }\n",
    replace: '',
    rule: '12: one probe',
  },
  {
    name: 'a probe that fails gives no new rest',
    file: 'src/flow/breaker.ts',
    find: 'untilMs: nowMs + policy.restMs, probed }',
    replace: 'untilMs: breaker.untilMs, probed }',
    rule: '12: open, a rest, one probe',
    unproved: 'a rest that was not renewed is not told from a long one yet',
  },
  {
    name: 'a probe that goes well does not close it',
    file: 'src/flow/breaker.ts',
    find: '    if (outcome.well) return closed\n',
    replace: '',
    rule: '12: one success closes it',
  },
  {
    name: 'it needs more than half',
    file: 'src/flow/breaker.ts',
    find: 'failed.length >= policy.of * policy.share',
    replace: 'failed.length > policy.of * policy.share',
    rule: '12: half of the last outcomes',
    unproved: 'the last outcomes are not modelled yet',
  },
  {
    name: 'old outcomes are never dropped',
    file: 'src/flow/breaker.ts',
    find: '].slice(-policy.of))',
    replace: '])',
    rule: '12: half of the last 20 outcomes',
    unproved: 'the last outcomes are not modelled yet',
  },
  {
    name: 'the probe prefers a key that failed',
    file: 'src/flow/breaker.ts',
    find: 'const at = breaker.probed.indexOf(key)',
    replace: 'const at = -breaker.probed.indexOf(key)',
    rule: '12: probes rotate over keys (hole 8)',
    unproved: 'which keys could be asked is not modelled yet',
  },
  {
    name: 'a new owner does not read its row',
    file: 'src/flow/operators.ts',
    find: 'const rev = breaker?.rev ?? null',
    replace: 'const rev = crew.breakerRev',
    rule: '12: the breaker is durable',
  },
]
