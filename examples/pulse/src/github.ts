/** GitHub's payloads, as far as we look at them, and the one event that each of them becomes. The kind stands only in a header. */
import type { DataOf } from 'millrace'
import { z } from 'zod'
import type { GithubDelivered } from './events.ts'

type Delivered = DataOf<typeof GithubDelivered>

const work = z.object({ number: z.int(), title: z.string(), state: z.string().optional(), updated_at: z.string() })
const concluded = z.object({ conclusion: z.string().nullish() }).nullish()
const account = z.object({ login: z.string(), type: z.enum(['User', 'Bot', 'Organization']).optional() })

export const payload = z.object({
  action: z.string().optional(),
  ref: z.string().optional(),
  repository: z.object({ full_name: z.string() }).optional(),
  organization: account.optional(),
  sender: account.optional(),
  issue: work.optional(),
  pull_request: work.optional(),
  check_run: concluded,
  check_suite: concluded,
  workflow_run: concluded,
  workflow_job: concluded,
})

type Payload = z.infer<typeof payload>

export function delivered(from: Payload, headers: Headers): Delivered {
  const kind = headers.get('x-github-event') ?? 'unknown'
  const { action = '', ref, repository, organization, sender } = from
  return {
    kind,
    action,
    place: repository?.full_name ?? `@${organization?.login ?? sender?.login ?? 'github'}`,
    sender: sender?.login ?? 'nobody',
    senderKind: sender?.type ?? 'nobody',
    ...(ref === undefined || ref === '' ? {} : { ref }),
    ...outcomeOf(kind, from),
    ...itemOf(kind, action, from),
  }
}

function outcomeOf(kind: string, { check_run, check_suite, workflow_run, workflow_job }: Payload): Pick<Delivered, 'outcome'> {
  const outcome = { check_run, check_suite, workflow_run, workflow_job }[kind]?.conclusion ?? undefined
  return outcome === undefined ? {} : { outcome }
}

/** What is deleted or transferred has left: its payload still says open. */
function itemOf(kind: string, action: string, { issue, pull_request }: Payload): Pick<Delivered, 'item'> {
  const found = kind === 'issues' ? issue : kind === 'pull_request' ? pull_request : undefined
  if (found?.state === undefined) return {}
  const { number, title, updated_at: changedAt } = found
  const state = action === 'deleted' || action === 'transferred' ? action : found.state
  return { item: { what: kind === 'issues' ? 'issue' : 'pull request', number, title, state, changedAt } }
}
