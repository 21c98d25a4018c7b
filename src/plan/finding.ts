/** One thing that is wrong with an app, and where. */
import type { AnyEvent } from '../define/event.ts'
import type { Plan } from './plan.ts'

export interface Finding {
  readonly level: 'error' | 'warning'
  readonly where: string
  readonly message: string
}

export interface Consumer {
  readonly where: string
  readonly events: readonly AnyEvent[]
}

export function error(where: string, message: string): Finding {
  return { level: 'error', where, message }
}

export function warning(where: string, message: string): Finding {
  return { level: 'warning', where, message }
}

export function consumersOf(plan: Plan): readonly Consumer[] {
  return [
    ...plan.functions.map(({ name, on }) => ({ where: `fn ${name}`, events: on })),
    ...plan.projections.map(({ name, takes }) => ({ where: `projection ${name}`, events: takes.map(({ event }) => event) })),
  ]
}
