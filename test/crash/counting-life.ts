/** How a life of the counting app is begun as a process of its own: what it compiles is kept for the next one. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Life } from './counting-app.ts'

const child = fileURLToPath(new URL('counting-child.ts', import.meta.url))
let cache: string | undefined

/** What Node is called with. */
export function lineOf(life: Life): readonly string[] {
  return ['--conditions=millrace-source', '--no-warnings', child, JSON.stringify(life)]
}

/** Without rings of the kernel, which strace does not see. */
export function environmentOf(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_COMPILE_CACHE: cacheOf(), UV_USE_IO_URING: '0' }
}

function cacheOf(): string {
  if (cache !== undefined) return cache
  const made = mkdtempSync(join(tmpdir(), 'millrace-compiled-'))
  process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  cache = made
  return made
}
