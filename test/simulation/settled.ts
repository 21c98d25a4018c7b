/** What is left to do, by name; and what must be equal once nothing is. */
import type { Cluster } from './cluster.ts'
import type { Seen, SubscriptionModel } from './model.ts'
import { doingOf } from './subjects.ts'
import { Violation } from './violation.ts'

export function unsettled(cluster: Cluster, how: 'parked is settled' | 'only done'): string[] {
  const left: string[] = []
  for (const subscription of cluster.model.subscriptions) {
    if (!subscription.registered) left.push(`${subscription.plan.name} is not registered`)
    for (const [key] of subscription.queues) {
      const head = subscription.head(key)
      if (head !== undefined && !(how === 'parked is settled' && isParked(cluster, subscription, head, key)))
        left.push(describe(cluster, subscription, head, key))
    }
    for (const lane of cluster.mirror.of('lane', subscription.id)) {
      const requests = cluster.mirror.count('request', `${subscription.id}/${lane.key}`)
      if (requests > 0) left.push(`${requests} requests of ${subscription.plan.name} in ${lane.key}`)
    }
  }
  return left
}

/** Parked, and all of its key with it. */
function isParked(cluster: Cluster, subscription: SubscriptionModel, head: Seen, key: string): boolean {
  const part = `${subscription.id}/${subscription.lane(head)}`
  const { state, error } = cluster.mirror.hold(part, key) ?? {}
  if (error?.code === 'CRASHED_THRICE' && cluster.parks.isAccusedOfNothing(part, key)) return false
  if (state !== 'parked' && !(state === 'wait' && asksInVain(cluster, subscription, head))) return false
  const queue = subscription.queues.get(key) ?? []
  const last = queue.at(-1)
  return last === undefined || subscription.status.has(last.event.position)
}

/**
 * Where nothing but poison is left, the breaker stays open and asks again and again: what fails then is no attempt. It
 * waits in its row.
 */
function asksInVain({ mirror }: Cluster, { id, plan }: SubscriptionModel, head: Seen): boolean {
  const breaker = mirror.get('breaker', '', id)
  const doing = doingOf(plan, head.body)
  return breaker !== undefined && breaker.value.includes('"open"') && doing !== undefined && 'times' in doing
}

function describe(cluster: Cluster, subscription: SubscriptionModel, head: Seen, key: string): string {
  const lane = subscription.lane(head)
  const hold = cluster.mirror.hold(`${subscription.id}/${lane}`, key)
  const record = cluster.mirror.lane(subscription.id, lane)
  const where = `${subscription.plan.name} in ${lane} (owner ${record?.owner ?? '?'}, mark ${record?.mark ?? '?'})`
  const status = subscription.status.get(head.event.position) ?? 'open'
  return `${where}: key ${key} at ${head.event.position}, ${status}, hold ${hold?.state ?? 'none'} attempt ${hold?.attempt ?? 0}`
}

export function checkEnd(cluster: Cluster): void {
  cluster.publishing.end()
  checkOutages(cluster)
  for (const subscription of cluster.model.subscriptions) {
    checkCounts(cluster, subscription)
    for (const lane of cluster.mirror.of('lane', subscription.id)) {
      const part = `${subscription.id}/${lane.key}`
      for (const { key } of cluster.mirror.of('start', part))
        if ((subscription.status.get(key) ?? 'row') !== 'row')
          throw new Violation('starts', `${subscription.plan.name} in ${lane.key}: ${key} is done, and the row of its start is left`)
      if (cluster.schedule.repair && cluster.mirror.count('held', part) > 0)
        throw new Violation('holds', `${subscription.plan.name} in ${lane.key}: rows are left, and everything is done`)
    }
  }
}

/** A total outage parks at most ten keys, where nobody is behind about the breaker and no crash forgets an outcome. */
function checkOutages({ parks, model, lives, livesMade }: Cluster): void {
  if (lives.length > 1 || livesMade > 1) return
  for (const { plan } of model.subscriptions) {
    const parked = parks.duringOutage.get(plan.name) ?? 0
    if (plan.policy.breaker !== false && parked > 10) throw new Violation('breaker', `${plan.name}: an outage parked ${parked} keys`)
  }
}

/** Lanes are shared evenly among those that beat, and each has an owner who does. */
export function unshared({ model, mirror, lives }: Cluster): string[] {
  const left: string[] = []
  for (const { id, plan } of model.subscriptions) {
    const alive = lives.flatMap((life) => (life?.flow === undefined || life.plan.lacks === plan.name ? [] : [life.process.name]))
    const owned = new Map(alive.map((name) => [name, 0]))
    for (const row of mirror.of('lane', id)) {
      const owner = mirror.lane(id, row.key)?.owner ?? ''
      if (!owned.has(owner)) left.push(`${plan.name} in ${row.key} is owned by '${owner}', who is not there`)
      owned.set(owner, (owned.get(owner) ?? 0) + 1)
    }
    const counts = [...owned.values()]
    if (Math.max(...counts) - Math.min(...counts) > 1) left.push(`${plan.name} is shared unevenly: ${counts.join(', ')}`)
  }
  return left
}

/** Nothing is dropped without a number: the owners' counts are what happened. */
function checkCounts(cluster: Cluster, subscription: SubscriptionModel): void {
  const counts = { done: 0, discarded: 0, once: 0, parked: 0, skipped: 0 }
  for (const lane of cluster.mirror.of('lane', subscription.id)) {
    const record = cluster.mirror.lane(subscription.id, lane.key)
    for (const of of countNames) counts[of] += record?.counts[of] ?? 0
  }
  const is = {
    done: 0,
    discarded: 0,
    once: repeats(cluster, subscription),
    parked: cluster.parks.counted.get(subscription.plan.name) ?? 0,
    skipped: skipped(cluster, subscription),
  }
  for (const status of subscription.status.values()) if (status !== 'row') is[status] += 1
  for (const of of countNames) {
    if (counts[of] !== is[of]) throw new Violation('counters', `${subscription.plan.name} counts ${counts[of]} ${of}, of ${is[of]}`)
  }
}

const countNames = ['done', 'discarded', 'once', 'parked', 'skipped'] as const

function repeats({ mirror }: Cluster, { plan }: SubscriptionModel): number {
  let count = 0
  for (const row of mirror.of('ledger', plan.name)) if (row.value.includes('"repeated":true')) count += 1
  return count
}

/** Events of its types, at or below the marks, that its filter leaves out. */
function skipped({ model, mirror }: Cluster, subscription: SubscriptionModel): number {
  let count = 0
  for (const seen of model.log) {
    const { type, position, lane, storedMs } = seen.event
    if (!subscription.plan.types.includes(type) || position <= subscription.starts(lane)) continue
    if (subscription.key(seen) !== undefined && storedMs >= subscription.sinceMs) continue
    if (position <= (mirror.lane(subscription.id, subscription.lane(seen))?.mark ?? '')) count += 1
  }
  return count
}
