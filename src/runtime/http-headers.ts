/** What every answer says to browsers: nothing here is a page, nor for others to embed or to keep. */
export const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** A handler's own answer may say otherwise: what it has stands, unless it must be so. */
export function withHeaders(answer: Response, headers: Readonly<Record<string, string>>, must = false): Response {
  try {
    for (const [name, value] of Object.entries(headers)) {
      if (name === 'vary') answer.headers.append(name, value)
      else if (must || !answer.headers.has(name)) answer.headers.set(name, value)
    }
    return answer
  } catch {
    // Of what `fetch` or `Response.redirect` gave the headers cannot be changed.
    const { status, statusText } = answer
    return withHeaders(new Response(answer.body, { status, statusText, headers: new Headers(answer.headers) }), headers, must)
  }
}
