/** Bugs of ownership: rule 17. */
import type { Bug } from './bug.ts'

export const bugs: readonly Bug[] = [
  {
    name: 'a lane is claimed as it was read',
    file: 'src/flow/claim.ts',
    find: 'checks: [{ ...key, rev: row.rev }], puts',
    replace: 'puts',
    rule: '17: a stale owner changes nothing',
  },
  {
    name: 'who is fenced goes on with the new revision',
    file: 'src/flow/committer.ts',
    find: '    if (changed.has(own)) {',
    replace:
      "    if (changed.has(own)) {\n      lane.rev = refused.rows.find((one) => rowName(one) === own)?.rev ?? ''\n" +
      '      this.#queue = [...wave.outcomes, ...this.#queue]\n      return\n    }\n    if (changed.has(own)) {',
    rule: '17: a stale owner changes nothing',
  },
  {
    name: 'an owner that was never seen is dead',
    file: 'src/flow/membership.ts',
    find: '?.changedMs ?? this.#met.get(owner) ?? nowMs',
    replace: '?.changedMs ?? 0',
    rule: '17: not before a whole lease',
  },
  {
    name: 'a beat counts when it is first seen',
    file: 'src/flow/membership.ts',
    find: 'if (this.#seen.get(row.key)?.beat.beat !== beat.beat)',
    replace: 'if (!this.#seen.has(row.key))',
    rule: '17: taken over when its beat has not changed for a lease',
  },
  {
    name: 'beats are judged by when the answer came',
    file: 'src/flow/membership.ts',
    find: '    const present = new Set(rows',
    replace: '    this.#seenMs = nowMs\n    const present = new Set(rows',
    rule: '17: not before a whole lease',
  },
  {
    name: 'nobody hands over',
    file: 'src/flow/membership.ts',
    find: '      if (!mine) void unit.release()\n',
    replace: '',
    rule: '17: shared out evenly, handed over after a drain',
  },
  {
    name: 'a new owner takes the token of the one before',
    file: 'src/flow/claim.ts',
    find: 'epoch: before.epoch + 1, token: context.token() }',
    replace: "epoch: before.epoch + 1, token: before.token === '' ? context.token() : before.token }",
    rule: '17: a random owner token',
  },
  {
    name: 'an epoch is not raised',
    file: 'src/flow/claim.ts',
    find: 'epoch: before.epoch + 1,',
    replace: 'epoch: before.epoch,',
    rule: '17: epoch grows with each owner',
  },
  {
    name: 'a lane is loaded while it runs',
    file: 'src/flow/claim.ts',
    find: '  await load(owned, unclean)',
    replace: '  void load(owned, unclean).catch(() => undefined)',
    rule: '10, 17: nothing runs before every hold is known (hole 31)',
  },
]
