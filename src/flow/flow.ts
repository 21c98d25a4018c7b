/** One process's part in running subscriptions over a store. */
import { idMint } from '../kit/uuid-v7.ts'
import { Alarm } from './alarm.ts'
import type { FlowContext, Ports } from './context.ts'
import { Crew } from './crew.ts'
import { deploy } from './deploy.ts'
import { Gate } from './gate.ts'
import { Membership } from './membership.ts'
import { defaultSettings, type Settings } from './settings.ts'
import { StoreClock } from './store-clock.ts'
import type { Subscription } from './subscription.ts'
import type { Unit } from './unit.ts'
import { Watch } from './watch.ts'

export interface FlowOptions {
  /** Of this runtime, unique in each life of it. */
  readonly id: string
  readonly subscriptions: readonly Subscription[]
  readonly settings?: Partial<Settings>
  /** Of the plan: a newer one denies older processes new leases. @default 0 */
  readonly generation?: number
  /** Told of each subscription what the store knows it by, before anything runs. */
  onCrew?(name: string, id: string): void
  /** Awaited before any lane is taken. */
  ready?(context: FlowContext): Promise<void>
}

export interface Flow {
  readonly context: FlowContext
  readonly crews: readonly Crew[]
  units(): Iterable<Unit>
  /** No new turns, a drain, the rest called off uncounted, leases released last. */
  stop(): Promise<void>
}

/** Starting positions are recorded before it resolves; lanes are taken then, or soon after. */
export async function openFlow(ports: Ports, options: FlowOptions): Promise<Flow> {
  const context = contextOf(ports, options)
  const crews = await crewsOf(context, options.subscriptions)
  for (const { subscription, id } of crews) options.onCrew?.(subscription.name, id)
  await options.ready?.(context)
  const membership = new Membership(context, crews, options.generation ?? 0)
  await membership.start()
  return {
    context,
    crews,
    units: () => membership.units(),
    stop: async () => {
      await membership.stop()
      context.alarm.stop()
      context.watch.stop()
    },
  }
}

/** Renamed ones first, for another may take their old names; then the rest side by side: their commits share a flush. */
async function crewsOf(context: FlowContext, subscriptions: readonly Subscription[]): Promise<readonly Crew[]> {
  const crews = new Map<Subscription, Crew>()
  for (const subscription of subscriptions) {
    if (subscription.was !== undefined) crews.set(subscription, await crewOf(context, subscription))
  }
  const rest = subscriptions.filter((subscription) => !crews.has(subscription))
  for (const crew of await Promise.all(rest.map(async (subscription) => crewOf(context, subscription)))) crews.set(crew.subscription, crew)
  return subscriptions.flatMap((subscription) => crews.get(subscription) ?? [])
}

async function crewOf(context: FlowContext, subscription: Subscription): Promise<Crew> {
  const { id, sinceMs } = await deploy(context, subscription)
  return new Crew(subscription, id, sinceMs)
}

function contextOf(ports: Ports, options: FlowOptions): FlowContext {
  const { environment } = ports
  const settings = within(ports.store.limits.items, { ...defaultSettings, ...options.settings })
  const mint = idMint(environment)
  return {
    ...ports,
    id: options.id,
    settings,
    alarm: new Alarm(environment),
    watch: new Watch(environment, settings.pulseMs),
    gate: new Gate(),
    clock: new StoreClock(environment),
    changeId: mint,
    token: mint,
  }
}

/** A key is held whole, in one commit: so no more may wait than a commit can take. */
function within(items: number, settings: Settings): Settings {
  return { ...settings, holesMax: Math.max(1, Math.min(settings.holesMax, Math.floor(items / 2) - 8)) }
}
