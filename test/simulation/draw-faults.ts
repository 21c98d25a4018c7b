/**
 * The faults of a seed. Most wait for an operation of a kind, so that the rare ones are hit as often as the common ones;
 * half of them for the kind that the seed is about.
 */
import type { Random } from '../../src/testing/sim-random.ts'
import { operationKinds, storeFaults } from './coverage.ts'
import type { Mood } from './mood.ts'
import type { Fault, When } from './schedule.ts'

/** Of these there are many in a run. */
const common = new Set<string>(['get', 'scan', 'read', 'beat', 'mark', 'publish', 'wave'])

export function drawFaults(mood: Mood, random: Random): Fault[] {
  const stores = random.pick([0, 8, 25, 50, 90])
  const processes = random.pick([0, 2, 8, 16, 30])
  const faults: Fault[] = []
  for (let at = 0; at < stores; at++) {
    const op = drawOperation(mood, random)
    faults.push({ is: 'store', op, nth: drawNth(op, random), fault: random.pick(storeFaults) })
  }
  for (let at = 0; at < processes; at++) faults.push(drawProcessFault(mood, random))
  if (mood.versions) for (let at = 0; at < random.between(0, 3); at++) faults.push(drawDeploy(mood, random))
  return faults
}

function drawOperation({ focus }: Mood, random: Random): string {
  return random.chance(0.6) ? focus : random.pick(operationKinds)
}

function drawProcessFault(mood: Mood, random: Random): Fault {
  const when = drawWhen(mood, random)
  const runtime = random.below(mood.runtimes)
  const restMs = random.pick([0, 50, 500, 2_000])
  const drawn = random.next()
  if (drawn < 0.2) return { is: 'crash', runtime, when, restMs }
  if (drawn < 0.47) return { is: 'pause', runtime, when, forMs: Math.floor(mood.leaseMs * random.pick([0.3, 1.2, 1.5, 3])) }
  if (drawn < 0.72) return { is: 'cut', when, restMs }
  if (drawn < 0.96) return { is: 'jump', runtime, when, byMs: random.between(-3_600_000, 3_600_000) }
  return { is: 'stop', runtime, when, restMs }
}

function drawDeploy(mood: Mood, random: Random): Fault {
  return {
    is: 'stop',
    runtime: random.below(mood.runtimes),
    when: { atMs: random.between(1_000, mood.liveMs) },
    restMs: random.pick([0, 200]),
    knows: random.between(1, 2),
  }
}

function drawWhen(mood: Mood, random: Random): When {
  if (random.chance(0.2)) return { atMs: random.between(300, mood.liveMs) }
  const op = drawOperation(mood, random)
  return { op, nth: drawNth(op, random), stage: random.pick(['called', 'called', 'applied', 'flushed', 'answered'] as const) }
}

function drawNth(op: string, random: Random): number {
  return common.has(op) ? random.between(1, random.pick([5, 20, 60])) : random.between(1, random.pick([1, 3, 8, 16]))
}
