/** Schedules that somebody wrote: everything ordinary, but for what a test is about. */
import { uuidV7From } from '../../src/kit/uuid-v7.ts'
import { simStartMs } from '../../src/testing/sim-world.ts'
import type { Cluster } from './cluster.ts'
import type { Call, Doing, Fact, Schedule, SubscriptionPlan } from './schedule.ts'
import { simulate, type Outcome } from './simulate.ts'

export interface Watched {
  readonly outcome: Outcome
  readonly cluster: Cluster
}

/** Runs it, and throws what broke first. */
export async function watched(schedule: Schedule): Promise<Watched> {
  let cluster: Cluster | undefined
  const outcome = await simulate(schedule, undefined, (one) => void (cluster = one))
  if (outcome.failure !== undefined) throw outcome.failure
  if (cluster === undefined) throw new Error('it did not run')
  return { outcome, cluster }
}

export function fixed(parts: Partial<Schedule>): Schedule {
  return {
    seed: 1,
    liveMs: 5_000,
    settings: { leaseMs: 1_500, beatMs: 300, holesMax: 10, pulseMs: 100, storeRestMs: 50, drainMs: 500 },
    sky: {
      wayUs: 200,
      flushUs: 1_000,
      tail: 0.05,
      tailUs: 10_000,
      lateWaits: 0.05,
      hints: { late: 0, lost: 0, false: 0 },
      polls: false,
      gated: true,
      healMs: 300,
      storeSkewMs: 3_600_000,
      items: 10_000,
    },
    runtimes: [{ name: 'a', startMs: 0, skewMs: -3_600_000, knows: 2 }],
    subscriptions: [subscribed('plain')],
    calls: [],
    acts: [],
    faults: [],
    repair: false,
    ...parts,
  }
}

export function subscribed(name: string, parts: Partial<SubscriptionPlan> = {}): SubscriptionPlan {
  return {
    name,
    kind: 'fn',
    merged: false,
    order: 'key',
    keyless: false,
    types: ['Placed'],
    skips: 0,
    from: 'start',
    policy: { retry: { attempts: 3, fromMs: 20, toMs: 100 }, timeoutMs: 400, graceMs: 200, concurrency: 8, breaker: false },
    folds: false,
    shares: false,
    once: false,
    workMs: 2,
    ...parts,
  }
}

export function placed(number: number, key: string, doings: Readonly<Record<string, Doing>> = {}, parts: Partial<Fact> = {}): Fact {
  return { id: uuidV7From(simStartMs + number, [number]), number, type: 'Placed', version: 1, key, group: 'group0', doings, ...parts }
}

export function called(atMs: number, ...facts: readonly Fact[]): Call {
  return { atMs, runtime: 0, facts, retries: 20, differs: false }
}

/** Positions of what a subscription has done, in the order in which its commits came. */
export function doneBy({ cluster }: Watched, name: string): number[] {
  return [...cluster.model.byName(name).status].filter(([, status]) => status === 'done').map(([position]) => Number(position))
}

/** Keys that are parked, whole. */
export function parkedBy({ cluster }: Watched, name: string): string[] {
  const { id } = cluster.model.byName(name)
  const keys: string[] = []
  for (const lane of cluster.mirror.of('lane', id)) {
    const part = `${id}/${lane.key}`
    for (const row of cluster.mirror.of('hold', part)) if (cluster.mirror.hold(part, row.key)?.state === 'parked') keys.push(row.key)
  }
  return keys.toSorted()
}

export function countOf({ cluster }: Watched, name: string, count: string): number {
  const { id } = cluster.model.byName(name)
  let sum = 0
  for (const lane of cluster.mirror.of('lane', id)) sum += cluster.mirror.lane(id, lane.key)?.counts[count] ?? 0
  return sum
}
