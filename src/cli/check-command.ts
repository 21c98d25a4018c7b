/** What is wrong with an app: all of it at once, without starting anything. */
import type { Finding } from '../plan/finding.ts'
import { exits, type Command } from './command.ts'
import type { Screen } from './screen.ts'

export const checkCommand: Command = {
  name: 'check',
  summary: 'what is wrong with an app: all of it at once; ends with 1 where there is an error',
  details: ['It looks at names, versions, what is listed and what is needed, doors, and settings in the environment. Nothing starts.'],
  takes: [{ name: 'FILE', needed: true }],
  options: { 'no-config': { type: 'boolean', says: 'leave the settings in the environment out' } },
  examples: [
    ['check src/app.ts', 'before a deployment'],
    ['check src/app.ts --env-file .env --json', 'with its settings, for a script'],
  ],
  async run({ args, is, screen }) {
    const { checkFile } = await import('./check-app.ts')
    const { app, findings } = await checkFile(args[0] ?? '', !is('no-config'))
    const errors = findings.filter(({ level }) => level === 'error').length
    if (screen.json) screen.value({ app, ok: errors === 0, findings })
    else write(screen, app, findings, errors)
    return errors === 0 ? exits.ok : exits.failed
  },
}

function write(screen: Screen, app: string | null, findings: readonly Finding[], errors: number): void {
  for (const { level, where, message } of findings) {
    screen.line(`${screen.styled(level === 'error' ? 'red' : 'yellow', level)}  ${where}: ${message}`)
  }
  const warnings = findings.length - errors
  if (findings.length === 0) screen.line(`${app ?? ''}: nothing is wrong`)
  else
    screen.line(
      `\n${app ?? 'the app'}: ${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`,
    )
}
