/** A process that runs a hundred events over a store file, and that event 10 kills. Once all is settled it says what it found. */
import { openFlow } from '../../src/flow/flow.ts'
import { decodeHold } from '../../src/flow/holds.ts'
import { publishStored } from '../../src/flow/publisher.ts'
import { nodeEnvironment } from '../../src/hosts/node-environment.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { consumer, note, numberOf } from './consumer.ts'
import { happened } from './stage.ts'

const [path = ''] = process.argv.slice(2)
const { nowMs, monotonicMs, random, soon, wait } = nodeEnvironment
const store = await sqliteStore({ path, nowMs, monotonicMs, random, soon })
const telemetry = { count: () => {}, record: () => {}, span: <T>(_: string, __: unknown, run: () => T) => run(), log: () => {} }
const subscription = consumer({
  async run(turn) {
    await wait(random() * 3)
    if (numberOf(turn) === 10) process.abort()
    note(turn)
    // Counts how often it had its effect.
    const key = { kind: 'times', part: 'f', key: String(numberOf(turn)) }
    turn.put(key, String(Number((await turn.get(key))?.value ?? 0) + 1))
  },
})
const flow = await openFlow(
  { store, environment: nodeEnvironment, telemetry },
  { id: `life ${process.pid}`, subscriptions: [subscription] },
)
const events = Array.from({ length: 100 }, (_, n) => happened(n, `key ${n % 50}`))
await Promise.all(events.map((event) => publishStored(flow.context, [event])))

for (;;) {
  await wait(5)
  const times = await store.scan({ kind: 'times', part: 'f', from: '', to: '', limit: 1_000 })
  const holds = await store.scan({ kind: 'hold', part: 'f/0-1023', from: '', to: '', limit: 1_000 })
  const parked = holds.filter((row) => decodeHold(row).state === 'parked')
  const held = parked.reduce((sum, row) => sum + decodeHold(row).count, 0)
  if (times.length + held < 100) continue
  await flow.stop()
  process.stdout.write(
    JSON.stringify({
      done: times.length,
      twice: times.filter(({ value }) => value !== '1').map(({ key }) => key),
      parked: parked.map((row) => ({ key: row.key, code: decodeHold(row).error?.code, count: decodeHold(row).count })),
    }),
  )
  await store.close()
  process.exit(0)
}
