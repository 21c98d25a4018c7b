/** What a newcomer reads first: what to try, as commands that work when pasted. */
import { join, relative } from 'node:path'

export interface Places {
  readonly url: string
  readonly warehouse: string
  readonly store: string
}

export function welcome({ url, warehouse, store }: Places): string {
  const at = short(url)
  const cli = 'npm run --silent millrace -- dead-letters'
  const kept = fromRoot(store)
  return `
The shop is open at ${url}. Ctrl-C drains and closes it; started again, it carries on.
Try, in another terminal:

  an order            ${order(at, 'o-1', 'lamp', 'tok_visa')}
  a declined card     ${order(at, 'o-2', 'lamp', 'tok_broke')}
  a poison order      ${order(at, 'o-3', 'ghost', 'tok_visa')}
  my orders           curl ${at}/customers/ada/orders
  revenue today       curl ${at}/revenue/today

The warehouse answers nonsense to a ghost, so o-3 is parked after five attempts, and others flow. When it is:

  look at it          ${cli} list --store ${kept}
  mend the warehouse  curl -X POST ${short(warehouse)}/mend
  let it go on        ${cli} redrive --all --store ${kept}

`
}

function order(at: string, orderId: string, sku: string, card: string): string {
  const body = { orderId, customerId: 'ada', sku, cents: 4900, currency: 'EUR', card }
  return `curl ${at}/orders -H content-type:application/json -d '${JSON.stringify(body)}'`
}

function short(url: string): string {
  return url.replace('http://127.0.0.1', 'localhost')
}

/** As one says it in the folder where `npm start` is said. */
function fromRoot(path: string): string {
  const root = join(import.meta.dirname, '..', '..', '..')
  const short = relative(root, path)
  return short.startsWith('..') ? path : short
}
