/**
 * Seeds in which little goes wrong are about one meeting that is rare elsewhere: outcomes that open a breaker, and nothing
 * else; owners that come back between two deaths; a slow turn that others wait behind; owners that die with rows on their way.
 */
import type { Settings } from '../../src/flow/settings.ts'
import type { Random } from '../../src/testing/sim-random.ts'
import type { Act, Call, Doing, Fact, Fault, Schedule, SubscriptionPlan, ThemeName, When } from './schedule.ts'

/** What it makes of the schedule that was drawn. */
interface Theme {
  readonly liveMs?: number
  readonly subscription: Partial<SubscriptionPlan>
  readonly policy: Partial<SubscriptionPlan['policy']>
  readonly settings: Partial<Settings>
  readonly runtimes: number
  readonly flushUs?: number
  /** As many as the store takes at once. */
  readonly items?: number
  readonly acts?: readonly Omit<Extract<Act, { readonly op: 'redrive' | 'discard' | 'edit' }>, 'subscription'>[]
  readonly faults: readonly Fault[]
  readonly keys: number
  /** Share of the events with which a handler has trouble, and which. */
  readonly trouble: number
  readonly doings: readonly Doing[]
  /** All events come before it. */
  readonly untilMs: number
}

const fewFaults = 5

/** The schedule as it was drawn, or one with a theme where hardly anything goes wrong in it. */
export function themed(schedule: Schedule, random: Random): Schedule {
  const [first] = schedule.subscriptions
  const busy = schedule.faults.length > fewFaults || schedule.faults.some(({ is }) => is === 'store')
  if (busy || first === undefined) return schedule
  const name = random.pick(chances)
  const theme = themes[name](schedule, random)
  const subscription = { ...plainOf(first), ...theme.subscription, policy: { ...first.policy, ...theme.policy } }
  return {
    ...schedule,
    theme: name,
    liveMs: theme.liveMs ?? schedule.liveMs,
    settings: { ...schedule.settings, abandonedMax: 100, parkedMax: 1_000, ...theme.settings },
    sky: {
      ...schedule.sky,
      tail: 0,
      lateWaits: 0,
      hints: { late: 0, lost: 0, false: 0 },
      items: theme.items ?? 10_000,
      ...(theme.flushUs === undefined ? {} : { flushUs: theme.flushUs }),
    },
    runtimes: ['a', 'b', 'c']
      .slice(0, theme.runtimes)
      .map((name) => ({ name, startMs: 0, skewMs: random.between(-3_600_000, 3_600_000), knows: 2 })),
    subscriptions: [subscription],
    calls: callsOf(schedule, subscription.name, theme, random),
    acts: (theme.acts ?? []).map((act) => ({ ...act, subscription: subscription.name })).toSorted((a, b) => a.atMs - b.atMs),
    faults: theme.faults,
  }
}

export const themes: Readonly<Record<ThemeName, (schedule: Schedule, random: Random) => Theme>> = { outcomes, returns, slow, joins, rows }
/** How often each comes. */
const chances: readonly ThemeName[] = ['outcomes', 'outcomes', 'returns', 'returns', 'slow', 'joins', 'rows']

/** One process, whose outcomes alone decide about the breaker. */
function outcomes({ liveMs }: Schedule, random: Random): Theme {
  const restMs = random.pick([400, 1_000])
  return {
    subscription: { merged: random.chance(0.6), workMs: random.pick([2, 20]) },
    policy: {
      retry: { attempts: random.between(3, 8), fromMs: random.pick([10, 50]), toMs: random.pick([100, 300]) },
      concurrency: random.pick([1, 2, 4, 16]),
      breaker: random.chance(0.3)
        ? { share: 0.5, of: 20, keys: 5, restMs }
        : { share: 0.5, of: random.between(4, 10), keys: random.between(2, 3), restMs },
    },
    settings: { holesMax: 14 },
    runtimes: 1,
    faults: [],
    keys: random.between(4, 12),
    trouble: random.pick([0.15, 0.3, 0.5]),
    doings: failures(random),
    untilMs: liveMs - 500,
  }
}

function failures(random: Random): readonly Doing[] {
  const times = random.pick([1, 2, 99])
  const fails: Doing[] = [1, times, 99].map((of) => ({ do: 'fail', times: of, staged: false }))
  return [
    ...fails,
    random.pick([
      { do: 'nothing', times },
      { do: 'hang', times: 1 },
      { do: 'obey', times: 1 },
    ] as const),
  ]
}

