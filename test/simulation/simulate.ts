/** Runs one schedule: what happens, then the calm that must settle everything, then the repair that must finish it. */
import { Clients } from './clients.ts'
import { Cluster } from './cluster.ts'
import type { Coverage } from './coverage.ts'
import type { Life } from './life.ts'
import { Operators } from './operators.ts'
import type { Schedule } from './schedule.ts'
import { checkEnd, unsettled, unshared } from './settled.ts'
import { Violation } from './violation.ts'

export interface Outcome {
  readonly trace: string
  readonly steps: number
  readonly simulatedMs: number
  readonly events: number
  readonly failure: Error | undefined
  readonly coverage: Coverage
  readonly log: readonly string[] | undefined
}

/**
 * As long as the slowest order of things takes: each attempt its time, and who kills its process does so three times,
 * alone, with a lease between.
 */
function calmMsOf({ calls, settings, subscriptions }: Schedule): number {
  const facts = calls.flatMap((call) => call.facts)
  let sum = 60_000
  for (const { name, policy } of subscriptions) {
    const restartMs = (settings.abandonedMax ?? 100) < 100 ? (settings.leaseMs ?? 0) * 2 + 1_500 : 0
    const attemptMs = Math.min(10_000, policy.timeoutMs + policy.graceMs + policy.retry.toMs) + restartMs
    for (const { doings } of facts) {
      const doing = doings[name]
      if (doing?.do === 'abort') sum += 3 * ((settings.leaseMs ?? 0) + 1_500)
      else if (doing !== undefined && 'times' in doing) sum += Math.min(doing.times, policy.retry.attempts) * attemptMs
    }
  }
  return sum
}

/** `look`: for whoever wants to see what a failed run looks like inside. */
export async function simulate(schedule: Schedule, log?: string[], look?: (cluster: Cluster) => void): Promise<Outcome> {
  const cluster = new Cluster(schedule, log)
  // Faults are many here, and their stacks are read by whoever reads the story of one seed.
  const stackLines = Error.stackTraceLimit
  if (log === undefined) Error.stackTraceLimit = 0
  const { world } = cluster
  const unhandled = (reason: unknown): void => world.fail(reason instanceof Error ? reason : new Error(String(reason)))
  process.on('unhandledRejection', unhandled)
  try {
    await live(cluster)
    look?.(cluster)
  } finally {
    Error.stackTraceLimit = stackLines
    process.off('unhandledRejection', unhandled)
  }
  const { failure, trace, steps, nowUs } = world
  return { trace, steps, simulatedMs: nowUs / 1_000, events: cluster.model.log.length, failure, coverage: cluster.coverage, log }
}

async function live(cluster: Cluster): Promise<void> {
  const { world, schedule } = cluster
  const clients = new Clients(cluster)
  const operators = new Operators(cluster)
  for (const [index, { startMs }] of schedule.runtimes.entries())
    world.after(startMs * 1_000, undefined, 0, () => cluster.startRuntime(index))
  clients.arm()
  operators.arm()
  cluster.triggers.arm()
  const { triggers } = cluster
  await world.run(
    schedule.liveMs * 1_000,
    triggers.waitsForSteps
      ? () => {
          triggers.stepped(world.steps)
          return false
        }
      : undefined,
  )
  if (world.failure !== undefined) return
  calm(cluster, operators)
  await settle(
    cluster,
    operators,
    'settled',
    () => clients.open === 0 && unsettled(cluster, 'parked is settled').length === 0 && unshared(cluster).length === 0,
  )
  if (world.failure !== undefined) return
  if (schedule.repair) {
    cluster.say('what failed is repaired')
    cluster.repaired = true
    await settle(cluster, operators, 'done', () => {
      operators.redriveAll()
      return unsettled(cluster, 'only done').length === 0
    })
  }
  if (world.failure === undefined) guarded(cluster, () => checkEnd(cluster))
}

/** Nothing goes wrong any more: whoever is away comes back, with the newest code. */
function calm(cluster: Cluster, operators: Operators): void {
  const { world, weather, triggers, lives } = cluster
  cluster.say('calm')
  weather.calm = true
  triggers.off = true
  const newest = 2
  for (const [index, life] of lives.entries()) {
    cluster.upgrade(index, newest)
    if (life === undefined) cluster.startRuntime(index)
    else if (life.process.state === 'paused') world.resume(life.process)
  }
  for (const life of lives) if (life !== undefined && life.knows < newest) cluster.stopRuntime(life, 100, newest)
  operators.resumeAll()
}

async function settle(cluster: Cluster, operators: Operators, what: string, done: () => boolean): Promise<void> {
  const { world } = cluster
  const calmMs = calmMsOf(cluster.schedule)
  const endUs = world.nowUs + calmMs * 1_000
  while (world.failure === undefined && !done()) {
    if (world.nowUs >= endUs) {
      const left = [...unsettled(cluster, what === 'done' ? 'only done' : 'parked is settled'), ...unshared(cluster)]
      world.fail(new Violation(`not ${what}`, `${left.length} after ${calmMs / 1_000} s of calm: ${left.slice(0, 5).join('; ')}`))
      return
    }
    bringBack(cluster)
    operators.resumePaused()
    operators.discardStanding()
    await world.run(world.nowUs + 200_000)
  }
}

/**
 * A supervisor never sleeps: code that is too old is replaced as soon as it can be, and so is a process in which as many
 * handlers hang as may.
 */
function bringBack(cluster: Cluster): void {
  const newest = 2
  for (const [index, life] of cluster.lives.entries()) {
    if (life === undefined) cluster.startRuntime(index)
    else if (life.knows < newest || hangs(cluster, life)) cluster.stopRuntime(life, 100, newest)
  }
}

/** Not before it knows who is gone: until then it leaves their lanes to them. */
function hangs({ model, turns, schedule, nowUs }: Cluster, life: Life): boolean {
  const { abandonedMax: most = 100, leaseMs = 0 } = schedule.settings
  if (nowUs - life.startedUs < (leaseMs * 2 + 1_000) * 1_000) return false
  return model.subscriptions.some((subscription) => turns.abandoned(life.process, subscription) >= most)
}

function guarded(cluster: Cluster, check: () => void): void {
  try {
    check()
  } catch (thrown) {
    cluster.world.fail(thrown as Error)
  }
}
