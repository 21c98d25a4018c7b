/** Bugs of where a subscription begins, and of old and new code side by side: rule 25. */
import type { Bug } from './bug.ts'

export const bugs: readonly Bug[] = [
  {
    name: 'a function begins at the start of the log',
    file: 'src/flow/deploy.ts',
    find: "subscription.from === 'now' ? await headsOf(store) : new Map<string, Position>()",
    replace: 'new Map<string, Position>()',
    rule: '25: functions start at their deployment',
  },
  {
    name: 'a projection begins at its deployment',
    file: 'src/flow/deploy.ts',
    find: "const heads = subscription.from === 'now' ?",
    replace: "const heads = subscription.from !== 'now' || subscription.merged ?",
    rule: '25: projections start at the beginning',
  },
  {
    name: 'an instant is turned round',
    file: 'src/flow/arrivals.ts',
    find: 'event.storedMs < crew.sinceMs ? skip',
    replace: 'event.storedMs > crew.sinceMs && crew.sinceMs > 0 ? skip',
    rule: '25: where from says',
  },
  {
    name: 'who deploys later begins again',
    file: 'src/flow/deploy.ts',
    find: 'const checks = puts.map(({ kind, part, key }) => ({ kind, part, key, rev: null }))',
    replace: 'const checks: (Put & { readonly rev: null })[] = []',
    rule: '25: recorded as a position, once',
  },
  {
    name: 'a rename begins anew',
    file: 'src/flow/deploy.ts',
    find: 'before === undefined ? await arrival',
    replace: 'before === undefined || subscription.was !== undefined ? await arrival',
    rule: '25: a rename keeps everything',
  },
  {
    name: 'old code takes lanes beside new code',
    file: 'src/flow/membership.ts',
    find: 'able.filter(([, beat]) => beat.generation === newest)',
    replace: 'able.filter(([, beat]) => beat.generation <= newest)',
    rule: '25: a newer plan denies older processes new leases',
  },
  {
    name: 'lanes go to who does not run them',
    file: 'src/flow/membership.ts',
    find: '[...alive].filter(([, beat]) => beat.subscriptions.includes(crew.id))',
    replace: '[...alive]',
    rule: '17, 25: shared among those that run it',
  },
]
