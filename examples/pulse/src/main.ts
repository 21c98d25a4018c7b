/** Runs pulse on a SQLite file, until Ctrl-C. */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { isFault, start, type Running } from 'millrace'
import { pulse } from './app.ts'
import { welcome } from './welcome.ts'

const { values: given } = parseArgs({
  options: {
    /** 0: any free one. */
    port: { type: 'string', default: '3001' },
    /** Where the store and the notices are kept. */
    data: { type: 'string', default: join(import.meta.dirname, '..', 'data') },
  },
})

const sameSignalMs = 300

await main(Number(given.port), resolve(given.data))

async function main(port: number, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const store = join(folder, 'pulse.db')
  const env = { NOTICES: join(folder, 'notices.db'), ...process.env }
  try {
    const running = await start(pulse, { port, store, env })
    process.stdout.write(welcome({ url: running.url ?? '', folder }))
    closeOnSignal(running)
  } catch (error) {
    if (!isFault(error)) throw error
    const advice = isFault(error, 'ADDRESS_TAKEN') ? ' For instance: npm run pulse -- --port 3005' : ''
    process.stderr.write(`${error.message}\n${error.todo}${advice}\n`)
    process.exitCode = 1
  }
}

/** The first signal drains; one that comes later than a moment after it ends at once, and nothing is lost by it either. */
function closeOnSignal(running: Running): void {
  let closingMs: number | undefined
  const signalled = (): void => {
    if (closingMs !== undefined && performance.now() - closingMs > sameSignalMs) process.exit(1)
    if (closingMs === undefined) void running.stop()
    closingMs ??= performance.now()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, signalled)
}
