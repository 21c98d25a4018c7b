/** Subscriptions as a test writes them: what is not said is the mildest policy. */
import type { BatchPolicy, Look, Policy, Subscription } from '../../src/flow/subscription.ts'
import type { Turn } from '../../src/flow/turn.ts'
import type { Placed } from '../../src/ports/store.ts'
import { effectOf } from './stage.ts'

export interface Consumer {
  readonly name?: string
  readonly kind?: 'fn' | 'projection'
  readonly was?: string
  readonly from?: 'now' | 'start' | number
  readonly merged?: boolean
  readonly types?: readonly string[]
  readonly batch?: BatchPolicy
  readonly policy?: Partial<Policy>
  /** The newest version that it knows. */
  readonly knows?: number
  key?(event: Placed): string | undefined
  look?(event: Placed): Look
  run?(turn: Turn): void | Promise<void>
}

export const mild: Policy = {
  retry: { attempts: 3, fromMs: 100, toMs: 1_000 },
  timeoutMs: 30_000,
  graceMs: 30_000,
  concurrency: 20,
  breaker: false,
}

export function consumer(options: Consumer = {}): Subscription {
  const {
    name = 'f',
    kind = 'fn',
    was,
    from = 'start',
    merged = false,
    types = ['Happened'],
    batch,
    policy,
    knows = 1,
    key = ({ key }) => key,
  } = options
  const look = (event: Placed): Look => {
    const known = key(event)
    if (event.version > knows) return { is: 'wait', key: known, why: `version ${event.version}` }
    return known === undefined ? { is: 'wait', key: undefined, why: 'no key' } : { is: 'run', key: known, parts: [JSON.parse(event.data)] }
  }
  return {
    name,
    kind,
    ...(was === undefined ? {} : { was }),
    from,
    merged,
    types: new Set(types),
    policy: { ...mild, ...policy },
    ...(batch === undefined ? {} : { batch }),
    look: options.look ?? look,
    run: options.run ?? ((turn) => note(turn, name)),
  }
}

/** Puts one effect for each event of the turn. */
export function note(turn: Turn, part = 'f', value?: (data: unknown) => unknown): void {
  for (const { event, parts } of turn.taken) {
    const put = effectOf(part, event, value === undefined ? event.id : value(parts[0]))
    turn.put(put, put.value)
  }
}

/** The number that an event of these tests has for an id. */
export function numberOf(turn: Turn): number {
  return Number(turn.taken[0]?.event.id)
}
