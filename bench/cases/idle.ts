/** What the shop takes while nothing happens, and what a million events leave behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { oneFunction, OrderPlaced } from '../harness/apps.ts'
import { atMost, type Bench, type Figures, type Size } from '../harness/bench.ts'
import { build } from '../harness/built.ts'
import { Count } from '../harness/count.ts'
import { inFlight } from '../harness/load.ts'
import { orderOf } from '../harness/order.ts'
import { openOurs } from '../harness/ours.ts'

const root = join(import.meta.dirname, '..', '..')

export const idle: Bench = {
  name: 'idle',
  title: 'the shop at rest, from built files, and the memory that 1,000,000 events leave',
  prepare: async (size) => build(size),
  cases: [
    { name: 'the shop', run: (size) => atRest(size, shop(size, [join(size.folder, 'built', 'shop', 'main.js')])) },
    {
      name: 'the shop, from sources',
      run: (size) => atRest(size, shop(size, ['--conditions=millrace-source', join(root, 'examples/shop/src/main.ts')])),
    },
    { name: 'Node, Hono, Zod, SQLite', run: (size) => atRest(size, ['--input-type=module', '-e', bareServer]) },
    { name: 'millrace, 1,000,000', run: growth, flags: ['--max-semi-space-size=16'] },
    { name: "1,000,000, V8's young space", run: growth },
  ],
  goals: (median) => [
    ...atMost('the shop at rest, of a core', median('the shop', 'CPU %'), 0.3, '%'),
    ...atMost('the shop at rest, RSS', median('the shop', 'RSS MB'), 115, 'MB'),
    ...atMost('RSS after 1,000,000 events, more than before', median('millrace, 1,000,000', 'growth MB'), 60, 'MB'),
  ],
}

function shop({ folder }: Size, main: readonly string[]): readonly string[] {
  return [...main, '--port', '0', '--data', join(folder, String(process.pid))]
}

/** What nobody can go below. */
const bareServer = `import { Hono } from 'hono'
import { serve } from '@hono/node-server'
import { z } from 'zod'
import { DatabaseSync } from 'node:sqlite'
const db = new DatabaseSync(':memory:')
z.object({ a: z.string() }).parse({ a: 'b' })
const app = new Hono()
app.get('/', (c) => c.text('' + db.isOpen))
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => console.log('up'))`

async function atRest({ quick }: Size, line: readonly string[]): Promise<Figures> {
  const child = spawn(process.execPath, line, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await new Promise((up) => child.stdout.once('data', up))
    await sleep(quick ? 500 : 5_000)
    const seconds = quick ? 1 : 20
    const before = ticksOf(child)
    await sleep(seconds * 1_000)
    return { 'CPU %': (ticksOf(child) - before) / seconds, 'RSS MB': rssOf(child) }
  } finally {
    child.kill('SIGTERM')
    await new Promise((ended) => child.once('exit', ended))
  }
}

/** Hundredths of a second of CPU: as many of a core in one second are as many per cent. */
function ticksOf({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

function rssOf({ pid }: ChildProcess): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
}

async function growth(size: Size): Promise<Figures> {
  const count = size.quick ? 10_000 : 1_000_000
  const handled = new Count(count)
  const ours = await openOurs(
    oneFunction((order) => handled.hit(order.seq)),
    { path: join(size.folder, `${process.pid}.db`) },
  )
  const rss = (): number => process.memoryUsage.rss() / 1_048_576
  const before = rss()
  let peak = 0
  const watching = setInterval(() => (peak = Math.max(peak, rss())), 100)
  await inFlight(256, 0, count, (seq) => ours.publish(OrderPlaced(orderOf(seq))))
  await handled.done
  await ours.settled()
  await sleep(size.quick ? 100 : 5_000)
  clearInterval(watching)
  handled.mustBeExact()
  const after = rss()
  await ours.stop()
  return { 'before MB': before, 'growth MB': after - before, 'peak MB': peak }
}
