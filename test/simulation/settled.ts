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
      if (head !== undefined && !(how === 'parked is settled' && isParked(cluster, subscription, head, key))) left.push(describe(cluster, subscription, head, key))
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
  const state = cluster.mirror.hold(part, key)?.state
  if (state !== 'parked' && !(state === 'wait' && asksInVain(cluster, subscription, head))) return false
  const queue = subscription.queues.get(key) ?? []
  const last = queue.at(-1)
  return last === undefined || subscription.status.has(last.event.position)
}

/** Where nothing but poison is left, the breaker stays open and asks again and again: what fails then is no attempt. It waits in its row. */
function asksInVain({ mirror }: Cluster, { id, plan }: SubscriptionModel, head: Seen): boolean {
  const breaker = mirror.get('breaker', '', id)
  const doing = doingOf(plan, head.body)
  return breaker !== undefined && breaker.value.includes('"open"') && doing !== undefined && 'times' in doing
}

function describe(cluster: Cluster, subscription: SubscriptionModel, head: Seen, key: string): string {
  const lane = subscription.lane(head)
  const hold = cluster.mirror.hold(`${subscription.id}/${lane}`, key)
  const record = cluster.mirror.lane(subscription.id, lane)
  return `${subscription.plan.name} in ${lane} (owner ${record?.owner ?? '?'}, mark ${record?.mark ?? '?'}): key ${key} at ${head.event.position}, ${subscription.status.get(head.event.position) ?? 'open'}, hold ${hold?.state ?? 'none'} attempt ${hold?.attempt ?? 0}`
}

export function checkEnd(cluster: Cluster): void {
  cluster.publishing.end()
  for (const subscription of cluster.model.subscriptions) {
    checkCounts(cluster, subscription)
    for (const lane of cluster.mirror.of('lane', subscription.id)) {
      const part = `${subscription.id}/${lane.key}`
      if (cluster.schedule.repair && cluster.mirror.count('held', part) > 0) throw new Violation('holds', `${subscription.plan.name} in ${lane.key}: rows are left, and everything is done`)
    }
  }
}

/** Nothing is dropped without a number: the owners' counts are what happened. */
function checkCounts(cluster: Cluster, subscription: SubscriptionModel): void {
  const counts = { done: 0, discarded: 0 }
  for (const lane of cluster.mirror.of('lane', subscription.id)) {
    const record = cluster.mirror.lane(subscription.id, lane.key)
    counts.done += record?.counts['done'] ?? 0
    counts.discarded += record?.counts['discarded'] ?? 0
  }
  const is = { done: 0, discarded: 0 }
  for (const status of subscription.status.values()) if (status !== 'row') is[status] += 1
  if (counts.done !== is.done || counts.discarded !== is.discarded) {
    throw new Violation('counters', `${subscription.plan.name} counts ${counts.done} done and ${counts.discarded} discarded, of ${is.done} and ${is.discarded}`)
  }
}
