/** An event as its owner knows it from reading to settling. */
import type { Chained } from '../kit/chain.ts'
import type { Placed } from '../ports/store.ts'
import type { Held } from './holds.ts'
import type { Taken } from './turn.ts'

export class Entry implements Taken, Chained<Entry> {
  readonly event: Placed
  readonly key: string
  readonly parts: readonly unknown[]
  /** The row that it came from; without one it is of the log, and unsettled. */
  readonly held: Held | undefined
  before: Entry | undefined
  after: Entry | undefined
  chained = false
  /** A commit that settles it is under way. */
  settling = false
  /** It may have been in flight when an owner died: a start row is written before it runs. */
  suspect: boolean
  /** The largest batch that it may be in: halved each time that one with it failed. */
  most = Number.POSITIVE_INFINITY

  /** Only events of one group share a batch. */
  readonly group: string | undefined

  constructor(event: Placed, key: string, parts: readonly unknown[], held: Held | undefined, suspect: boolean, group?: string) {
    this.event = event
    this.key = key
    this.parts = parts
    this.held = held
    this.suspect = suspect
    this.group = group
  }

  get run(): number {
    return this.held?.run ?? 0
  }
}
