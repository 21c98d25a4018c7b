/** What each commit is, told from the rows that it touches: for the coverage, and for faults that wait for one of a kind. */
import type { Change } from '../../src/ports/store.ts'
import type { Mirror } from './rows.ts'

export const commitKinds = [
  'publish',
  'publish many',
  'register',
  'beat',
  'claim',
  'release',
  'ask',
  'control',
  'execute redrive',
  'execute discard',
  'execute edit',
  'park',
  'retry',
  'hold version',
  'start row',
  'drain',
  'spill',
  'wave',
  'wave that emits',
  'mark',
] as const

export type Operation = (typeof commitKinds)[number] | 'get' | 'scan' | 'read' | 'other'

export function operationOf(change: Change, mirror: Mirror): Operation {
  let lane: Change['puts'][number] | undefined
  const kinds = new Set<string>()
  for (const put of change.puts) {
    kinds.add(put.kind)
    if (put.kind === 'lane') lane = put
  }
  if (lane === undefined || kinds.has('subscription')) return withoutLane(change, kinds)
  const before = mirror.lane(lane.part, lane.key)
  const next = JSON.parse(lane.value) as { owner: string; token: string }
  if (before?.token !== next.token && next.owner !== '') return 'claim'
  const request = change.deletes.find(({ kind }) => kind === 'request')
  if (request !== undefined) {
    const row = mirror.get(request.kind, request.part, request.key)
    return `execute ${row === undefined ? 'redrive' : (JSON.parse(row.value) as { op: 'redrive' | 'discard' | 'edit' }).op}`
  }
  if (next.owner === '') return 'release'
  return wave(change, kinds)
}

function withoutLane(change: Change, kinds: ReadonlySet<string>): Operation {
  if (change.appends.length > 0) return change.appends.length === 1 ? 'publish' : 'publish many'
  if (kinds.has('subscription')) return 'register'
  if (kinds.has('control')) return 'control'
  if (kinds.has('request')) return 'ask'
  if (kinds.has('runtime') || kinds.has('alive') || change.deletes.some(({ kind }) => kind === 'runtime' || kind === 'alive')) return 'beat'
  return 'other'
}

function wave(change: Change, kinds: ReadonlySet<string>): Operation {
  if (kinds.has('hold')) {
    const states = new Set(
      change.puts.filter(({ kind }) => kind === 'hold').map(({ value }) => (JSON.parse(value) as { state: string }).state),
    )
    if (states.has('parked') && kinds.has('held')) return 'park'
    if (states.has('version') && kinds.has('held')) return 'hold version'
    if (states.has('wait')) return 'retry'
    if (states.has('parked')) return 'park'
  }
  if (kinds.has('start')) return 'start row'
  if (change.deletes.some(({ kind }) => kind === 'held')) return 'drain'
  if (kinds.has('held')) return 'spill'
  if (kinds.has('ledger')) return change.appends.length > 0 ? 'wave that emits' : 'wave'
  return 'mark'
}
