/** Reads a command line: which command, its arguments and options, each mistake as a fault that names what was meant. */
import { parseArgs } from 'node:util'
import { asError, fault } from '../kit/fault.ts'
import { closest } from '../kit/closest.ts'
import { globalOptions, type Command, type Options } from './command.ts'

export interface Line {
  /** `undefined`: none was named. */
  readonly command: Command | undefined
  readonly args: readonly string[]
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
}

export function readLine(words: readonly string[], commands: readonly Command[]): Line {
  const { before, rest } = split(words)
  const [first, second] = rest
  if (first === undefined) return { command: undefined, ...parsed(before, globalOptions, 'millrace') }
  const pair = commands.find(({ name }) => name === `${first} ${second ?? ''}`)
  const command = pair ?? commands.find(({ name }) => name === first)
  if (command === undefined) throw unknown(first, commands)
  const line = parsed([...before, ...rest.slice(pair === undefined ? 1 : 2)], { ...globalOptions, ...command.options }, command.name)
  const group = commands.filter(({ name }) => name.startsWith(`${first} `))
  if (group.length > 0 && pair === undefined && line.args.length > command.takes.length) throw unknownPart(first, line.args[0] ?? '', group)
  return { command, ...line }
}

/** Whether the arguments are there; asked only once no help is. */
export function checkArguments({ name, takes }: Command, args: readonly string[]): void {
  const missing = takes.find(({ needed }, i) => needed && args[i] === undefined)
  if (missing !== undefined) throw fault('USAGE_WRONG', `${name}: ${missing.name} is missing`, { command: name })
  const surplus = takes.some(({ many }) => many) ? undefined : args[takes.length]
  if (surplus !== undefined) throw fault('USAGE_WRONG', `${name}: '${surplus}' is more than it takes`, { command: name })
}

/** Global options may stand before the command. */
function split(words: readonly string[]): { readonly before: readonly string[]; readonly rest: readonly string[] } {
  let at = 0
  for (; at < words.length; at += 1) {
    const word = words[at] ?? ''
    if (!word.startsWith('-') || word === '-') break
    const name = Object.entries(globalOptions).find(([long, { short }]) => word === `--${long}` || word === `-${short}`)
    if (name?.[1].type === 'string') at += 1
  }
  return { before: words.slice(0, at), rest: words.slice(at) }
}

function parsed(
  words: readonly string[],
  options: Options,
  command: string,
): { readonly args: readonly string[]; readonly values: Line['values'] } {
  try {
    const shape = Object.fromEntries(
      Object.entries(options).map(([name, { type, short, multiple }]) => [
        name,
        { type, ...(short === undefined ? {} : { short }), multiple: multiple ?? false },
      ]),
    )
    const { values, positionals } = parseArgs({ args: [...words], options: shape, allowPositionals: true, strict: true })
    return { args: positionals, values: values as Line['values'] }
  } catch (thrown) {
    throw mistake(asError(thrown), options, command)
  }
}

/** Node names the option; we add which one may have been meant. */
function mistake(error: Error, options: Options, command: string): Error {
  const option = /'(?:-\w, )?--?([\w-]+)/.exec(error.message)?.[1] ?? ''
  const code = 'code' in error ? error.code : ''
  if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION')
    return fault('USAGE_WRONG', `${command}: ${error.message.split('\n')[0] ?? ''}`, { command, option }, error)
  const near = closest(option, Object.keys(options)).map((name) => `--${name}`)
  return fault(
    'USAGE_WRONG',
    `${command} has no option '--${option}'${near.length > 0 ? `; did you mean ${near.join(', ')}?` : ''}`,
    { command, option, near },
    error,
  )
}

function unknown(word: string, commands: readonly Command[]): Error {
  const names = [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? name))]
  const near = closest(word, names)
  return fault(
    'USAGE_WRONG',
    `there is no command '${word}'${near.length > 0 ? `; did you mean ${near.join(', ')}?` : `; there are ${names.join(', ')}`}`,
    { command: word, near },
  )
}

function unknownPart(first: string, word: string, group: readonly Command[]): Error {
  const names = group.map(({ name }) => name.slice(first.length + 1))
  const near = closest(word, names)
  return fault(
    'USAGE_WRONG',
    `${first} knows no '${word}'; ${near.length > 0 ? `did you mean ${near.join(', ')}?` : `it knows ${names.join(', ')}`}`,
    { command: first, near },
  )
}
