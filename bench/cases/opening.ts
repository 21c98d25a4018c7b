/** Opening a store of a million events after kill -9: every run ends so, and the next one opens what it left. */
import { join } from 'node:path'
import { oneFunction, OrderPlaced } from '../harness/apps.ts'
import { atMost, type Bench, type Figures, type Size } from '../harness/bench.ts'
import { mustEqual } from '../harness/count.ts'
import { inFlight } from '../harness/load.ts'
import { orderOf } from '../harness/order.ts'
import { openOurs } from '../harness/ours.ts'

export const opening: Bench = {
  name: 'opening',
  title: 'opening a store of 1,000,000 events after kill -9, to the first handled event',
  cases: [{ name: 'millrace', run }],
  prepare,
  goals: (median) => atMost('open and first event handled', median('millrace', 'first handled ms'), 200, 'ms'),
}

function eventsOf({ quick }: Size): number {
  return quick ? 10_000 : 1_000_000
}

async function prepare(size: Size): Promise<void> {
  const ours = await openOurs(
    oneFunction(() => {}),
    { path: join(size.folder, 'ours.db') },
  )
  const chunk = 1_000
  for (let seq = 0; seq < eventsOf(size); seq += chunk)
    await ours.publish(Array.from({ length: chunk }, (_, at) => OrderPlaced(orderOf(seq + at))))
  await ours.settled()
}

/** What the run before left in the WAL is written by its load, at the end. */
async function run(size: Size): Promise<Figures> {
  const first = Promise.withResolvers<void>()
  const startMs = performance.now()
  const ours = await openOurs(
    oneFunction((order) => (order.seq < 0 ? first.resolve() : undefined)),
    { path: join(size.folder, 'ours.db') },
  )
  const openMs = performance.now() - startMs
  await ours.publish(OrderPlaced(orderOf(-1)))
  await first.promise
  const firstMs = performance.now() - startMs
  await inFlight(256, 0, size.quick ? 1_000 : 20_000, (seq) => ours.publish(OrderPlaced(orderOf(seq))))
  mustEqual('no event is lost', Number(ours.runtime.flow.crews.length), 1)
  return { 'open ms': openMs, 'first handled ms': firstMs }
}
