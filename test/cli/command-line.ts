/** Runs the command line as a child process, as a user does. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Place {
  readonly folder: string
  readonly store: string
  /** One command; `input` goes to its stdin. */
  run(words: readonly string[], input?: string): Promise<Ended>
  /** Its answer, read; it must have ended with 0. */
  json<T>(words: readonly string[]): Promise<T>
  /** Until it says that it runs. */
  start(words: readonly string[]): Promise<Started>
  remove(): Promise<void>
}

export interface Started {
  readonly child: ChildProcess
  /** What it told when it ran. */
  readonly told: Readonly<Record<string, string>>
  /** All that it wrote, so far. */
  said(): string
  end(signal: NodeJS.Signals): Promise<number | null>
}

export const appFile = join(import.meta.dirname, 'diner.ts')
const main = join(import.meta.dirname, '../../src/cli/main.ts')

/** A folder of its own, with its own store. */
export function newPlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  const store = join(folder, 'diner.db')
  const children = new Set<ChildProcess>()
  const spawned = (words: readonly string[]): ChildProcess => {
    const { NO_COLOR: _, PORT: _port, ...env } = process.env
    const child = spawn(process.execPath, ['--no-warnings', main, ...words], { cwd: folder, env: { ...env, MILLRACE_STORE: store } })
    children.add(child)
    child.once('close', () => children.delete(child))
    return child
  }
  const run = async (words: readonly string[], input = ''): Promise<Ended> => {
    const child = spawned(words)
    child.stdin?.end(input)
    const [out, err, [code]] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ])
    return { code, out, err }
  }
  return {
    folder,
    store,
    run,
    json: async <T>(words: readonly string[]) => {
      const { code, out, err } = await run([...words, '--json'])
      if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${err}`)
      return JSON.parse(out) as T
    },
    start: (words) => started(spawned(words)),
    remove: async () => {
      await Promise.all(
        [...children].map(async (child) => {
          const closed = once(child, 'close')
          child.kill('SIGKILL')
          await closed
        }),
      )
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function started(child: ChildProcess): Promise<Started> {
  let said = ''
  child.stderr?.on('data', (text) => (said += String(text)))
  const told = await new Promise<Readonly<Record<string, string>>>((resolve, reject) => {
    createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => {
      said += `${line}\n`
      if (/"message":"\w+ runs"/.test(line)) resolve(JSON.parse(line) as Record<string, string>)
    })
    child.once('close', (code) => reject(new Error(`it ended with ${code}: ${said}`)))
  })
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const closed = once(child, 'close')
    child.kill(signal)
    await closed
    return child.exitCode
  }
  return { child, told, said: () => said, end }
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = ''
  for await (const chunk of stream ?? []) text += String(chunk)
  return text
}
