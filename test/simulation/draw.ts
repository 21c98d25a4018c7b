/** Draws a schedule from a seed: each seed has its own shape, so that rare meetings are common somewhere. */
import { uuidV7From } from '../../src/kit/uuid-v7.ts'
import { randomOf, type Random } from '../../src/testing/sim-random.ts'
import { simStartMs } from '../../src/testing/sim-world.ts'
import { drawFaults } from './draw-faults.ts'
import { drawSubscriptions } from './draw-subscriptions.ts'
import { drawMood, type Mood } from './mood.ts'
import { themed } from './themes.ts'
import type { Act, Call, Doing, Fact, RuntimePlan, Schedule, Sky, SubscriptionPlan } from './schedule.ts'

export function draw(seed: number): Schedule {
  const random = randomOf(seed, 'schedule')
  const mood = drawMood(random)
  const subscriptions = drawSubscriptions(mood, random.fork('subscriptions'))
  const schedule: Schedule = {
    seed,
    liveMs: mood.liveMs,
    settings: drawSettings(mood, subscriptions, random.fork('settings')),
    sky: drawSky(random.fork('sky')),
    runtimes: drawRuntimes(mood, subscriptions, random.fork('runtimes')),
    subscriptions,
    calls: drawCalls(mood, subscriptions, random.fork('calls')),
    acts: drawActs(mood, subscriptions, random.fork('acts')),
    faults: drawFaults(mood, random.fork('faults')),
    repair: random.chance(0.6),
  }
  return themed(schedule, random.fork('theme'))
}

function drawSettings({ leaseMs }: Mood, subscriptions: readonly SubscriptionPlan[], random: Random): Schedule['settings'] {
  return {
    leaseMs,
    beatMs: Math.floor(leaseMs / random.between(4, 6)),
    holesMax: random.between(3, 14),
    readEvents: random.pick([1, 3, 10, 100]),
    waveTurns: random.pick([1, 2, 5, 64]),
    parkedMax: random.chance(0.1) ? random.between(1, 3) : 1_000,
    abandonedMax: random.chance(0.3) ? random.between(1, 3) + (subscriptions.some(needsRoomToHang) ? 6 : 0) : 100,
    drainRows: random.pick([1, 2, 5, 256]),
    skipsMax: random.pick([1, 3, 20]),
    drainMs: random.between(100, 1_500),
    storeRestMs: random.between(20, 200),
    pulseMs: random.between(50, 250),
  }
}

/**
 * A batch that hangs is halved in memory, and each half hangs once more. While the breaker is open, poison is asked again in
 * every life, before the lanes of those that are gone are taken over.
 */
function needsRoomToHang({ batch, policy }: SubscriptionPlan): boolean {
  return batch !== undefined || policy.breaker !== false
}

function drawSky(random: Random): Sky {
  const tail = random.pick([0, 0, 0.01, 0.05, 0.15])
  return {
    wayUs: random.pick([30, 200, 1_000, 3_000]),
    flushUs: random.pick([100, 1_000, 5_000, 15_000]),
    tail,
    tailUs: random.pick([5_000, 30_000, 120_000]),
    lateWaits: random.pick([0, 0.05, 0.3]),
    hints: { late: random.pick([0, 0.1, 0.4]), lost: random.pick([0, 0.1, 0.4]), false: random.pick([0, 0.1]) },
    polls: random.chance(0.5),
    gated: random.chance(0.7),
    healMs: random.between(100, 800),
    storeSkewMs: random.between(-3_600_000, 3_600_000),
    items: random.chance(0.15) ? random.between(120, 300) : 10_000,
  }
}

function drawRuntimes({ runtimes, versions }: Mood, subscriptions: readonly SubscriptionPlan[], random: Random): RuntimePlan[] {
  const [first] = subscriptions
  const renames = subscriptions.some(({ was }) => was !== undefined)
  return Array.from({ length: runtimes }, (_, at) => ({
    name: 'abc'.charAt(at),
    startMs: at === 0 ? 0 : random.pick([0, 10, 500, 3_000]),
    skewMs: random.chance(0.7) ? random.between(-3_600_000, 3_600_000) : 0,
    knows: versions ? (random.chance(0.5) || (renames && at === 0) ? 1 : 2) : 2,
    ...(at > 0 && first !== undefined && random.chance(0.1) ? { lacks: first.name } : {}),
  }))
}

