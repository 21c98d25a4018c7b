/** What a carrier of somebody else must be able to do: Kafka, SQS, RabbitMQ and their kind. */
import type { Position } from './store.ts'

export interface TransportLimits {
  /** What a delivery is known by: a place in a lane, an id, or nothing. */
  readonly identity: 'position' | 'id' | 'none'
  readonly order: 'lane' | 'key' | 'none'
  readonly messageBytes: number
  readonly batch: number
}

export interface Message {
  readonly topic: string
  readonly key: string
  readonly id: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly lane?: string
  readonly position?: Position
}

export type Outcome = { readonly ok: true } | { readonly ok: false; readonly code: string; readonly again: boolean }

export interface Settlement {
  readonly each: readonly ('done' | 'later')[]
  readonly wakeAtMs?: number
}

export interface Feed {
  opened(lane: string, parents: readonly string[]): Promise<Position | 'first' | 'next'>
  deliver(batch: readonly Message[]): Promise<Settlement>
  closed(lane: string, why: 'ended' | 'lost'): Promise<void>
}

export interface Transport {
  readonly limits: TransportLimits
  /**
   * Answers per message, after the broker's durable acknowledgement. MUST NOT accept a later message of a key after
   * failing an earlier one.
   */
  publish(messages: readonly Message[]): Promise<readonly Outcome[]>
  /**
   * MUST start each lane where `opened` says, never at the broker's own offset; MUST finish parents first. An
   * unresolved `deliver` is the backpressure.
   */
  subscribe(topic: string, group: string, feed: Feed): Promise<void>
  close(): Promise<void>
}
