/** Hooks: GitHub's deliveries, told apart by a header; builds reported as they come. */
import { z } from 'zod'
import { event, fn, github, projection, standardWebhooks, webhook } from '../../../src/entry/index.ts'
import { settings } from './settings.ts'

const secret = settings.pick('STRIPE_WEBHOOK_SECRET')
const delivery = z.object({ repository: z.object({ full_name: z.string() }), ref: z.string().optional() })

export const GithubDelivered = event('GithubDelivered', z.object({ kind: z.string(), repository: z.string(), ref: z.string() }), {
  key: (d) => d.repository,
})

/** The id of the event is `x-github-delivery`, by the verifier. */
export const githubHook = webhook('/hooks/github', GithubDelivered, {
  verify: github(secret),
  body: delivery,
  data: (body, headers) => ({
    kind: headers.get('x-github-event') ?? 'unknown',
    repository: body.repository.full_name,
    ref: body.ref ?? '',
  }),
})

export const BuildReported = event('BuildReported', z.object({ repo: z.string(), run: z.string(), ok: z.boolean() }), {
  key: (b) => b.repo,
})
export const buildHook = webhook('/hooks/builds', BuildReported, { verify: standardWebhooks(secret), id: (body) => body.run })

/** A literal that a callback makes stays one. */
export const LevelChanged = event('LevelChanged', z.object({ level: z.enum(['warn', 'page']) }))
export const levelHook = webhook('/hooks/levels', LevelChanged, {
  verify: standardWebhooks(secret),
  body: z.object({ hot: z.boolean() }),
  data: ({ hot }, _headers, as) => as({ level: hot ? 'page' : 'warn' }),
})

/** Whatever JSON a sender has. Of what is not known of it nothing can be asked. */
export const Anything = event('Anything', z.object({ kind: z.string(), body: z.json() }))
export const anything = fn('anything', Anything, { where: { data: { kind: ['push'] } }, run: ({ body }, ctx) => ctx.log.info(typeof body) })

export const BuildAsked = event('BuildAsked', z.object({ repo: z.string() }), { key: (b) => b.repo })
export const BuildDone = event('BuildDone', z.object({ repo: z.string(), ok: z.boolean() }), { key: (b) => b.repo })

export const pushed = fn('pushed', GithubDelivered, {
  where: { data: { kind: ['push'], ref: [{ prefix: 'refs/heads/' }] } },
  emits: [BuildAsked],
  run: ({ repository }) => BuildAsked({ repo: repository }),
})

export const built = fn('built', BuildReported, {
  emits: [BuildDone],
  run: ({ repo, ok }) => BuildDone({ repo, ok }),
})

export const deliveries = projection('deliveries', z.object({ repo: z.string(), n: z.int() }), {
  key: 'repo',
  apply: (on) => [
    on(GithubDelivered, { where: { data: { kind: [{ 'anything-but': 'ping' }] } } }, (rows, { repository: repo }) =>
      rows.change(repo, (row) => ({ repo, n: (row?.n ?? 0) + 1 })),
    ),
  ],
})

export const refused = [
  // @ts-expect-error: signed by whom?
  () => webhook('/x', BuildReported, {}),
  () =>
    webhook('/x', GithubDelivered, {
      verify: github(secret),
      body: delivery,
      // @ts-expect-error: a field is missing
      data: (body) => ({ kind: 'x', repository: body.repository.full_name }),
    }),
  // @ts-expect-error: not a field of the body
  () => webhook('/x', BuildReported, { verify: standardWebhooks(secret), id: (body) => body.id }),
  // @ts-expect-error: no path
  () => webhook('x', BuildReported, { verify: standardWebhooks(secret) }),
  // @ts-expect-error: a door is no source
  () => fn('x', githubHook, { run: () => {} }),
  // @ts-expect-error: what isn't known may not be JSON: z.json()
  () => event('X', z.object({ body: z.unknown() })),
  // @ts-expect-error: no such level
  () => webhook('/x', LevelChanged, { verify: github(secret), body: delivery, data: (_, headers, as) => as({ level: 'page!' }) }),
  // @ts-expect-error: a secret is a text
  () => github(settings.pick('PAGE_SIZE')),
]
