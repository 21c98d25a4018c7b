/** A folder that a run of crashes works in: gone when it is over, however it ends. What proves a complaint is kept elsewhere. */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

export interface RunFolder extends Disposable {
  readonly path: string
  /** Copies a file or a folder to where it stays, and says where that is. Of many the first few, for each may be large. */
  keep(path: string): string
}

const keptMost = 3

export function runFolder(name: string, base: string = tmpdir()): RunFolder {
  const path = mkdtempSync(join(base, `millrace-${name}-`))
  const remove = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 5 })
  process.once('exit', remove)
  let evidence: string | undefined
  let kept = 0
  return {
    path,
    keep(from) {
      if (kept === keptMost) return 'not kept: there were enough'
      kept += 1
      evidence ??= mkdtempSync(join(tmpdir(), `millrace-evidence-${name}-`))
      const to = join(evidence, basename(from))
      cpSync(from, to, { recursive: true })
      return to
    },
    [Symbol.dispose]() {
      process.off('exit', remove)
      remove()
    },
  }
}

/** What is asked of the files there survives no power cut of this machine, so they need not lie on a slow disk. */
export function quickBase(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
}
