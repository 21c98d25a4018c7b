/** Dead letters of an app under test: each a key that is parked, with the fact at its head. */
import type { Fact } from '../contracts/fact.ts'
import type { Flow } from '../flow/flow.ts'
import { decodeHeld, decodeHold, heldRange, keyOfHold, type Hold } from '../flow/holds.ts'
import { leaveRequest } from '../flow/requests.ts'
import type { Unit } from '../flow/unit.ts'
import type { Row } from '../ports/store.ts'
import type { WatchedStore } from './watched-store.ts'

export interface DeadLetter {
  /** The function or projection that gave it up. */
  readonly consumer: string
  /** What it is ordered by: later facts of this key wait behind it. */
  readonly key: string
  /** As it is stored, or as an operator has edited it. */
  readonly fact: Fact & { readonly id: string; readonly version: number }
  /** Of the fault; what the app's own code throws has none. */
  readonly code: string | undefined
  readonly message: string
  readonly attempts: number
  /** How many wait behind it. */
  readonly behind: number
}

/** Which dead letters: all that agree in what is given. A dead letter itself means its own key. */
export type Which = Partial<Pick<DeadLetter, 'consumer' | 'key' | 'code'>>

export function deadLettersOf(flow: Flow, store: WatchedStore): readonly DeadLetter[] {
  return [...flow.units()].flatMap((unit) => parkedIn(unit, store).map(({ key, hold }) => letterOf(unit, key, hold, store)))
}

/** Leaves the requests, as an operator does; how many. */
export async function redriveAll(flow: Flow, store: WatchedStore, which: Which): Promise<number> {
  let count = 0
  for (const unit of flow.units()) {
    const { crew, lane } = unit.runner.lane
    for (const { key, hold } of parkedIn(unit, store)) {
      if (!agrees(letterOf(unit, key, hold, store), which)) continue
      const { changeId, clock } = flow.context
      await leaveRequest(store, changeId(), crew.id, lane, { op: 'redrive', key, by: 'a test', atMs: clock.nowMs() })
      count += 1
    }
  }
  return count
}

function parkedIn({ runner }: Unit, store: WatchedStore): readonly { readonly key: string; readonly hold: Hold }[] {
  const decoded = store.rows('hold', runner.lane.part).map((row: Row) => ({ key: keyOfHold(row), hold: decodeHold(row) }))
  return decoded.filter(({ hold }) => hold.state === 'parked')
}

function letterOf({ runner }: Unit, key: string, hold: Hold, store: WatchedStore): DeadLetter {
  const { part, crew } = runner.lane
  const { from, to } = heldRange(part, key, 1)
  const [row] = store.rows('held', part, from, to)
  const held = row === undefined ? undefined : decodeHeld(row)
  const event = held === undefined ? undefined : store.at(held.lane, held.position)
  const data: unknown = JSON.parse(held?.data ?? event?.data ?? 'null')
  return {
    consumer: crew.subscription.name,
    key,
    fact: { type: held?.type ?? '', id: held?.id ?? '', version: event?.version ?? 0, data },
    code: hold.error?.code,
    message: hold.error?.message ?? '',
    attempts: hold.attempt,
    behind: hold.count - 1,
  }
}

function agrees(letter: DeadLetter, which: Which): boolean {
  const { consumer, key, code } = which
  if (consumer !== undefined && consumer !== letter.consumer) return false
  return (key === undefined || key === letter.key) && (code === undefined || code === letter.code)
}
