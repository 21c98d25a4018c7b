/** What a newcomer reads first: what to try, as commands that work when pasted. */
export interface Places {
  readonly url: string
  readonly warehouse: string
  readonly store: string
}

export function welcome({ url, warehouse, store }: Places): string {
  const lines = [
    `The shop is open at ${url}. Ctrl-C drains and closes it; start it again, and it carries on.`,
    '',
    'an order        ' + order(url, 'o-1', 'lamp', 'tok_visa'),
    'a declined card ' + order(url, 'o-2', 'lamp', 'tok_broke'),
    'a poison order  ' + order(url, 'o-3', 'ghost', 'tok_visa'),
    `my orders       curl -s ${url}/customers/ada/orders`,
    `revenue today   curl -s ${url}/revenue/today`,
    '',
    'The warehouse answers nonsense to the ghost, so o-3 is parked after five attempts. Look at it, mend the warehouse, and let it go on:',
    `  npm run millrace -- dead-letters list --store ${store}`,
    `  curl -s -X POST ${warehouse}/mend`,
    `  npm run millrace -- dead-letters redrive --all --store ${store}`,
    '',
  ]
  return `${lines.join('\n')}\n`
}

function order(url: string, orderId: string, sku: string, card: string): string {
  const body = { orderId, customerId: 'ada', sku, cents: 4900, currency: 'EUR', card }
  return `curl -s ${url}/orders -H content-type:application/json -H idempotency-key:${orderId} -d '${JSON.stringify(body)}'`
}
