/** Every limit of the guarantee table, by name: the simulator makes them small. */
export interface Settings {
  /** A lane is taken over when its owner's beat has not changed for this long. */
  readonly leaseMs: number
  /** How often a runtime that is not alone beats. */
  readonly beatMs: number
  /**
   * Events of one lane that are taken and not settled. Beyond it a waiting event gets a row while a run slot is free,
   * and otherwise reading stops.
   */
  readonly holesMax: number
  readonly readEvents: number
  readonly readBytes: number
  /** Turns in one wave's commit. */
  readonly waveTurns: number
  /** Parked keys of one subscription in one lane; at it the subscription pauses. */
  readonly parkedMax: number
  /** Handlers of one subscription that timed out and still run; at it the subscription starts nothing. */
  readonly abandonedMax: number
  /** Rows of a held key that are read at a time. */
  readonly drainRows: number
  /** Events that are passed unwanted before their mark is written, where nothing else is. */
  readonly skipsMax: number
  /** Calls of publish in one process that are not stored yet; at it the next is refused. The commits of turns are none of them. */
  readonly publishMax: number
  /** How long a stop waits for the turns under way before it aborts them. */
  readonly drainMs: number
  /** How long after a failed commit the next is tried. */
  readonly storeRestMs: number
  /** How often a wait is looked at, to notice that the process stood still. */
  readonly pulseMs: number
}

export const defaultSettings: Settings = {
  leaseMs: 10_000,
  beatMs: 3_000,
  holesMax: 1_000,
  readEvents: 1_000,
  readBytes: 8 * 1_048_576,
  waveTurns: 1_024,
  parkedMax: 1_000,
  abandonedMax: 100,
  drainRows: 256,
  skipsMax: 1_000,
  publishMax: 10_000,
  drainMs: 10_000,
  storeRestMs: 200,
  pulseMs: 1_000,
}
