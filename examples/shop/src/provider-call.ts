/** One call of a provider over HTTP: its answer is what the schema says, or an error, and then the framework calls again. */
import type { z } from 'zod'

/** What a function's context gives: the key stays the same however often the call is made again, so a provider can tell a repeat. */
export interface Calling {
  readonly idempotencyKey: string
  readonly signal: AbortSignal
}

/** A refusal (402, 409) is an answer like any other. What else is not 2xx is a provider in trouble. */
const answers = new Set([200, 402, 409])

export async function callProvider<T>(url: URL, body: object, answer: z.ZodType<T>, calling: Calling): Promise<T> {
  const { status, text } = await post(url, JSON.stringify(body), calling)
  if (!answers.has(status)) throw new Error(`${url.pathname} answered ${status}`)
  const checked = answer.safeParse(jsonOf(text))
  if (!checked.success) throw new Error(`${url.pathname} answered what nobody can use: ${text.trim().slice(0, 80)}`)
  return checked.data
}

async function post(
  url: URL,
  body: string,
  { idempotencyKey, signal }: Calling,
): Promise<{ readonly status: number; readonly text: string }> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': idempotencyKey }
  try {
    const response = await fetch(url, { method: 'POST', headers, body, signal })
    return { status: response.status, text: await response.text() }
  } catch (error) {
    throw new Error(`${url.pathname} broke off`, { cause: error })
  }
}

/** What is no JSON is not what any schema says. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
