/** Starts the two providers of the demo, each a process of its own. In earnest they run elsewhere, and only their addresses are given. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export interface Providers {
  readonly payments: string
  readonly warehouse: string
  stop(): void
}

export async function startProviders(folder: string): Promise<Providers> {
  const children = [startOne('payments', folder), startOne('warehouse', folder)] as const
  const [payments, warehouse] = await Promise.all([addressOf(children[0]), addressOf(children[1])])
  return { payments, warehouse, stop: () => children.forEach((child) => child.disconnect()) }
}

/** It ends with us, even when we are killed: then its channel to us closes. */
function startOne(name: string, folder: string): ChildProcess {
  const file = join(import.meta.dirname, '..', 'providers', `${name}-server.ts`)
  return fork(file, { env: { ...process.env, PORT: '0', LEDGER: join(folder, `${name}.jsonl`) } })
}

async function addressOf(child: ChildProcess): Promise<string> {
  const [told] = await Promise.race([once(child, 'message'), once(child, 'exit')])
  if (typeof told !== 'object' || told === null) throw new Error(`a provider did not start: ${child.spawnargs.at(-1)}`)
  return (told as { readonly url: string }).url
}
