/** After a commit: holds and their rows agree. */
import { nameOf, type UnitChange } from './unit-commit.ts'
import type { Checks } from './checks.ts'
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
    const count = mirror.heldCount(unit.part, key)
    if (hold?.count !== (count === 0 ? undefined : count))
      throw new Violation('holds', `${nameOf(checks, unit)}: key ${key} has ${count} rows, its hold says ${hold?.count ?? 'nothing'}`)
  }
}
