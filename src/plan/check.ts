/** What is wrong with an app: all of it at once, each with its place and what to do. */
import type { AnyEvent } from '../define/event.ts'
import type { Definition } from '../define/definition.ts'
import type { Resource } from '../define/resource.ts'
import { sameShape } from '../contracts/json-schema.ts'
import { asError } from '../kit/fault.ts'
import { readerFor } from './consumed.ts'
import type { Plan } from './plan.ts'

export interface Finding {
  readonly level: 'error' | 'warning'
  readonly where: string
  readonly message: string
}

export function checkPlan(plan: Plan): readonly Finding[] {
  return [
    ...names(plan),
    ...versions(plan),
    ...shapes(plan),
    ...listed(plan),
    ...outdated(plan),
    ...needs(plan),
    ...doors(plan),
    ...readers(plan),
    ...idle(plan),
  ]
}

function error(where: string, message: string): Finding {
  return { level: 'error', where, message }
}

/** One name is one subscription, one query, one resource. */
function names(plan: Plan): readonly Finding[] {
  const subscriptions = [...plan.functions, ...plan.projections]
  const groups: readonly (readonly [string, readonly Definition[]])[] = [
    ['subscription', subscriptions],
    ['query', plan.queries],
    ['resource', plan.resources],
    ['route', plan.routes],
    ['webhook', plan.webhooks],
  ]
  const twice = groups.flatMap(([what, words]) =>
    repeated(words.map(({ name }) => name)).map((name) => error(`${what} ${name}`, 'this name is there twice')),
  )
  const former = subscriptions.filter(({ was }) => was !== undefined && subscriptions.some(({ name }) => name === was))
  return [...twice, ...former.map(({ name, was }) => error(`subscription ${name}`, `was '${was}', which is still there`))]
}

function versions(plan: Plan): readonly Finding[] {
  return repeated(plan.events.map(({ type, version }) => `${type} ${version}`)).map((name) =>
    error(`event ${name}`, 'this version is there twice'),
  )
}

/** What is kept must be taken as it was given: a schema that transforms would see its own output one day. */
function shapes(plan: Plan): readonly Finding[] {
  const transforming = plan.events.filter(({ schema }) => sameShape(schema) === 'differs')
  return transforming.map(({ type, version }) =>
    error(`event ${type} ${version}`, 'its schema gives another shape than it takes: keep what it gives, and transform where it is read'),
  )
}

/** A consumer is given today's shape, whatever was stored. */
function outdated(plan: Plan): readonly Finding[] {
  const old = (where: string, event: AnyEvent): readonly Finding[] => {
    const today = plan.today.get(event.type)
    if (today === undefined || today === event || event.becomes() !== undefined) return []
    return [error(where, `takes version ${event.version} of ${event.type}, which is read as version ${today.version}: name that one`)]
  }
  return [
    ...plan.functions.flatMap((fn) => fn.on.flatMap((event) => old(`fn ${fn.name}`, event))),
    ...plan.projections.flatMap((projection) => projection.takes.flatMap(({ event }) => old(`projection ${projection.name}`, event))),
  ]
}

/** What is published or consumed must be listed, for nobody else would know its shape. */
function listed(plan: Plan): readonly Finding[] {
  const missing = (where: string, event: AnyEvent): readonly Finding[] =>
    plan.events.includes(event) ? [] : [error(where, `event ${event.type} ${event.version} is not in the app: add it to its list`)]
  return [
    ...plan.functions.flatMap((fn) => [...fn.on, ...fn.emits].flatMap((event) => missing(`fn ${fn.name}`, event))),
    ...plan.projections.flatMap((projection) => projection.takes.flatMap(({ event }) => missing(`projection ${projection.name}`, event))),
    ...plan.routes.flatMap((route) => (route.to.is === 'event' ? missing(`route ${route.name}`, route.to.event) : [])),
    ...plan.webhooks.flatMap((webhook) => missing(`webhook ${webhook.path}`, webhook.publishes)),
    ...plan.queries.flatMap((query) =>
      query.of === undefined || plan.projections.some(({ name }) => name === query.of)
        ? []
        : [error(`query ${query.name}`, `projection ${query.of} is not in the app: add it to its list`)],
    ),
    ...plan.routes.flatMap((route) =>
      route.to.is === 'query' && !plan.queries.includes(route.to.query)
        ? [error(`route ${route.name}`, `query ${route.to.query.name} is not in the app: add it to its list`)]
        : [],
    ),
  ]
}

function needs(plan: Plan): readonly Finding[] {
  const known = new Set<Resource<unknown>>([...plan.resources, ...plan.configs])
  const missing = (where: string, resource: Resource<unknown>): readonly Finding[] => {
    if (resource.kind === 'setting') return []
    return known.has(resource) ? [] : [error(where, `${resource.kind} ${resource.name} is not in the app: add it to its list`)]
  }
  return [
    ...plan.resources.flatMap((resource) => Object.values(resource.needs).flatMap((need) => missing(`resource ${resource.name}`, need))),
    ...plan.webhooks.flatMap((webhook) => missing(`webhook ${webhook.path}`, webhook.verify.secret)),
  ]
}

function doors(plan: Plan): readonly Finding[] {
  const paths = new Set(plan.webhooks.map(({ path }) => path))
  const taken = plan.routes.filter((route) => route.method === 'POST' && paths.has(route.path))
  return taken.map((route) => error(`route ${route.name}`, 'a webhook has this path'))
}

/** Upcasts and splits that have no way, or come back to themselves. */
function readers(plan: Plan): readonly Finding[] {
  const consumers = [
    ...plan.functions.map((fn) => ({ where: `fn ${fn.name}`, events: fn.on })),
    ...plan.projections.map((projection) => ({
      where: `projection ${projection.name}`,
      events: projection.takes.map(({ event }) => event),
    })),
  ]
  return consumers.flatMap(({ where, events }) => {
    try {
      readerFor(plan, events)
      return []
    } catch (thrown) {
      return [error(where, asError(thrown).message)]
    }
  })
}

function idle(plan: Plan): readonly Finding[] {
  const consumed = new Set(
    [...plan.functions.flatMap(({ on }) => on), ...plan.projections.flatMap(({ takes }) => takes.map(({ event }) => event))].map(
      ({ type }) => type,
    ),
  )
  const unread = [...plan.today.values()].filter((event) => !consumed.has(event.type) && event.becomes() === undefined)
  return unread.map(({ type }) => ({ level: 'warning', where: `event ${type}`, message: 'nothing consumes it' }) as const)
}

function repeated(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))]
}
