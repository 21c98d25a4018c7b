/** What is wrong with an app's events: versions that are claimed twice, or lead nowhere, and consumers of yesterday's. */
import type { Contract } from '../contracts/contract.ts'
import type { AnyEvent } from '../define/event.ts'
import { asError } from '../kit/fault.ts'
import { readerFor } from './consumed.ts'
import { consumersOf, error, warning, type Finding } from './finding.ts'
import type { Plan } from './plan.ts'

export function checkVersions(plan: Plan): readonly Finding[] {
  return [...twice(plan), ...contested(plan), ...lost(plan), ...outdated(plan), ...emitted(plan), ...readers(plan), ...idle(plan)]
}

/** One version of one type is one event: those that others come from are among them. */
function twice(plan: Plan): readonly Finding[] {
  const all = new Set<Contract>([...plan.events, ...[...plan.today.values()].flatMap(historyOf)])
  const byVersion = Map.groupBy(all, nameOf)
  return [...byVersion].flatMap(([name, events]) => (events.length > 1 ? [error(`event ${name}`, 'this version is there twice')] : []))
}

/** What is stored once can't be read as two. */
function contested(plan: Plan): readonly Finding[] {
  const found = new Set([...plan.today.values()].flatMap(historyOf))
  return [...found].flatMap((event) => {
    const readAs = heirsOf(plan, event)
    return readAs.length > 1 ? [error(`event ${nameOf(event)}`, `two events come from it: ${readAs.map(nameOf).join(' and ')}`)] : []
  })
}

function lost(plan: Plan): readonly Finding[] {
  return plan.events.flatMap((event) => {
    const today = plan.today.get(event.type)
    if (today === undefined || today.version <= event.version || heirsOf(plan, event).length > 0) return []
    return [error(`event ${nameOf(event)}`, `there is no way from it to version ${today.version}: give that one an upcast`)]
  })
}

/** A consumer is given today's shape, whatever was stored. */
function outdated(plan: Plan): readonly Finding[] {
  return consumersOf(plan).flatMap(({ where, events }) =>
    events.flatMap((event) => {
      const now = insteadOf(plan, event)
      return now === undefined ? [] : [error(where, `takes ${nameOf(event)}, which is read as ${now}: name that`)]
    }),
  )
}

/** Not forbidden: others may not know the newer one yet. */
function emitted(plan: Plan): readonly Finding[] {
  return plan.functions.flatMap(({ name, emits }) =>
    emits.flatMap((event) => {
      const now = insteadOf(plan, event)
      return now === undefined ? [] : [warning(`fn ${name}`, `emits ${nameOf(event)}, which is read as ${now}`)]
    }),
  )
}

/** Upcasts and splits that have no way, or come back to themselves. */
function readers(plan: Plan): readonly Finding[] {
  return consumersOf(plan).flatMap(({ where, events }) => {
    try {
      readerFor(plan, events)
      return []
    } catch (thrown) {
      return [error(where, asError(thrown).message)]
    }
  })
}

function idle(plan: Plan): readonly Finding[] {
  const consumed = new Set(consumersOf(plan).flatMap(({ events }) => events.map(({ type }) => type)))
  const unread = [...plan.today.values()].filter((event) => !consumed.has(event.type) && insteadOf(plan, event) === undefined)
  return unread.map(({ type }) => warning(`event ${type}`, 'nothing consumes it'))
}

/** What it is read as today, where that is something else. */
function insteadOf(plan: Plan, event: AnyEvent): string | undefined {
  const split = event.becomes()
  if (split !== undefined) return split.into.map(nameOf).join(' and ')
  const [heir] = heirsOf(plan, event)
  if (heir !== undefined) return nameOf(heir)
  const today = plan.today.get(event.type)
  return today === undefined || today === event ? undefined : nameOf(today)
}

/** What comes from it today, and is itself not where another comes from. */
function heirsOf(plan: Plan, event: Contract): readonly AnyEvent[] {
  const all = [...plan.today.values()].filter((today) => today !== event && historyOf(today).includes(event))
  return all.filter((one) => !all.some((other) => other !== one && historyOf(other).includes(one)))
}

function historyOf(event: Contract): readonly Contract[] {
  const found: Contract[] = []
  for (let at: Contract | undefined = event; at !== undefined && !found.includes(at); at = at.upcast?.before) found.push(at)
  return found
}

function nameOf({ type, version }: Contract): string {
  return `${type} ${version}`
}
