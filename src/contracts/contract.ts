/** What an event has promised: its name and version, today's shape, the way from the version before, and what it has become. */
import type { Fact } from './fact.ts'
import type { Schema } from './schema.ts'

export interface Contract {
  readonly type: string
  readonly version: number
  readonly schema: Schema
  readonly upcast: Upcast | undefined
  /** Asked when an app is made, not when the event is: what it becomes may stand below it. */
  becomes(): Split | undefined
}

/** From the version before (of this name, or of the name it had) into this one. */
export interface Upcast {
  readonly before: Contract
  up(old: unknown): unknown
}

/** An event that is no longer published, and is read as others. */
export interface Split {
  readonly into: readonly Contract[]
  split(old: unknown): readonly Fact[]
}
