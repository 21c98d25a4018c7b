/** How an app is run for real, and how its file is copied while it runs, for the guide. */
import { backup, DatabaseSync } from 'node:sqlite'
import { start, type Running } from 'millrace'
import { inn } from './inn.ts'

// #region run
export async function run(store: string, port: number): Promise<Running> {
  const running = await start(inn, { port, store })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void running.stop())
  return running
}
// #endregion

// #region backup
export async function copyStore(store: string, to: string): Promise<void> {
  const db = new DatabaseSync(store, { readOnly: true })
  try {
    await backup(db, to)
  } finally {
    db.close()
  }
}
// #endregion
