/** What happened: a delivery as it came in, and what our functions make of it. All of one place is kept in order. */
import { event } from 'millrace'
import { z } from 'zod'

/** An issue or a pull request, as it was when the delivery was made. */
const item = z.object({
  what: z.enum(['issue', 'pull request']),
  number: z.int(),
  title: z.string(),
  state: z.string(),
  changedAt: z.string(),
})

/** One event for all kinds: whoever wants some of them says which by `where`. */
export const GithubDelivered = event(
  'GithubDelivered',
  z.object({
    kind: z.string(),
    action: z.string(),
    /** The repository; of what belongs to none, the account. */
    place: z.string(),
    sender: z.string(),
    senderKind: z.enum(['User', 'Bot', 'Organization', 'nobody']),
    ref: z.string().optional(),
    outcome: z.string().optional(),
    item: item.optional(),
  }),
  { key: ({ place }) => place },
)

export const WorkArrived = event('WorkArrived', z.object({ place: z.string(), number: z.int(), title: z.string() }), {
  key: ({ place }) => place,
})

export const BuildAsked = event('BuildAsked', z.object({ place: z.string(), ref: z.string() }), { key: ({ place }) => place })

export const AlarmRaised = event('AlarmRaised', z.object({ place: z.string(), kind: z.string(), because: z.string() }), {
  key: ({ place }) => place,
})
