/** The help of all commands, and of one. */
import { exitMeanings, globalOptions, type Argument, type Command, type Options } from './command.ts'
import type { Screen } from './screen.ts'

export function helpOfAll(screen: Screen, commands: readonly Command[]): void {
  screen.line('Millrace runs event-driven apps, and lets you look into them and operate them.')
  screen.line()
  screen.line(`${screen.styled('bold', 'Usage')}  millrace COMMAND [options]`)
  screen.line()
  const width = Math.max(...commands.map((command) => usage(command).length))
  for (const command of commands) screen.line(`  ${usage(command).padEnd(width)}  ${command.summary}`)
  options(screen, 'Options of all', globalOptions)
  screen.line()
  const codes = Object.entries(exitMeanings).map(([code, meaning]) => `${code} ${meaning}`)
  screen.line(`${screen.styled('bold', 'Exit codes')}  ${codes.join(' · ')}`)
  screen.line()
  screen.line('millrace COMMAND --help tells more, with examples.')
}

export function helpOfOne(screen: Screen, command: Command): void {
  screen.line(command.summary)
  if (command.details !== undefined) screen.line(`\n${command.details.join('\n')}`)
  screen.line()
  screen.line(`${screen.styled('bold', 'Usage')}  millrace ${usage(command)}${Object.keys(command.options).length > 0 ? ' [options]' : ''}`)
  options(screen, 'Options', command.options)
  options(screen, 'Options of all', globalOptions)
  screen.line()
  screen.line(screen.styled('bold', 'Examples'))
  const width = Math.max(...command.examples.map(([line]) => line.length))
  for (const [line, says] of command.examples) screen.line(`  millrace ${line.padEnd(width)}  ${screen.styled('dim', `# ${says}`)}`)
}

/** As it is typed, after `millrace`. */
export function usage({ name, takes }: Command): string {
  return [name, ...takes.map(argument)].join(' ')
}

function argument({ name, needed, many }: Argument): string {
  const text = many === true ? `${name}…` : name
  return needed ? text : `[${text}]`
}

function options(screen: Screen, title: string, of: Options): void {
  const rows = Object.entries(of).map(([name, { short, value, says }]) => {
    const flag = `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
    return [flag, says] as const
  })
  if (rows.length === 0) return
  screen.line()
  screen.line(screen.styled('bold', title))
  const width = Math.max(...rows.map(([flag]) => flag.length))
  for (const [flag, says] of rows) screen.line(`  ${flag.padEnd(width)}  ${says}`)
}
