/** What one simulated run is: plain data, drawn from a seed, that can be made smaller and printed as a test. */
import type { Settings } from '../../src/flow/settings.ts'
import type { BatchPolicy, Policy } from '../../src/flow/subscription.ts'
import type { Stage, StoreFault } from '../../src/testing/sim-disk.ts'

export interface Schedule {
  readonly seed: number
  /** What it is about, where it is about one meeting. */
  readonly theme?: ThemeName
  /** How long things happen, in simulated time; then comes the calm. */
  readonly liveMs: number
  readonly settings: Partial<Settings>
  readonly sky: Sky
  readonly runtimes: readonly RuntimePlan[]
  readonly subscriptions: readonly SubscriptionPlan[]
  readonly calls: readonly Call[]
  readonly acts: readonly Act[]
  readonly faults: readonly Fault[]
  /** In the calm, after all has settled: what fails is repaired, what is parked is redriven, and all must be done. */
  readonly repair: boolean
}

export type ThemeName = 'outcomes' | 'returns' | 'slow' | 'joins' | 'rows'

/** How long things take. */
export interface Sky {
  readonly wayUs: number
  readonly flushUs: number
  /** Share of the calls that take up to `tailUs`. */
  readonly tail: number
  readonly tailUs: number
  readonly lateWaits: number
  readonly hints: { readonly late: number; readonly lost: number; readonly false: number }
  /** Whether a wait for a change ends after a while in any case. */
  readonly polls: boolean
  readonly gated: boolean
  readonly healMs: number
  readonly storeSkewMs: number
  readonly items: number
}

export interface RuntimePlan {
  readonly name: string
  readonly startMs: number
  readonly skewMs: number
  /** The newest version that its code knows, and of which generation its plan is. */
  readonly knows: number
  /** A subscription that it does not run. */
  readonly lacks?: string
}

export interface SubscriptionPlan {
  readonly name: string
  readonly kind: 'fn' | 'projection'
  readonly merged: boolean
  /** What its order is kept by: the event's key, none, or a field of the event. */
  readonly order: 'key' | 'none' | 'group'
  readonly types: readonly string[]
  /** Where it cannot decode an event it cannot tell its order key either; so a merged one stands there. */
  readonly keyless: boolean
  /** Its filter leaves out each event whose number is a multiple of this. 0: none. */
  readonly skips: number
  /** A number is an instant: so long after the beginning, by the store's clock. */
  readonly from: 'now' | 'start' | number
  /** Newer code has it, older has not. */
  readonly arrives?: true
  /** What older code calls it. */
  readonly was?: string
  readonly policy: Omit<Policy, 'breaker'> & { readonly breaker: Policy['breaker'] }
  readonly batch?: Pick<BatchPolicy, 'size' | 'waitMs'>
  /** A row by its order key that folds all its events. */
  readonly folds: boolean
  /** A row that all its keys share and add to. */
  readonly shares: boolean
  /** A row by the event's group that is put once, whoever comes first. */
  readonly once: boolean
  readonly workMs: number
  /** Every handler fails between these, in simulated time. */
  readonly outage?: { readonly fromMs: number; readonly toMs: number }
}

/** What a handler does with an event besides its work. */
export type Doing =
  | { readonly do: 'fail'; readonly times: number; readonly staged: boolean }
  /** Throws `undefined`. */
  | { readonly do: 'nothing'; readonly times: number }
  /** Never returns. */
  | { readonly do: 'hang'; readonly times: number }
  /** Listens to its signal. */
  | { readonly do: 'obey'; readonly times: number }
  /** Ignores its signal, and stages after its time is up. */
  | { readonly do: 'late'; readonly times: number; readonly ms: number }
  /** The process dies of it. */
  | { readonly do: 'abort'; readonly times: number }
  | { readonly do: 'slow'; readonly ms: number }
  | { readonly do: 'emit'; readonly count: number; readonly key: string }
  /** It can't be decoded. */
  | { readonly do: 'broken' }

export interface Fact {
  readonly id: string
  readonly number: number
  readonly type: string
  readonly version: number
  readonly key: string
  readonly group: string
  /** By subscription. */
  readonly doings: Readonly<Record<string, Doing>>
}

/** One call of publish. What was refused is tried again `retries` times. */
export interface Call {
  readonly atMs: number
  readonly runtime: number
  readonly facts: readonly Fact[]
  readonly retries: number
  /** The same ids as another call's, with other content. */
  readonly differs: boolean
}

/** What an operator does. */
export type Act =
  | { readonly atMs: number; readonly op: 'pause'; readonly subscription: string; readonly forMs: number }
  | {
      readonly atMs: number
      readonly op: 'redrive' | 'discard' | 'edit'
      readonly subscription: string
      readonly which: number
      readonly all: boolean
    }
  /** Something that is not there. */
  | { readonly atMs: number; readonly op: 'stray'; readonly subscription: string; readonly which: number }

export type When =
  | { readonly atMs: number }
  /** Between two steps of the run: that is at an await. */
  | { readonly atStep: number }
  /** At the n-th time that a call of this kind comes so far. */
  | { readonly op: string; readonly nth: number; readonly stage: Stage }

export type Fault =
  | { readonly is: 'crash'; readonly runtime: number; readonly when: When; readonly restMs: number }
  | { readonly is: 'pause'; readonly runtime: number; readonly when: When; readonly forMs: number }
  | { readonly is: 'cut'; readonly when: When; readonly restMs: number }
  | { readonly is: 'jump'; readonly runtime: number; readonly when: When; readonly byMs: number }
  /** Stops, drains, and starts again, with newer code where `knows` says so. */
  | { readonly is: 'stop'; readonly runtime: number; readonly when: When; readonly restMs: number; readonly knows?: number }
  | { readonly is: 'store'; readonly op: string; readonly nth: number; readonly fault: Exclude<StoreFault, 'none'> }
