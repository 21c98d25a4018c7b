/** What the app says of itself, asked through its own routes. */

/** Asks one path, and gives back what was answered. */
export type Ask = (path: string) => Promise<unknown>

interface Rows<Row> {
  readonly rows: readonly Row[]
  readonly next?: string
}

export interface Totals {
  readonly deliveries: number
  readonly bySenders: number
  readonly arrivals: number
  readonly work: number
  readonly alarms: number
}

export async function observedBy(ask: Ask) {
  const deliveries = await allRows<{ id: string; count: number }>(ask, '/deliveries')
  const senders = await allRows<{ sender: string; deliveries: number }>(ask, '/senders')
  const states = ['open', 'closed', 'deleted', 'transferred']
  const work = (await Promise.all(states.map((state) => allRows<Work>(ask, `/items/${state}`)))).flat()
  return {
    deliveries: Object.fromEntries(deliveries.map(({ id, count }) => [id, count])),
    senders: Object.fromEntries(senders.map((row) => [row.sender, row.deliveries])),
    work: Object.fromEntries(work.map(({ id, state, title, delivery, arrivals }) => [id, { state, title, delivery, arrivals }])),
  }
}

interface Work {
  readonly id: string
  readonly state: string
  readonly title: string
  readonly delivery: string
  readonly arrivals: number
}

async function allRows<Row>(ask: Ask, path: string): Promise<Row[]> {
  const found: Row[] = []
  for (let next: string | undefined = ''; next !== undefined;) {
    const page: Rows<Row> = (await ask(next === '' ? path : `${path}?page=${encodeURIComponent(next)}`)) as Rows<Row>
    found.push(...page.rows)
    next = page.next
  }
  return found
}
