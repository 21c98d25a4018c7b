/** How a turn ended, and what else an owner commits: what a wave is made of. */
import type { Row } from '../ports/store.ts'
import type { Entry } from './entry.ts'
import type { Failure, Held } from './holds.ts'
import type { KeyQueue } from './key-queue.ts'
import type { Request } from './requests.ts'
import type { Subscription } from './subscription.ts'
import type { Staged } from './turn.ts'

/** What a turn is at: one event, or a batch. */
export interface Work {
  readonly entries: readonly Entry[]
  readonly queues: readonly KeyQueue[]
  /** 1 is the first. */
  readonly attempt: number
  /** It asks, while the breaker is open, whether things go well again. */
  readonly probe: boolean
}

export type Outcome =
  | { readonly is: 'done'; readonly work: Work; readonly staged: Staged }
  /** The head of its key gets a row, and so does all that waits behind it. `next`: what becomes of the key. */
  | {
      readonly is: 'failed'
      readonly work: Work
      readonly queue: KeyQueue
      readonly entry: Entry
      readonly next: Next
      readonly failure: Failure
    }
  /** A start row is written before a suspect runs; where it is alone in its process, the gate is entered. */
  | { readonly is: 'start'; readonly work: Work; readonly starts: ReadonlyMap<Entry, readonly string[]>; readonly alone: boolean }
  /** An arrival joins the rows of its key. */
  | { readonly is: 'join'; readonly queue: KeyQueue; readonly entry: Entry }
  /** What waits behind a turn under way gets rows, so that reading can go on. */
  | { readonly is: 'spill'; readonly queue: KeyQueue }
  /** `held`: the rows that it touches; `head`: the first of the key is among them. */
  | {
      readonly is: 'request'
      readonly queue: KeyQueue | undefined
      readonly row: Row
      readonly request: Request
      readonly held: readonly Held[]
      readonly head: boolean
      /** More of its rows are left than one commit takes away: it stands until they are gone too. */
      readonly more: boolean
      /** The event that a merged subscription stood at. */
      readonly settles?: Entry
      /** No commit can carry it out: it is only recorded, with why. */
      readonly refused?: Failure
    }

export type Next =
  | { readonly state: 'wait'; readonly attempt: number; readonly dueMs: number }
  | { readonly state: 'parked'; readonly attempt: number }
  | { readonly state: 'version' }

export function queuesOf(outcome: Outcome): readonly KeyQueue[] {
  if (outcome.is === 'done' || outcome.is === 'start') return outcome.work.queues
  return outcome.queue === undefined ? [] : [outcome.queue]
}

/** Whether the next of its key may start before the commit. One that reads rows would read what the commit is about to change, and lose. */
export function chains(subscription: Subscription, staged: Staged): boolean {
  return subscription.batch === undefined && staged.reads.size === 0
}
