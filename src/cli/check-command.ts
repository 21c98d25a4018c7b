/** What is wrong with an app: all of it at once, without starting anything. */
import type { App } from '../define/app.ts'
import type { AnyConfig, Setting } from '../define/config.ts'
import { readConfig } from '../define/config.ts'
import { asError, isFault } from '../kit/fault.ts'
import { checkPlan, type Finding } from '../plan/check.ts'
import { planOf } from '../plan/compile.ts'
import { isForeignFault, loadApp } from './app-file.ts'
import { exits, type Command } from './command.ts'
import type { Screen } from './screen.ts'

export const checkCommand: Command = {
  name: 'check',
  summary: 'what is wrong with an app: all of it at once; ends with 1 where there is an error',
  details: 'It looks at names, versions, what is listed and what is needed, doors, and settings in the environment. Nothing starts.',
  takes: [{ name: 'FILE', needed: true }],
  options: { 'no-config': { type: 'boolean', says: 'leave the settings in the environment out' } },
  examples: [
    ['check src/app.ts', 'before a deployment'],
    ['check src/app.ts --env-file .env --json', 'with its settings, for a script'],
  ],
  async run({ args, is, screen }) {
    const { app, findings } = await found(args[0] ?? '', !is('no-config'))
    const errors = findings.filter(({ level }) => level === 'error').length
    if (screen.json) screen.value({ app, ok: errors === 0, findings })
    else write(screen, app, findings, errors)
    return errors === 0 ? exits.ok : exits.failed
  },
}

/** What a definition itself refuses is thrown as the file is loaded: then nothing else of it is known. */
async function found(file: string, withConfig: boolean): Promise<{ readonly app: string | null; readonly findings: readonly Finding[] }> {
  let app: App
  try {
    app = await loadApp(file)
  } catch (thrown) {
    if (isFault(thrown, 'APP_FILE_INVALID') || !(isFault(thrown) || isForeignFault(thrown))) throw thrown
    return { app: null, findings: [{ level: 'error', where: file, message: thrown.message }] }
  }
  const plan = planOf(app)
  return { app: app.name, findings: [...checkPlan(plan), ...(withConfig ? settings(plan.configs, plan.settings) : [])] }
}

/** Of what the app lists, and of those whose single settings it uses. */
function settings(configs: readonly AnyConfig[], picked: readonly Setting[]): readonly Finding[] {
  const all = new Set([...configs, ...picked.map(({ of }) => of)])
  return [...all].flatMap((config): readonly Finding[] => {
    try {
      readConfig(config, process.env)
      return []
    } catch (thrown) {
      const issues = isFault(thrown, 'CONFIG_INVALID') ? (thrown.data['issues'] as readonly { readonly setting: string; readonly message: string }[]) : [{ setting: '', message: asError(thrown).message }]
      return issues.map(({ setting, message }) => ({ level: 'error', where: `environment ${setting}`.trim(), message }))
    }
  })
}

function write(screen: Screen, app: string | null, findings: readonly Finding[], errors: number): void {
  for (const { level, where, message } of findings) {
    screen.line(`${screen.styled(level === 'error' ? 'red' : 'yellow', level)}  ${where}: ${message}`)
  }
  const warnings = findings.length - errors
  if (findings.length === 0) screen.line(`${app ?? ''}: nothing is wrong`)
  else screen.line(`\n${app ?? 'the app'}: ${errors} ${errors === 1 ? 'error' : 'errors'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`)
}
