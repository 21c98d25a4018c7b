/** What is wrong with an app: all of it at once, each with its place and what to do. */
import type { AnyEvent } from '../define/event.ts'
import type { Definition } from '../define/definition.ts'
import type { Resource } from '../define/resource.ts'
import { checkShapes } from './check-shapes.ts'
import { checkVersions } from './check-versions.ts'
import { consumersOf, error, type Finding } from './finding.ts'
import type { Plan } from './plan.ts'

export function checkPlan(plan: Plan): readonly Finding[] {
  return [
    ...names(plan),
    ...renames(plan),
    ...listed(plan),
    ...needs(plan),
    ...doors(plan),
    ...policies(plan),
    ...checkShapes(plan),
    ...checkVersions(plan),
  ]
}

/** One name is one subscription, one query, one resource. */
function names(plan: Plan): readonly Finding[] {
  const groups: readonly (readonly [string, readonly Definition[]])[] = [
    ['subscription', [...plan.functions, ...plan.projections]],
    ['query', plan.queries],
    ['resource', plan.resources],
  ]
  return groups.flatMap(([what, words]) =>
    repeated(words.map(({ name }) => name)).map((name) => error(`${what} ${name}`, 'this name is there twice')),
  )
}

/** A former name is nobody's, and goes to one. */
function renames(plan: Plan): readonly Finding[] {
  const subscriptions = [...plan.functions, ...plan.projections]
  return subscriptions.flatMap(({ name, was }) => {
    if (was === undefined) return []
    if (subscriptions.some((other) => other.name === was)) return [error(`subscription ${name}`, `was '${was}', which is still there`)]
    const other = subscriptions.find((one) => one.name !== name && one.was === was)
    return other === undefined ? [] : [error(`subscription ${name}`, `was '${was}', and so was ${other.name}`)]
  })
}

/** What is published or consumed must be listed, for nobody else would know its shape. */
function listed(plan: Plan): readonly Finding[] {
  const missing = (where: string, events: readonly AnyEvent[]): readonly Finding[] =>
    [...new Set(events)].flatMap((event) =>
      plan.events.includes(event) ? [] : [error(where, `event ${event.type} ${event.version} is not in the app: add it to its list`)],
    )
  return [
    ...consumersOf(plan).flatMap(({ where, events }) => missing(where, events)),
    ...plan.functions.flatMap((fn) =>
      missing(
        `fn ${fn.name}`,
        fn.emits.filter((event) => !fn.on.includes(event)),
      ),
    ),
    ...plan.routes.flatMap((route) => (route.to.is === 'event' ? missing(`route ${route.name}`, [route.to.event]) : [])),
    ...plan.webhooks.flatMap((webhook) => missing(`webhook ${webhook.path}`, [webhook.publishes])),
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

/** Where the door itself answers. */
const ownPlaces = ['POST /events', 'GET /health', 'GET /ready', 'GET /problems/:']

/** Two at one place: nobody would come to the second. What a parameter is called makes no difference. */
function doors(plan: Plan): readonly Finding[] {
  const places = [
    ...plan.webhooks.map(({ path }) => ({ where: `webhook ${path}`, place: `POST ${path}` })),
    ...plan.routes.map(({ name, method, path }) => ({ where: `route ${name}`, place: `${method} ${path.replaceAll(/:[^/]+/g, ':')}` })),
  ]
  return places.flatMap(({ where, place }, i) => {
    if (ownPlaces.includes(place)) return [error(where, 'the door itself answers there')]
    const before = places.slice(0, i).find((other) => other.place === place)
    return before === undefined ? [] : [error(where, `${before.where} answers there`)]
  })
}

function policies(plan: Plan): readonly Finding[] {
  return plan.functions.flatMap(({ name, policy: { breaker } }) =>
    breaker === false || breaker.of >= breaker.keys
      ? []
      : [error(`fn ${name}`, `breaker.of: never opens: the last ${breaker.of} outcomes can't be of ${breaker.keys} keys`)],
  )
}

function repeated(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))]
}
