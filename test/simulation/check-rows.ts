/** After a commit: holds and their rows agree, and a held key is held whole. */
import { nameOf, positionOf, type UnitChange } from './check-unit.ts'
import type { Checks } from './door.ts'
import { readHeldName } from './rows.ts'
import { Violation } from './violation.ts'

export function checkRows(checks: Checks, unit: UnitChange): void {
  const { mirror, model } = checks
  const subscription = model.byId(unit.id)
  if (subscription === undefined) return
  const keys = new Set<string>()
  for (const { kind, key } of [...unit.puts, ...unit.deletes]) {
    if (kind === 'hold') keys.add(key)
    if (kind === 'held') keys.add(readHeldName(key).key)
  }
  for (const key of keys) {
    const hold = mirror.hold(unit.part, key)
    let count = 0
    for (const row of mirror.of('held', unit.part)) if (readHeldName(row.key).key === key) count += 1
    if (hold?.count !== (count === 0 ? undefined : count)) throw new Violation('holds', `${nameOf(checks, unit)}: key ${key} has ${count} rows, its hold says ${hold?.count ?? 'nothing'}`)
  }
  if (mirror.count('hold', unit.part) === 0) return
  for (const hole of mirror.lane(unit.id, unit.lane)?.holes ?? []) {
    const seen = model.byPosition.get(positionOf(hole))
    const key = seen === undefined ? undefined : subscription.key(seen)
    if (key !== undefined && mirror.hold(unit.part, key) !== undefined && keys.has(key)) {
      throw new Violation('held whole', `${nameOf(checks, unit)}: key ${key} is held, and ${positionOf(hole)} of it is a hole`)
    }
  }
}
