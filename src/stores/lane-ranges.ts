/** How 1,024 slots are cut into lanes, and how places in them are written. */
import { fault } from '../kit/fault.ts'
import { slotCount } from '../kit/slot.ts'
import type { Lane, Position } from '../ports/store.ts'

/** Ranges as even as they can be. A lane's name is its range, so that a name never means other slots once the count has changed. */
export function laneRanges(count: number): readonly Lane[] {
  return Array.from({ length: count }, (_, at) => {
    const from = Math.floor((at * slotCount) / count)
    const to = Math.floor(((at + 1) * slotCount) / count) - 1
    return { name: `${from}-${to}`, from, to }
  })
}

/** For each slot the index of its lane. */
export function laneOfSlot(lanes: readonly Lane[]): Uint16Array {
  const table = new Uint16Array(slotCount)
  for (const [at, lane] of lanes.entries()) table.fill(at, lane.from, lane.to + 1)
  return table
}

/** By how many digits there are. */
const zeros = Array.from({ length: 17 }, (_, digits) => '0'.repeat(16 - digits))

/** Sixteen digits, so that texts compare as the numbers do. */
export function positionText(position: number): Position {
  const digits = String(position)
  return (zeros[digits.length] ?? '') + digits
}

export function positionNumber(text: Position): number {
  const number = text === '' ? 0 : Number(text)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw fault('CURSOR_UNKNOWN', `'${text}' is no position of this store`, { position: text })
}
