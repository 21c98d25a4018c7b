/** A few bugs of the rig's own, to show that it plants and finds. */
import type { Bug } from './bug.ts'

export const bugs: readonly Bug[] = [
  {
    name: 'nobody checks who owns the lane',
    file: 'src/flow/wave.ts',
    find: 'const checks = [{ ...key, rev }, ...this.#checks.values()]',
    replace: 'const checks: (Key & { readonly rev: string | null })[] = [...this.#checks.values()]',
    rule: '17: a stale owner changes nothing',
  },
  {
    name: 'rows that a turn has read are not checked',
    file: 'src/flow/wave.ts',
    find: 'for (const [name, read] of staged.reads) this.#checks.set(name, read)',
    replace: '',
    rule: '7: a commit checks the rows it read',
  },
  {
    name: 'the mark passes holes',
    file: 'src/flow/marks.ts',
    find: 'if (!entry.settling) holes.push(',
    replace: 'if (entry.settling) holes.push(',
    rule: '10: nothing is passed unsettled',
  },
  {
    name: 'due times are forgotten',
    file: 'src/flow/settling.ts',
    find: `alarm.in(dueMs - clock.nowMs(), () => {
      if (this.#lane.phase !== 'running' || queue.hold?.state !== 'wait') return
      if (queue.hold.dueMs > clock.nowMs()) return this.ringAt(queue, queue.hold.dueMs)`,
    replace: `alarm.in((dueMs - clock.nowMs()) / 2, () => {
      if (this.#lane.phase !== 'running' || queue.hold?.state !== 'wait') return`,
    rule: '11: never early',
  },
  {
    name: 'a timed-out turn stays open',
    file: 'src/flow/attempt.ts',
    find: "this.#turn.close('its time was up', true)",
    replace: '',
    rule: '6: a time-out closes the turn',
  },
]
