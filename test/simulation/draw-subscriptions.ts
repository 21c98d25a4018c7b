/** The subscriptions of a seed: functions, batches, projections and their like, spread and merged, ordered or not. */
import type { Random } from '../../src/testing/sim-random.ts'
import type { Mood } from './mood.ts'
import type { SubscriptionPlan } from './schedule.ts'

const shapes = [
  'plain',
  'plain',
  'unordered',
  'grouped',
  'batched',
  'projection',
  'projection by group',
  'shared',
  'once',
  'second',
] as const
type Shape = (typeof shapes)[number]

export function drawSubscriptions(mood: Mood, random: Random): SubscriptionPlan[] {
  const count = random.pick([1, 1, 2, 3])
  const chosen = random.shuffle(shapes).slice(0, count)
  const drawn = chosen.map((shape, at) => drawOne(mood, shape, `${shape.replaceAll(' ', '-')}-${at}`, random))
  return mood.versions ? drawn.map((one, at) => drawChange(mood, one, at, random.fork(`change ${at}`))) : drawn
}

/** What newer code has changed: there are some that older code lacks, or calls otherwise. */
function drawChange({ liveMs }: Mood, plan: SubscriptionPlan, at: number, random: Random): SubscriptionPlan {
  const drawn = random.next()
  if (drawn < 0.25) return { ...plan, was: `old-${plan.name}` }
  if (drawn > 0.6 || at === 0) return plan
  const from = random.chance(0.5) ? 'now' : random.chance(0.6) ? random.between(500, liveMs - 500) : plan.from
  return { ...plan, arrives: true, from }
}

function drawOne(mood: Mood, shape: Shape, name: string, random: Random): SubscriptionPlan {
  const projects = shape === 'projection' || shape === 'projection by group'
  const grouped = shape === 'grouped' || shape === 'projection by group'
  const batched = shape === 'batched' || (projects && random.chance(0.6))
  return {
    name,
    kind: projects ? 'projection' : 'fn',
    merged: grouped || random.chance(shape === 'shared' || shape === 'once' ? 0.6 : 0.15),
    order: grouped ? 'group' : shape === 'unordered' ? 'none' : 'key',
    keyless: grouped && random.chance(0.5),
    types:
      shape === 'second'
        ? ['Emitted', 'Paid']
        : random.pick([
            ['Placed', 'Paid', 'Shipped'],
            ['Placed', 'Paid'],
            ['Placed', 'Paid', 'Shipped', 'Unknown'],
          ]),
    skips: random.pick([0, 0, 2, 5]),
    from: projects || random.chance(0.5) ? 'start' : 'now',
    policy: {
      retry: { attempts: random.between(1, 4), fromMs: random.pick([10, 50, 200]), toMs: random.pick([100, 500, 1_500]) },
      timeoutMs: random.between(300, 900),
      graceMs: random.pick([50, 300, 1_000]),
      concurrency: random.pick([1, 2, 4, 16]),
      breaker: drawBreaker(random),
    },
    ...(batched ? { batch: { size: random.pick([2, 3, 7, 20]), waitMs: random.pick([0, 0, 20, 200]) } } : {}),
    folds: projects || (shape !== 'once' && random.chance(0.2)),
    shares: shape === 'shared' || (shape !== 'once' && random.chance(0.05)),
    once: shape === 'once',
    workMs: random.pick([0, 0, 2, 20, 80]),
    ...(random.chance(0.12) ? { outage: drawOutage(mood, random) } : {}),
  }
}

function drawBreaker(random: Random): SubscriptionPlan['policy']['breaker'] {
  const drawn = random.next()
  if (drawn < 0.3) return false
  const restMs = random.pick([100, 400, 1_000])
  return drawn < 0.6
    ? { share: 0.5, of: 20, keys: 5, restMs }
    : { share: 0.5, of: random.between(4, 10), keys: random.between(2, 3), restMs }
}

function drawOutage({ liveMs }: Mood, random: Random): { readonly fromMs: number; readonly toMs: number } {
  const fromMs = random.between(500, liveMs / 2)
  return { fromMs, toMs: fromMs + random.between(1_000, liveMs) }
}
