/** Starts an app on this machine: one process, one SQLite file. Store, host and HTTP are loaded when they are needed. */
import type { App } from '../define/app.ts'
import type { Running, StartOptions } from './start-options.ts'

/** Resolves once doors are open: starting positions are recorded, lanes are taken. */
export async function start(app: App, options: StartOptions = {}): Promise<Running> {
  const { startOnNode } = await import('./start-node.ts')
  return startOnNode(app, options)
}
