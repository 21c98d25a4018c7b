/** What a seed is like as a whole: what there is of it, what goes wrong in it, and what its faults are about. */
import type { Random } from '../../src/testing/sim-random.ts'
import { operationKinds } from './coverage.ts'
import type { Operation } from './operations.ts'
import type { Doing } from './schedule.ts'

export interface Mood {
  readonly random: Random
  readonly liveMs: number
  readonly keys: readonly string[]
  readonly groups: number
  /** Share of the events that a handler does something with besides its work. */
  readonly trouble: number
  readonly doings: readonly Doing['do'][]
  readonly versions: boolean
  readonly runtimes: number
  readonly leaseMs: number
  /** The kind of operation that its faults are about. */
  readonly focus: Operation
}

export function drawMood(random: Random): Mood {
  const focus = random.pick(focuses)
  const all: readonly Doing['do'][] = ['fail', 'nothing', 'hang', 'obey', 'late', 'abort', 'slow', 'emit', 'broken']
  return {
    random,
    liveMs: random.between(6_000, 14_000),
    keys: Array.from({ length: random.between(1, 8) }, (_, at) => `key${at}${random.chance(0.1) ? ' !%' : ''}`),
    groups: random.between(1, 4),
    trouble: needs(focus).length > 0 ? random.pick([0.15, 0.3, 0.5]) : random.pick([0, 0.05, 0.15, 0.3, 0.5]),
    // One seed is about few kinds of trouble, so that one does not hide the other.
    doings: random.chance(0.3) ? all : [...random.shuffle(all).slice(0, random.between(1, 3)), ...needs(focus)],
    versions: focus === 'hold version' || random.chance(0.25),
    runtimes: random.pick([1, 1, 2, 2, 2, 3, 3]),
    leaseMs: random.between(1_000, 2_500),
    focus,
  }
}

/** What comes seldom is in more seeds what the faults are about. */
const seldom: Partial<Record<Operation, number>> = {
  'execute edit': 9,
  'execute discard': 7,
  'hold version': 10,
  'wave that emits': 10,
  control: 2,
  release: 3,
  park: 4,
  retry: 4,
  drain: 6,
  spill: 4,
  'start row': 2,
}
const focuses = operationKinds.flatMap((kind) => Array.from({ length: seldom[kind] ?? 1 }, () => kind))

/** What handlers must do for an operation of this kind to come about. */
function needs(focus: Operation): readonly Doing['do'][] {
  if (focus === 'wave that emits') return ['emit', 'emit']
  if (focus === 'start row') return ['abort', 'slow']
  return focus.startsWith('execute') || focus === 'park' || focus === 'retry' || focus === 'drain' ? ['fail', 'fail'] : []
}
