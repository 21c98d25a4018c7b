/** What handlers staged, as it is committed: each effect once, in the order of its key, whole, and of a turn that returned in time. */
import type { Put } from '../../src/ports/store.ts'
import type { Taken } from '../../src/flow/turn.ts'
import { nameOf, type UnitCommit } from './unit-commit.ts'
import type { Seen } from './model.ts'
import { doingOf, emitted, folded, type LedgerEntry } from './subjects.ts'
import type { TurnView } from './turns.ts'
import { Violation } from './violation.ts'

interface Effect {
  readonly seen: Seen
  readonly taken: Taken
  readonly view: TurnView
}

export function checkEffects(commit: UnitCommit): void {
  const { change, subscription } = commit
  const effects: Effect[] = []
  const puts: Put[] = []
  for (const put of change.puts) {
    // It waited for longer than its time: unless its process stood still meanwhile, its turn was closed.
    if (put.kind === 'late' && commit.checks.turns.bySerial[Number(put.value)]?.inTime !== true)
      throw new Violation('closed turn', `${put.part}: what was staged after its time was up is committed`)
    if (put.kind === 'ledger' && put.part === subscription.plan.name) puts.push(put)
    else if (isEffect(put.kind) && put.part !== subscription.plan.name)
      throw new Violation('fence', `${subscription.plan.name} writes a row of ${put.part}`)
  }
  puts.sort((a, b) => (a.key < b.key ? -1 : 1))
  for (const put of puts) effects.push(checkEffect(commit, put))
  checkTurns(commit, effects)
  checkEmits(commit, effects)
  checkFolds(commit, effects)
  checkShared(commit, effects)
  for (const { view } of effects) commit.checks.turns.committed(view)
}

function checkEffect(commit: UnitCommit, put: Put): Effect {
  const { checks, process, unit, subscription } = commit
  const name = `${nameOf(checks, unit)}: ${put.key}`
  const { serial, run } = JSON.parse(put.value) as LedgerEntry
  const seen = checks.model.byPosition.get(put.key)
  const view = checks.turns.bySerial[serial]
  if (seen === undefined || view === undefined) throw new Violation('effects', `${name} is an effect of no event`)
  if (view.process !== process)
    throw new Violation('fence', `${name}: an effect of ${view.process.name}'s turn is committed by ${process.name}`)
  if (view.state !== 'returned' || !view.inTime)
    throw new Violation('closed turn', `${name}: the effect of a turn that ${view.state}${view.inTime ? '' : ', its time up'}`)
  const status = subscription.status.get(put.key)
  if (status === 'done' || status === 'discarded') throw new Violation('once', `${name} is ${status} already, and has an effect again`)
  const held = checks.mirror.held(unit.part, subscription.key(seen) ?? '', put.key)
  if (status === 'row' && (held?.run ?? 0) !== run)
    throw new Violation('edit', `${name}: the effect is of run ${run}, the row of run ${held?.run ?? 0}`)
  checkOrder(commit, seen, name)
  checks.model.byPosition.get(put.key)
  subscription.mark(put.key, 'done')
  const taken = view.turn.taken.find(({ event }) => event.position === put.key)
  if (taken === undefined) throw new Violation('effects', `${name} was not given to its turn`)
  return { seen, taken, view }
}

function checkOrder({ subscription }: UnitCommit, seen: Seen, name: string): void {
  const key = subscription.key(seen)
  if (key === undefined) throw new Violation('filter', `${name} is an effect of an event that it does not want`)
  if (!subscription.wants(seen)) throw new Violation('deployed', `${name} is an effect of an event from before its deployment`)
  const head = subscription.head(key)
  if (head !== undefined && head.event.position < seen.event.position)
    throw new Violation('order', `${name} of key ${key} goes before ${head.event.position}`)
}

/** A turn commits whole: all of its events, once. */
function checkTurns(commit: UnitCommit, effects: readonly Effect[]): void {
  const counts = new Map<TurnView, number>()
  for (const { view } of effects) counts.set(view, (counts.get(view) ?? 0) + 1)
  for (const [view, count] of counts) {
    if (view.committed) throw new Violation('once', `${nameOf(commit.checks, commit.unit)}: turn ${view.serial} commits a second time`)
    if (count !== view.seen.length)
      throw new Violation('all or nothing', `${nameOf(commit.checks, commit.unit)}: ${count} of ${view.seen.length} events of one turn`)
  }
}

function checkEmits({ checks, unit, subscription, appended }: UnitCommit, effects: readonly Effect[]): void {
  const due = new Map<string, string>()
  for (const { taken } of effects) {
    const doing = doingOf(subscription.plan, taken.parts[0] as Seen['body'])
    if (doing?.do !== 'emit') continue
    for (let index = 0; index < doing.count; index++) {
      const event = emitted(subscription.plan, taken, doing, index)
      due.set(event.id, event.data)
    }
  }
  for (const { event } of appended) {
    if (due.get(event.id) !== event.data)
      throw new Violation('effects', `${nameOf(checks, unit)}: ${event.id} is emitted, and no effect of the commit says so`)
    due.delete(event.id)
  }
  if (subscription.plan.once) return
  for (const id of due.keys())
    throw new Violation('all or nothing', `${nameOf(checks, unit)}: ${id} is not emitted, though its cause is done`)
}

/** A row that folds says what the log says: no event missing, none twice, none out of order. */
function checkFolds({ checks, change, unit, subscription }: UnitCommit, effects: readonly Effect[]): void {
  if (!subscription.plan.folds) return
  const due = new Map<string, string>()
  for (const { seen, taken } of effects) {
    const before = due.get(taken.key) ?? checks.mirror.get('fold', subscription.plan.name, taken.key)?.value
    due.set(taken.key, folded(before, taken.key, seen.event, taken.run))
  }
  for (const put of change.puts) {
    if (put.kind !== 'fold') continue
    if (put.value !== due.get(put.key))
      throw new Violation(
        'fold',
        `${nameOf(checks, unit)}: row ${put.key} is ${put.value}, the log's fold ${due.get(put.key) ?? 'does not touch it'}`,
      )
    due.delete(put.key)
  }
  for (const key of due.keys()) throw new Violation('all or nothing', `${nameOf(checks, unit)}: an effect without its row ${key}`)
}

function checkShared({ checks, change, unit, subscription }: UnitCommit, effects: readonly Effect[]): void {
  const { plan } = subscription
  for (const put of change.puts) {
    if (put.kind === 'once' && checks.mirror.get('once', put.part, put.key) !== undefined)
      throw new Violation('once', `${nameOf(checks, unit)}: ${put.key} is put a second time`)
  }
  if (!plan.shares || effects.length === 0) return
  const before = Number(checks.mirror.get('shared', plan.name, 'sum')?.value ?? 0)
  const put = change.puts.find(({ kind, part }) => kind === 'shared' && part === plan.name)
  if (Number(put?.value) !== before + effects.length)
    throw new Violation('shared rows', `${nameOf(checks, unit)}: ${before} and ${effects.length} more are ${put?.value ?? 'not written'}`)
}

function isEffect(kind: string): boolean {
  return kind === 'ledger' || kind === 'fold' || kind === 'shared' || kind === 'once'
}
