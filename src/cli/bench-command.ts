/** How fast an app is: what is asked for, and how it is told. */
import { loadApp } from './app-file.ts'
import type { Result, Spread } from './bench.ts'
import { exits, type Command } from './command.ts'
import { grouped, type Screen } from './screen.ts'

export const benchCommand: Command = {
  name: 'bench',
  summary: 'how fast your app is: publishes events on a temporary store, and measures',
  details: [
    'Its functions really run, with the resources and settings that they have: give it settings for a test.',
    'Data is made up from the event’s schema, another key each time, unless --data or --events is given.',
    'In --data, {{n}} stands for the number of the event.',
  ],
  takes: [{ name: 'FILE', needed: true }],
  options: {
    type: { type: 'string', value: 'TYPE', says: 'the event that is published (else the first that something consumes)' },
    count: { type: 'string', short: 'n', value: 'N', says: 'how many (else 10000)' },
    concurrency: { type: 'string', short: 'c', value: 'N', says: 'publish calls side by side (else 64)' },
    keys: { type: 'string', value: 'N', says: 'over so many keys (else as many as events)' },
    data: { type: 'string', value: 'JSON', says: 'the data of each' },
    events: { type: 'string', value: 'FILE', says: 'data to go through again and again, one JSON text a line' },
  },
  examples: [
    ['bench src/app.ts', 'the first event that something consumes'],
    ['bench src/app.ts --type OrderPlaced -n 50000 -c 256', 'more of it, more at once'],
    [`bench src/app.ts --data '{"orderId":"o-{{n}}","cents":900}'`, 'with your own data'],
  ],
  async run(given) {
    const { bench } = await import('./bench.ts')
    const result = await bench(await loadApp(given.args[0] ?? ''), given)
    if (given.screen.json) given.screen.value(result)
    else write(given.screen, result)
    return result.settled && result.failures === 0 ? exits.ok : exits.failed
  },
}

function write(
  screen: Screen,
  { app, type, events, concurrency, publish, start, handled, inLog, failures, settled: whole, ...on }: Result,
): void {
  screen.line(`${app}: ${grouped(events)} ${type}, ${concurrency} calls side by side`)
  screen.line(screen.styled('dim', `${on.machine}; Node ${on.node}, SQLite ${on.sqlite}`))
  screen.line()
  const row = (what: string, of: Spread, rate: string): string[] => [
    what,
    rate,
    ...[of.p50, of.p95, of.p99, of.most].map((ms) => ms.toFixed(2)),
  ]
  const columns = [
    { title: '' },
    { title: 'PER SECOND', right: true },
    { title: 'P50 ms', right: true },
    { title: 'P95', right: true },
    { title: 'P99', right: true },
    { title: 'MOST', right: true, least: 6 },
  ] as const
  screen.table(columns, [
    row('publish', publish, grouped(publish.perSecond)),
    ...(start === undefined ? [] : [row('publish to handler start', start, '')]),
    ['handled', grouped(handled.perSecond), '', '', '', ''],
  ])
  screen.line()
  screen.line(
    `${grouped(handled.turns)} turns, ${grouped(inLog)} events in the log with what they caused, ${grouped(failures)} failed attempts`,
  )
  if (!whole) screen.line(screen.styled('red', 'not all of it was handled: something failed, and waits or is parked'))
}
