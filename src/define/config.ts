/** Settings from the environment: validated before anything starts; what is named in `secret` is never logged. */
import { validate, type Issue, type OutputOf, type Schema } from '../contracts/schema.ts'
import { fault, isFault } from '../kit/fault.ts'
import { define, onlyKnown } from './definition.ts'
import type { Resource } from './resource.ts'

export interface Config<Values> extends Resource<Values> {
  readonly kind: 'config'
  readonly schema: Schema<Values>
  readonly secret: readonly string[]
  /** One of the settings, as a resource of its own. */
  pick<K extends keyof Values & string>(setting: K): Resource<Values[K]>
}

export interface ConfigOptions<Values> {
  readonly secret?: readonly (keyof Values & string)[]
}

/** A config of whatever settings: what the runtime reads. */
export interface AnyConfig extends Resource<unknown> {
  readonly kind: 'config'
  readonly schema: Schema
  readonly secret: readonly string[]
}

export interface Setting extends Resource<unknown> {
  readonly kind: 'setting'
  readonly of: AnyConfig
}

export type Env = Readonly<Record<string, string | undefined>>

export function config<S extends Schema>(schema: S, options: ConfigOptions<OutputOf<S>> = {}): Config<OutputOf<S>> {
  onlyKnown('config', options, ['secret'])
  const settings: Config<OutputOf<S>> = define('config', 'config', {
    schema,
    secret: options.secret ?? [],
    pick: (name: string) => define<Setting>('setting', name, { of: settings }),
  })
  return settings
}

/**
 * The settings, or the fault CONFIG_INVALID that names each variable and what is wrong with it.
 * An empty variable counts as absent; the value of a secret is never told.
 */
export function readConfig(of: AnyConfig, env: Env): unknown {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  try {
    return validate(of.schema, present, 'config')
  } catch (error) {
    if (!isFault(error, 'VALIDATION_FAILED')) throw error
    const issues = (error.data['issues'] as readonly Issue[]).map(({ path, message }) => ({
      setting: path.slice(1),
      message: hush(message, of, present),
    }))
    throw fault('CONFIG_INVALID', issues.map(({ setting, message }) => `${setting}: ${message}`).join('; '), { issues })
  }
}

/** Some libraries quote what they refuse. */
function hush(message: string, of: AnyConfig, env: Env): string {
  return of.secret.reduce((text, name) => (env[name] === undefined ? text : text.replaceAll(env[name], '***')), message)
}
