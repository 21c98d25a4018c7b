/** Checks the app of a file: its definitions, and the settings in the environment. */
import { readConfig, type AnyConfig, type Setting } from '../define/config.ts'
import { gathering } from '../define/refusal.ts'
import { asError, isFault } from '../kit/fault.ts'
import { checkPlan } from '../plan/check.ts'
import { planOf } from '../plan/compile.ts'
import { error, type Finding } from '../plan/finding.ts'
import { isForeignFault, loadApp } from './app-file.ts'

/** What definitions refuse of themselves is told beside what the plan of them shows, as far as there is one. */
export async function checkFile(
  file: string,
  withConfig: boolean,
): Promise<{ readonly app: string | null; readonly findings: readonly Finding[] }> {
  const { loaded, refusals } = await gathering(() => loadApp(file))
  const refused = refusals.map((refusal) => findingOf(file, refusal))
  if (loaded.status === 'fulfilled') {
    const plan = planOf(loaded.value)
    const planned = [...checkPlan(plan), ...(withConfig ? settings(plan.configs, plan.settings) : [])]
    return { app: loaded.value.name, findings: [...refused, ...planned] }
  }
  const thrown: unknown = loaded.reason
  if (!isFault(thrown) && !isForeignFault(thrown)) throw thrown
  // That there is no app in it is no finding about an app, but what an app was refused for is.
  if (thrown.code === 'APP_FILE_INVALID' && refused.length === 0) throw thrown
  return { app: null, findings: [...refused, findingOf(file, thrown)] }
}

/** Of the definition that its fault names, else of the file. */
function findingOf(file: string, refusal: Error): Finding {
  const [, code = '', message = refusal.message] = /^([A-Z_]+): (.*)$/s.exec(refusal.message) ?? []
  const data: unknown = 'data' in refusal ? refusal.data : undefined
  const given: unknown = typeof data === 'object' && data !== null && 'what' in data ? data.what : undefined
  const what = given ?? /^(?:fn|projection) [^:]+/.exec(message)?.[0]
  if (typeof what === 'string' && message.startsWith(`${what}: `)) return error(what, message.slice(what.length + 2))
  return error(file, code === '' ? message : `${code}: ${message}`)
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
