/**
 * Who owns one subscription's lane, and how far it has come: one row. Its revision is the fence: every commit of an
 * owner expects the one it wrote last,
 * and writes the next, so that ownership, mark and effects are one condition.
 */
import type { Position } from '../ports/store.ts'

export interface LaneRecord {
  /** The runtime that owns it; '' after a release. */
  readonly owner: string
  /** Grows with each owner, never goes back. */
  readonly epoch: number
  /** Random, of this ownership: a failover to a replica that lags can roll an epoch back, but not guess this. */
  readonly token: string
  /** The highest settled position. */
  readonly mark: Position
  /** The unsettled ones below it, ascending; in a merged subscription each as `lane/position`. */
  readonly holes: readonly string[]
  readonly counts: Counts
}

/** What became of events, counted by the owners: nothing is dropped without a number. */
export interface Counts {
  readonly done: number
  readonly skipped: number
  readonly failed: number
  readonly parked: number
  readonly discarded: number
  readonly once: number
}

export const noCounts: Counts = { done: 0, skipped: 0, failed: 0, parked: 0, discarded: 0, once: 0 }

/** The lane of a merged subscription. */
export const allLanes = '*'

export function encodeLane(record: LaneRecord): string {
  return JSON.stringify(record)
}

export function decodeLane(text: string): LaneRecord {
  return JSON.parse(text) as LaneRecord
}

export function laneKey(subscription: string, lane: string): { kind: 'lane'; part: string; key: string } {
  return { kind: 'lane', part: subscription, key: lane }
}