/** Whoever has recorded a start stands still for longer than a lease, again and again, and comes back. */
function returns(_: Schedule, random: Random): Theme {
  const leaseMs = random.between(1_000, 1_300)
  const strikes = Array.from({ length: random.between(3, 8) }, (__, at): Fault => {
    const when = whenOf('start row', at + random.between(1, 2), random)
    if (random.chance(0.15)) return { is: 'crash', runtime: 0, when, restMs: 50 }
    return { is: 'pause', runtime: 0, when, forMs: Math.floor(leaseMs * random.pick([1.1, 1.3, 1.6, 2.2])) }
  })
  return {
    liveMs: 14_000,
    subscription: { merged: random.chance(0.5), workMs: random.pick([20, 80]) },
    policy: { timeoutMs: 900, concurrency: random.pick([2, 4, 16]), breaker: false },
    settings: { leaseMs, beatMs: Math.floor(leaseMs / 5) },
    runtimes: random.between(2, 3),
    faults: [{ is: 'crash', runtime: random.below(3), when: { atMs: random.between(700, 1_500) }, restMs: 50 }, ...strikes],
    keys: random.between(2, 8),
    trouble: 0.5,
    doings: [
      { do: 'slow', ms: random.between(100, 700) },
      { do: 'slow', ms: 700 },
      { do: 'abort', times: 1 },
    ],
    untilMs: 3_000,
  }
}

/** A turn takes seconds, and there is room for few events besides what waits behind it. */
function slow({ liveMs }: Schedule, random: Random): Theme {
  const timeoutMs = random.between(2_500, 5_000)
  return {
    subscription: { merged: random.chance(0.5), workMs: random.pick([0, 2, 20]) },
    policy: { timeoutMs, concurrency: random.pick([2, 4, 16]) },
    settings: { holesMax: random.between(3, 5) },
    runtimes: 1,
    faults: [],
    keys: random.between(2, 5),
    trouble: random.pick([0.05, 0.15]),
    doings: [
      random.pick([
        { do: 'slow', ms: timeoutMs - 200 },
        { do: 'hang', times: 1 },
        { do: 'obey', times: 1 },
      ] as const),
    ],
    untilMs: liveMs - 2_000,
  }
}

/** A store that takes little at once, and a key that is held with more than that; operators discard it whole. */
function rows({ liveMs }: Schedule, random: Random): Theme {
  return {
    subscription: { merged: random.chance(0.5), workMs: random.pick([0, 2]), types: ['Placed', 'Paid', 'Shipped'], skips: 0 },
    policy: { retry: { attempts: 1, fromMs: 10, toMs: 100 }, breaker: false },
    settings: { holesMax: 14 },
    runtimes: random.between(1, 2),
    items: random.between(100, 140),
    faults: [],
    acts: Array.from({ length: 6 }, (_, at) => ({ atMs: liveMs - 500 - at * random.between(50, 700), op: 'discard', which: 3, all: true })),
    keys: random.between(1, 3),
    trouble: 0.15,
    doings: [{ do: 'fail', times: 99, staged: false }],
    untilMs: liveMs - 2_000,
  }
}

/** Each outcome is a commit of its own, commits are slow, and owners die as they follow each other. */
function joins({ liveMs }: Schedule, random: Random): Theme {
  const deaths = Array.from({ length: 6 }, (): Fault => {
    const when = whenOf(random.pick(['wave', 'wave', 'retry', 'spill', 'drain']), random.between(1, 40), random)
    return { is: 'crash', runtime: 0, when, restMs: 50 }
  })
  return {
    subscription: { merged: random.chance(0.5), workMs: random.pick([0, 2, 20]) },
    policy: {
      retry: { attempts: random.between(2, 4), fromMs: 200, toMs: random.pick([500, 1_500]) },
      concurrency: 16,
      breaker: false,
    },
    settings: { leaseMs: 1_000, beatMs: 200, holesMax: 14, waveTurns: random.pick([1, 1, 2]) },
    runtimes: random.between(1, 2),
    flushUs: random.pick([5_000, 15_000]),
    faults: deaths,
    keys: random.between(2, 4),
    trouble: random.pick([0.15, 0.3]),
    doings: failures(random).slice(0, 3),
    untilMs: liveMs - 1_000,
  }
}

function whenOf(op: string, nth: number, random: Random): When {
  return { op, nth, stage: random.pick(['applied', 'flushed', 'answered', 'answered'] as const) }
}

/** An ordinary function of one event, which wants all. */
function plainOf({ was: _, arrives: __, batch: ___, outage: ____, ...subscription }: SubscriptionPlan): SubscriptionPlan {
  return {
    ...subscription,
    kind: 'fn',
    order: 'key',
    keyless: false,
    types: ['Placed', 'Paid', 'Shipped'],
    from: 'start',
    folds: false,
    shares: false,
    once: false,
  }
}

/** The same calls, of facts as the theme has them: one that is called twice stays one. */
function callsOf({ calls }: Schedule, name: string, { keys, trouble, doings, untilMs }: Theme, random: Random): Call[] {
  const facts = new Map<string, Fact>()
  const factOf = (drawn: Fact): Fact => {
    const known = facts.get(drawn.id)
    if (known !== undefined) return known
    const doing = random.chance(trouble) ? { [name]: random.pick(doings) } : {}
    const fact = { ...drawn, version: 1, key: `key${random.below(keys)}`, doings: doing }
    facts.set(drawn.id, fact)
    return fact
  }
  return calls
    .map((call) => ({ ...call, facts: call.facts.map(factOf), atMs: 200 + (call.atMs % untilMs) }))
    .toSorted((a, b) => a.atMs - b.atMs)
}
