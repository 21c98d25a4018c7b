/** What must come of all deliveries: counted from the payloads alone, without a line of the app. */
import type { Delivery } from './src/payloads.ts'

interface Raw {
  readonly action?: string
  readonly ref?: string
  readonly repository?: { readonly full_name: string }
  readonly organization?: { readonly login: string }
  readonly sender?: { readonly login: string; readonly type: string }
  readonly issue?: Item
  readonly pull_request?: Item
  readonly check_run?: { readonly conclusion: string | null }
  readonly workflow_run?: { readonly conclusion: string | null }
  readonly workflow_job?: { readonly conclusion: string | null }
}

interface Item {
  readonly number: number
  readonly title: string
  readonly state?: string
  readonly updated_at: string
}

export interface Expected {
  /** 'type delivery' of each event that a function emits. */
  readonly emitted: readonly string[]
  /** 'function delivery' of each notice. */
  readonly notices: readonly string[]
  /** By 'place kind'. */
  readonly deliveries: Readonly<Record<string, number>>
  readonly senders: Readonly<Record<string, number>>
  /** By 'place#number'. */
  readonly work: Readonly<
    Record<string, { readonly state: string; readonly title: string; readonly delivery: string; readonly arrivals: number }>
  >
}

export function expectedOf(all: readonly Delivery[]): Expected {
  const raws = all.map(({ id, kind, body }) => ({ id, kind, raw: JSON.parse(body) as Raw }))
  const ids = (which: (kind: string, raw: Raw) => boolean): string[] => raws.flatMap(({ id, kind, raw }) => (which(kind, raw) ? [id] : []))
  const emitted = { WorkArrived: ids(isArrival), BuildAsked: ids(isBranchPush), AlarmRaised: ids(isAlarming) }
  const told = {
    'thank-fans': ids(isFan),
    'watch-machines': ids(isMachine),
    'follow-talk': ids(isTalk),
    'call-somebody': emitted.AlarmRaised,
  }
  return {
    emitted: paired(emitted),
    notices: paired(told),
    deliveries: counted(raws.map(({ kind, raw }) => `${placeOf(raw)} ${kind}`)),
    senders: counted(raws.map(({ raw }) => raw.sender?.login ?? 'nobody')),
    work: workOf(raws, new Set(emitted.WorkArrived)),
  }
}

function isArrival(kind: string, { action, sender }: Raw): boolean {
  return (kind === 'issues' || kind === 'pull_request') && (action === 'opened' || action === 'reopened') && sender?.type === 'User'
}

function isBranchPush(kind: string, { ref }: Raw): boolean {
  return kind === 'push' && ref?.startsWith('refs/heads/') === true
}

function isAlarming(kind: string, { check_run, workflow_run, workflow_job }: Raw): boolean {
  if (kind.endsWith('_alert')) return true
  const conclusions = { check_run, workflow_run, workflow_job }
  const conclusion = Object.entries(conclusions).find(([name]) => name === kind)?.[1]?.conclusion
  return conclusion === 'failure' || conclusion === 'action_required'
}

function isFan(kind: string, { action }: Raw): boolean {
  return /^(star|watch|fork|sponsorship)$/.test(kind) && action !== 'deleted' && action !== 'cancelled'
}

function isMachine(_: string, { sender }: Raw): boolean {
  return sender?.type !== 'User'
}

function isTalk(kind: string): boolean {
  return /^discussion|_comment$/.test(kind)
}

function placeOf({ repository, organization, sender }: Raw): string {
  return repository?.full_name ?? `@${organization?.login ?? sender?.login ?? 'github'}`
}

/** Of each the delivery that says it changed last. */
function workOf(
  raws: readonly { readonly id: string; readonly kind: string; readonly raw: Raw }[],
  arrived: ReadonlySet<string>,
): Expected['work'] {
  const found = raws.flatMap(({ id, kind, raw }) => {
    const item = kind === 'issues' ? raw.issue : kind === 'pull_request' ? raw.pull_request : undefined
    if (item?.state === undefined) return []
    const state = raw.action === 'deleted' || raw.action === 'transferred' ? raw.action : item.state
    return [{ at: `${placeOf(raw)}#${item.number}`, changed: `${item.updated_at} ${id}`, state, title: item.title, delivery: id }]
  })
  const sorted = found.toSorted((a, b) => (a.changed < b.changed ? -1 : 1))
  return Object.fromEntries(
    sorted.map(({ at, state, title, delivery }) => {
      const arrivals = found.filter((one) => one.at === at && arrived.has(one.delivery)).length
      return [at, { state, title, delivery, arrivals }]
    }),
  )
}

function paired(lists: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(lists)
    .flatMap(([name, ids]) => ids.map((id) => `${name} ${id}`))
    .toSorted()
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
