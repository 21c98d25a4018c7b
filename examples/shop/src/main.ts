/** Runs the shop: its providers, its store, its HTTP door, until Ctrl-C. */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { isFault, start, type Running } from 'millrace'
import { shop } from './app.ts'
import { startProviders, type Providers } from './providers.ts'
import { welcome } from './welcome.ts'

const { values: given } = parseArgs({
  options: {
    /** 0: any free one. */
    port: { type: 'string', default: '3000' },
    /** Where the store and the providers' ledgers are kept. */
    data: { type: 'string', default: join(import.meta.dirname, '..', 'data') },
  },
})

const sameSignalMs = 300

await main(Number(given.port), resolve(given.data))

async function main(port: number, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const store = join(folder, 'shop.db')
  const providers = await startProviders(folder)
  const env = { ...process.env, PAYMENTS_URL: providers.payments, WAREHOUSE_URL: providers.warehouse }
  try {
    const running = await start(shop, { port, store, env })
    process.stdout.write(welcome({ url: running.url ?? '', warehouse: providers.warehouse, store }))
    closeOnSignal(running, providers)
  } catch (error) {
    providers.stop()
    if (!isFault(error)) throw error
    const advice = isFault(error, 'ADDRESS_TAKEN') ? ' For instance: npm start -- --port 3005' : ''
    process.stderr.write(`${error.message}\n${error.todo}${advice}\n`)
    process.exitCode = 1
  }
}

/**
 * The first signal drains; a later one ends at once, and nothing is lost by it either. Whoever ends a whole group of processes sends each a
 * signal, and those that pass it on send it again: what comes within a moment is the same one.
 */
function closeOnSignal(running: Running, providers: Providers): void {
  const close = async (): Promise<void> => {
    process.stdout.write('closing: nothing new comes in, what is under way ends first\n')
    await running.stop()
    providers.stop()
  }
  let closingMs: number | undefined
  const signalled = (): void => {
    if (closingMs !== undefined && performance.now() - closingMs > sameSignalMs) process.exit(1)
    if (closingMs === undefined) void close()
    closingMs ??= performance.now()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, signalled)
}
