/** Makes the store know a subscription: its id, kept through renames, and where it begins, as a position, before any door opens. */
import { changeOf } from './change.ts'
import { fault } from '../kit/fault.ts'
import type { Change, Position, Put, Store } from '../ports/store.ts'
import type { FlowContext } from './context.ts'
import { allLanes, encodeLane, laneKey, noCounts } from './lane-record.ts'
import type { Subscription } from './subscription.ts'

export interface Deployed {
  readonly id: string
  /** Where `from` was an instant: events stored before it are passed. */
  readonly sinceMs: number
  readonly kind: string
  /** Where `from` was now: by lane, the last position before it. For whoever asks what became of an event. */
  readonly begins?: Readonly<Record<string, Position>>
}

export function lanesOf(store: Store, subscription: Subscription): readonly string[] {
  return subscription.merged ? [allLanes] : store.limits.lanes.map(({ name }) => name)
}

/** Known by its name, by what it was called before, or new. */
export async function deploy(context: FlowContext, subscription: Subscription): Promise<Deployed> {
  const { store } = context
  if (subscription.merged && store.limits.order !== 'global') {
    throw fault('NO_ORDER_OVER_LANES', `${subscription.name} needs one order over all lanes, which this store does not have`, {
      subscription: subscription.name,
    })
  }
  for (let tries = 0; ; tries += 1) {
    const [known, before] = await store.get([subscriptionKey(subscription.name), subscriptionKey(subscription.was ?? subscription.name)])
    if (known !== undefined) return adopt(context, subscription, JSON.parse(known.value) as Deployed)
    const change = before === undefined ? await arrival(context, subscription) : rename(context, subscription, before.value, before.rev)
    const committed = await store.commit(change)
    if (!committed.ok && tries > 20) throw fault('STORE_FAILED', `${subscription.name} could not be registered`)
  }
}

function subscriptionKey(name: string): { kind: 'subscription'; part: ''; key: string } {
  return { kind: 'subscription', part: '', key: name }
}

/** It may have changed from spread to merged, or the store has other lanes now: then its records must be there too. */
async function adopt(context: FlowContext, subscription: Subscription, deployed: Deployed): Promise<Deployed> {
  const { store } = context
  const keys = lanesOf(store, subscription).map((lane) => laneKey(deployed.id, lane))
  const rows = await store.get(keys)
  if (rows.every((row) => row !== undefined)) return deployed
  throw fault(
    'LANES_CHANGED',
    `${subscription.name} was ${subscription.merged ? 'spread over lanes' : 'merged, or had other lanes'} before`,
    { subscription: subscription.name },
  )
}

async function arrival(context: FlowContext, subscription: Subscription): Promise<Change> {
  const { store } = context
  const lanes = lanesOf(store, subscription)
  const heads = subscription.from === 'now' ? await headsOf(store) : new Map<string, Position>()
  const last = [...heads.values()].reduce((most, head) => (head > most ? head : most), '')
  const sinceMs = typeof subscription.from === 'number' ? subscription.from : 0
  const markOf = (lane: string): Position => (subscription.merged ? last : (heads.get(lane) ?? ''))
  const begins = subscription.from === 'now' ? { begins: Object.fromEntries(lanes.map((lane) => [lane, markOf(lane)])) } : {}
  const deployed: Deployed = { id: await freeId(store, subscription.name, lanes), sinceMs, kind: subscription.kind, ...begins }
  const records = lanes.map((lane): Put => {
    const mark = markOf(lane)
    return { ...laneKey(deployed.id, lane), value: encodeLane({ owner: '', epoch: 0, token: '', mark, holes: [], counts: noCounts }) }
  })
  const puts = [{ ...subscriptionKey(subscription.name), value: JSON.stringify(deployed) }, ...records]
  const checks = puts.map(({ kind, part, key }) => ({ kind, part, key, rev: null }))
  return changeOf(store, context.changeId(), { checks, puts })
}

/** Its name, unless one that was called so before keeps what it has under it. */
async function freeId(store: Store, name: string, lanes: readonly string[]): Promise<string> {
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? name : `${name}~${number}`
    const rows = await store.get([allLanes, ...lanes].map((lane) => laneKey(id, lane)))
    if (rows.every((row) => row === undefined)) return id
  }
}

function rename(context: FlowContext, subscription: Subscription, value: string, rev: string): Change {
  const { store } = context
  const from = subscriptionKey(subscription.was ?? '')
  const to = subscriptionKey(subscription.name)
  const checks = [
    { ...from, rev },
    { ...to, rev: null },
  ]
  return changeOf(store, context.changeId(), { checks, puts: [{ ...to, value }], deletes: [from] })
}

async function headsOf(store: Store): Promise<Map<string, Position>> {
  const names = store.limits.lanes.map(({ name }) => name)
  const slices = await store.read(
    names.map((name) => ({ of: 'lane', name, after: '', types: new Set<string>() })),
    { events: 1, bytes: 1 },
  )
  return new Map(names.map((name, i) => [name, slices[i]?.upTo ?? '']))
}
