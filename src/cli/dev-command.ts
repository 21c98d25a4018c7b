/** Runs an app and starts it again when its files change: the same process, store and semantics as `start`, stopped in order in between. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { basename, extname, resolve } from 'node:path'
import { exits, type Command, type Given } from './command.ts'
import { startOptions } from './start-command.ts'
import { watchFolders } from './watch-folders.ts'

/** Editors write a file in several steps. */
const restMs = 120
const watched = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json', '.env'])

export const devCommand: Command = {
  name: 'dev',
  summary: 'run an app, and start it again when a file changes',
  details: [
    'It watches the folder that you are in (node_modules and hidden folders apart) for code, JSON and .env files.',
    'Between two runs the app drains as after Ctrl-C: nothing is lost, and events wait meanwhile.',
  ],
  takes: [{ name: 'FILE', needed: true }],
  options: {
    ...startOptions,
    watch: { type: 'string', value: 'FOLDER', multiple: true, says: 'watch this instead; may be given several times' },
  },
  examples: [
    ['dev src/app.ts', 'at http://127.0.0.1:3000'],
    ['dev src/app.ts --env-file .env --watch src', 'with settings from a file, watching src'],
  ],
  run: (given) => new Dev(given).run(),
}

class Dev {
  readonly #given: Given
  #child: ChildProcess | undefined
  #timer: NodeJS.Timeout | undefined
  #stopping = false
  #restarting = false
  #ended: (code: number) => void = () => {}

  constructor(given: Given) {
    this.#given = given
  }

  run(): Promise<number> {
    const folders = this.#given.texts('watch')
    watchFolders(
      (folders.length > 0 ? folders : ['.']).map((folder) => resolve(folder)),
      (file) => {
        if (concerns(file)) this.#changed(file)
      },
    )
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#stop(signal))
    this.#start()
    return new Promise((done) => (this.#ended = done))
  }

  #start(): void {
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', 'start', ...startWords(process.argv.slice(2))], {
      stdio: 'inherit',
    })
    this.#child = child
    child.once('exit', (code) => {
      this.#child = undefined
      if (this.#stopping) this.#ended(code ?? exits.ok)
      else if (!this.#restarting)
        this.#given.screen.note(`it ended${code === null ? '' : ` with ${code}`}; it starts again when a file changes`)
    })
  }

  #changed(file: string): void {
    if (this.#stopping) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#restart(file), restMs)
  }

  async #restart(file: string): Promise<void> {
    // What changes while it drains is in the next run anyway.
    if (this.#restarting || this.#stopping) return
    this.#restarting = true
    this.#given.screen.note(`${file} changed: it starts again`)
    const child = this.#child
    if (child !== undefined) {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    }
    this.#restarting = false
    if (!this.#stopping) this.#start()
  }

  /** The terminal sends Ctrl-C to the app too; whoever ends only this process means both. */
  #stop(signal: NodeJS.Signals): void {
    if (this.#child === undefined) return this.#ended(exits.ok)
    if (signal === 'SIGTERM' || process.stdin.isTTY !== true) this.#child.kill(signal)
    this.#stopping = true
  }
}

function concerns(file: string): boolean {
  const name = basename(file)
  return name.startsWith('.env') || (watched.has(extname(name)) && !name.startsWith('.'))
}

/** The same line without the word `dev`, and without what only it knows. */
function startWords(words: readonly string[]): readonly string[] {
  const kept: string[] = []
  let named = false
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? ''
    if (!named && word === 'dev') named = true
    else if (word === '--watch') at += 1
    else if (!word.startsWith('--watch=')) kept.push(word)
  }
  return kept
}
