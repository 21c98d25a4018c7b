/** The smallest app: one function, no HTTP, a schema written by hand. Says when its first event is handled. */
import { app, event, fn, start, type Schema } from 'millrace'

const schema: Schema<{ readonly n: number }> = {
  '~standard': {
    version: 1,
    vendor: 'bench',
    validate: (value) => ({ value: value as { readonly n: number } }),
  },
}
const Counted = event('Counted', schema)
const first = Promise.withResolvers<void>()
const count = fn('count', Counted, { run: () => first.resolve() })
const running = await start(app('one-function', [Counted, count]), { store: process.argv[2] ?? ':memory:', log: false })
await Promise.all([running.publish(Counted({ n: 1 })), first.promise])
const { user, system } = process.cpuUsage()
process.stdout.write(`handled ${(user + system) / 1_000}\n`)
process.exit()
