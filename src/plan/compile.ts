/** Makes a plan of an app, or tells at once all that is wrong with it. */
import type { App, Word } from '../define/app.ts'
import type { AnyEvent } from '../define/event.ts'
import { fault } from '../kit/fault.ts'
import { checkPlan } from './check.ts'
import type { Finding } from './finding.ts'
import type { Plan } from './plan.ts'

export function compile(app: App): Plan {
  const plan = planOf(app)
  const errors = checkPlan(plan).filter((finding) => finding.level === 'error')
  if (errors.length > 0) throw fault('APP_INVALID', errors.map(sentence).join('; '), { findings: errors })
  return plan
}

/** Without a verdict: for `check`, which tells warnings too. */
export function planOf(app: App): Plan {
  const of = <K extends Word['kind']>(kind: K): readonly Extract<Word, { kind: K }>[] =>
    app.words.filter((word): word is Extract<Word, { kind: K }> => word.kind === kind)
  const events = of('event')
  return {
    name: app.name,
    events,
    today: newest(events),
    functions: of('fn'),
    projections: of('projection'),
    queries: of('query'),
    routes: of('route'),
    webhooks: of('webhook'),
    resources: of('resource'),
    configs: of('config'),
    settings: of('setting'),
    jsonSchema: app.jsonSchema,
  }
}

function newest(events: readonly AnyEvent[]): ReadonlyMap<string, AnyEvent> {
  const found = new Map<string, AnyEvent>()
  for (const event of events) {
    const other = found.get(event.type)
    if (other === undefined || other.version < event.version) found.set(event.type, event)
  }
  return found
}

function sentence({ where, message }: Finding): string {
  return `${where}: ${message}`
}