function drawCalls(mood: Mood, subscriptions: readonly SubscriptionPlan[], random: Random): Call[] {
  const calls: Call[] = []
  const events = random.pick([8, 20, 40, 80])
  const several = random.pick([0, 0.1, 0.5])
  const bursts = random.chance(0.5)
    ? Array.from({ length: random.between(1, 4) }, () => random.between(300, mood.liveMs - 1_000))
    : undefined
  let number = 0
  while (number < events) {
    const size = random.chance(several) ? random.between(2, 5) : 1
    const facts: Fact[] = []
    for (let at = 0; at < size; at++) facts.push(drawFact(mood, subscriptions, (number += 1), random))
    const atMs = bursts === undefined ? random.between(200, mood.liveMs - 500) : random.pick(bursts) + random.between(0, 200)
    calls.push({ atMs, runtime: random.below(mood.runtimes), facts, retries: random.pick([0, 1, 5]), differs: false })
  }
  for (const call of calls.slice()) {
    if (!random.chance(0.12)) continue
    const facts = call.facts.length > 1 && random.chance(0.3) ? call.facts.slice(0, -1) : call.facts
    calls.push({
      ...call,
      facts,
      atMs: call.atMs + random.pick([0, 1, 20, 2_000]),
      runtime: random.below(mood.runtimes),
      differs: random.chance(0.4),
    })
  }
  return calls.sort((a, b) => a.atMs - b.atMs)
}

function drawFact(mood: Mood, subscriptions: readonly SubscriptionPlan[], number: number, random: Random): Fact {
  const doings: Record<string, Doing> = {}
  for (const { name, policy } of subscriptions) if (random.chance(mood.trouble)) doings[name] = drawDoing(mood, policy.timeoutMs, random)
  return {
    id: uuidV7From(simStartMs + number, [number]),
    number,
    type: random.pick(['Placed', 'Placed', 'Paid', 'Shipped']),
    version: mood.versions && random.chance(0.3) ? 2 : 1,
    key: random.pick(mood.keys),
    group: `group${random.below(mood.groups)}`,
    doings,
  }
}

function drawDoing({ doings, keys }: Mood, timeoutMs: number, random: Random): Doing {
  const kind = random.pick(doings)
  const times = random.pick([1, 1, 2, 3, 99])
  switch (kind) {
    case 'fail':
      return { do: 'fail', times, staged: random.chance(0.5) }
    case 'abort':
      return { do: 'abort', times: random.pick([1, 2, 99]) }
    case 'late':
      return { do: 'late', times, ms: random.pick([5, 100, 1_000, 3_000]) }
    case 'slow':
      return { do: 'slow', ms: random.below(Math.max(1, timeoutMs - 200)) }
    case 'emit':
      return { do: 'emit', count: random.between(1, 3), key: random.chance(0.5) ? '' : random.pick(keys) }
    case 'broken':
      return { do: 'broken' }
    case 'nothing':
    case 'hang':
    case 'obey':
      return { do: kind, times }
  }
}

function drawActs({ liveMs, focus }: Mood, subscriptions: readonly SubscriptionPlan[], random: Random): Act[] {
  const executes = focus.startsWith('execute ')
  const count = executes || focus === 'ask' || focus === 'control' ? random.between(10, 30) : random.pick([0, 0, 3, 8, 20])
  return Array.from({ length: count }, (): Act => {
    const { name } = random.pick(subscriptions)
    const atMs = random.between(500, liveMs)
    const op =
      executes && random.chance(0.7)
        ? (focus.slice('execute '.length) as 'redrive' | 'discard' | 'edit')
        : random.pick(['pause', 'redrive', 'redrive', 'redrive', 'discard', 'edit', 'stray'] as const)
    if (op === 'pause') return { atMs, op, subscription: name, forMs: random.between(100, 4_000) }
    if (op === 'stray') return { atMs, op, subscription: name, which: random.below(8) }
    return { atMs, op, subscription: name, which: random.below(8), all: random.chance(0.3) }
  }).sort((a, b) => a.atMs - b.atMs)
}
