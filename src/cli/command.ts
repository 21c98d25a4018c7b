/** What a command is: a name, what it takes, examples, and what it does; and the codes that it ends with. */
import type { Screen } from './screen.ts'

/** For scripts. */
export const exits = {
  ok: 0,
  /** It failed, or it found faults. */
  failed: 1,
  usage: 2,
  /** Nothing of the kind is there. */
  nothing: 3,
  /** The store is held by a process that does not answer, or no app runs where one is needed. */
  unreachable: 4,
} as const

/** Told by the help, and by the guide. */
export const exitMeanings = {
  [exits.ok]: 'done',
  [exits.failed]: 'failed, or faults found',
  [exits.usage]: 'not written right',
  [exits.nothing]: 'nothing of the kind there',
  [exits.unreachable]: 'store held, or app not reachable',
} as const

export interface Option {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  /** What stands for the value in the help. */
  readonly value?: string
  readonly multiple?: true
  readonly says: string
}

export type Options = Readonly<Record<string, Option>>

export interface Argument {
  readonly name: string
  readonly needed: boolean
  readonly many?: true
}

export interface Command {
  /** One word, or two: `dead-letters show`. */
  readonly name: string
  readonly summary: string
  /** Lines below the summary. */
  readonly details?: readonly string[]
  readonly takes: readonly Argument[]
  readonly options: Options
  /** Each a command line without `millrace`, and what it is for. */
  readonly examples: readonly (readonly [string, string])[]
  run(given: Given): Promise<number>
}

/** A command line, read. */
export interface Given {
  readonly args: readonly string[]
  text(option: string): string | undefined
  texts(option: string): readonly string[]
  is(option: string): boolean
  readonly screen: Screen
  /** The path of the store: --store, MILLRACE_STORE, or ./millrace.db. */
  readonly store: string
}

export const globalOptions: Options = {
  store: { type: 'string', short: 's', value: 'FILE', says: 'the store (else MILLRACE_STORE, else ./millrace.db)' },
  json: { type: 'boolean', says: 'JSON for scripts' },
  /** Node looks for it by itself, wherever it stands: where the file is not there, it says so and ends with 9, before us. */
  'env-file': { type: 'string', value: 'FILE', multiple: true, says: 'set variables from a file; those that are set already stand' },
  debug: { type: 'boolean', says: 'where something fails, show where' },
  help: { type: 'boolean', short: 'h', says: 'this help' },
  version: { type: 'boolean', says: 'the version of Millrace' },
}

/** Who asks, for the log of operations. */
export const byOption: Options = {
  by: { type: 'string', value: 'NAME', says: 'who asks, for the log of operations (else your user name)' },
}
