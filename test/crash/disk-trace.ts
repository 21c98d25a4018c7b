/**
 * What a process did to the files of a store, as strace saw it: writes with their bytes, syncs, names, and what it said
 * meanwhile, in their order.
 */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { environmentOf } from './counting-life.ts'

/** What a name stands for; a name that is taken away and made again stands for another one. */
export interface DiskFile {
  readonly id: number
}

export interface DiskWrite {
  readonly file: DiskFile
  readonly at: number
  /** Absent: the file is cut off, or grows, to end at `at`. */
  readonly bytes: Buffer | undefined
}

/** A call of the system begins, and ends later; another thread may come in between. */
export type DiskStep =
  | { readonly is: 'name'; readonly name: string; readonly file: DiskFile | undefined }
  | { readonly is: 'write' | 'written'; readonly write: DiskWrite }
  | { readonly is: 'sync' | 'synced'; readonly call: number; readonly file: DiskFile | 'folder' }
  | { readonly is: 'said'; readonly line: string }

export interface Traced {
  readonly code: number | null
  readonly tracePath: string
  readonly toldPath: string
}

const calls =
  'openat,close,pwrite64,pwritev,write,writev,fsync,fdatasync,sync_file_range,ftruncate,fallocate,unlink,unlinkat,rename,renameat,renameat2'
const watched = ['', '-wal', '-journal', '-lock', '-lock-journal']

export function hasStrace(): boolean {
  return spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true']).status === 0
}

/** Runs Node under strace. What it writes to file 1 is what it says. */
export async function traced(line: readonly string[], storePath: string, name: string): Promise<Traced> {
  const [tracePath, toldPath] = [`${storePath}.${name}.trace`, `${storePath}.${name}.told`]
  const paths = [dirname(storePath), toldPath, ...watched.map((end) => storePath + end)].flatMap((path) => ['-P', path])
  const how = [
    '-f',
    '-qq',
    '--seccomp-bpf',
    '-s',
    '16777216',
    '-xx',
    '-y',
    '-e',
    'signal=none',
    '-e',
    `trace=${calls}`,
    ...paths,
    '-o',
    tracePath,
  ]
  const told = openSync(toldPath, 'w')
  const running = spawn('strace', [...how, process.execPath, ...line], { stdio: ['ignore', told, 'inherit'], env: environmentOf() })
  closeSync(told)
  const end = (): boolean => running.kill('SIGKILL')
  process.prependOnceListener('exit', end)
  const code = await new Promise<number | null>((resolve) => running.once('close', resolve))
  process.off('exit', end)
  return { code, tracePath, toldPath }
}

export class TraceReader {
  readonly #folder: string
  /** As the process sees them. */
  readonly #names = new Map<string, DiskFile>()
  #files = 0
  #calls = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  /** One process after another may have been at the same files. */
  steps({ tracePath, toldPath }: Traced): readonly DiskStep[] {
    const steps: DiskStep[] = []
    const open = new Map<string, { readonly text: string; readonly end: readonly DiskStep[] }>()
    for (const line of readFileSync(tracePath, 'latin1').split('\n')) {
      const [, thread = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
      const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text)
      if (resumed !== null) {
        const begun = open.get(thread)
        open.delete(thread)
        if (begun !== undefined) steps.push(...(begun.end.length > 0 ? begun.end : this.#call(begun.text + resumed[1], toldPath).flat()))
      } else if (text.endsWith(' <unfinished ...>')) {
        const call = text.slice(0, -' <unfinished ...>'.length)
        // What makes or takes a name is looked at when its answer is known.
        const [begin, end] = /^(openat|unlink|rename)/.test(call) ? [[], []] : this.#call(call, toldPath)
        steps.push(...begin)
        open.set(thread, { text: call, end })
      } else steps.push(...this.#call(text, toldPath).flat())
    }
    return steps
  }

  #call(text: string, toldPath: string): readonly [begin: readonly DiskStep[], end: readonly DiskStep[]] {
    const [, name = '', rest = ''] = /^(\w+)\((.*)$/s.exec(text) ?? []
    const answer = /\) += (-?\d+)/.exec(rest)?.[1]
    if (name === '' || name === 'close' || name === 'sync_file_range' || Number(answer) < 0) return [[], []]
    if (name === 'openat') return [this.#opened(rest), []]
    if (name.startsWith('unlink')) return [this.#unlinked(textsIn(rest)[0] ?? ''), []]
    const path = pathOf(rest)
    if (name === 'fsync' || name === 'fdatasync') return this.#synced(path)
    if (name === 'write' && path === toldPath) return [said(textsIn(rest)[0] ?? ''), []]
    const file = this.#names.get(path)
    if (file === undefined) return [[], []]
    if (name === 'pwrite64') return written({ file, at: Number(/", \d+, (\d+)/.exec(rest)?.[1]), bytes: bytesIn(rest) })
    if (name === 'ftruncate') return written({ file, at: Number(/>, (\d+)/.exec(rest)?.[1]), bytes: undefined })
    throw new Error(`what does ${name} do to ${path}?`)
  }

  #opened(rest: string): readonly DiskStep[] {
    const path = textsIn(rest)[0] ?? ''
    if (!rest.includes('O_CREAT') || this.#names.has(path) || dirname(path) !== this.#folder) return []
    const file = { id: this.#files++ }
    this.#names.set(path, file)
    return [{ is: 'name', name: basename(path), file }]
  }

  #unlinked(path: string): readonly DiskStep[] {
    return this.#names.delete(path) ? [{ is: 'name', name: basename(path), file: undefined }] : []
  }

  #synced(path: string): readonly [readonly DiskStep[], readonly DiskStep[]] {
    const file = path === this.#folder ? 'folder' : this.#names.get(path)
    if (file === undefined) return [[], []]
    const call = this.#calls++
    return [[{ is: 'sync', call, file }], [{ is: 'synced', call, file }]]
  }
}

function written(write: DiskWrite): readonly [readonly DiskStep[], readonly DiskStep[]] {
  return [[{ is: 'write', write }], [{ is: 'written', write }]]
}

function said(text: string): readonly DiskStep[] {
  return text.split('\n').flatMap((line) => (line === '' ? [] : [{ is: 'said', line } as const]))
}

function textsIn(rest: string): readonly string[] {
  return [...rest.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = '']) => unhex(hex).toString('utf8'))
}

function bytesIn(rest: string): Buffer {
  const from = rest.indexOf('"') + 1
  return unhex(rest.slice(from, rest.indexOf('"', from)))
}

/** Of the file that a call is given: `5<\x2f\x74…>`. */
function pathOf(rest: string): string {
  const [, hex = ''] = /^\d+<((?:\\x[0-9a-f]{2})*)>/.exec(rest) ?? []
  return unhex(hex).toString('utf8')
}

/** Of `\\x74\\x2e…`: a hundred million digits of it, so not by a regular expression. */
function unhex(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(text.length / 4)
  for (let at = 0; at < bytes.length; at++) bytes[at] = (digit(text.charCodeAt(at * 4 + 2)) << 4) | digit(text.charCodeAt(at * 4 + 3))
  return bytes
}

function digit(code: number): number {
  return code < 58 ? code - 48 : code - 87
}
