/** Checks the app of a file: its definitions, and the settings in the environment. */
import type { App } from '../define/app.ts'
import { readConfig, type AnyConfig, type Setting } from '../define/config.ts'
import { asError, isFault } from '../kit/fault.ts'
import { checkPlan } from '../plan/check.ts'
import { planOf } from '../plan/compile.ts'
import type { Finding } from '../plan/finding.ts'
import { isForeignFault, loadApp } from './app-file.ts'

/** What a definition itself refuses is thrown as the file is loaded: then nothing else of it is known. */
export async function checkFile(
  file: string,
  withConfig: boolean,
): Promise<{ readonly app: string | null; readonly findings: readonly Finding[] }> {
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
      const issues = isFault(thrown, 'CONFIG_INVALID')
        ? (thrown.data['issues'] as readonly { readonly setting: string; readonly message: string }[])
        : [{ setting: '', message: asError(thrown).message }]
      return issues.map(({ setting, message }) => ({ level: 'error', where: `environment ${setting}`.trim(), message }))
    }
  })
}
