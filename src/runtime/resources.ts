/** What handlers need from outside: opened in the order of their needs, closed the other way round. */
import { readConfig, type AnyConfig, type Env, type Setting } from '../define/config.ts'
import type { AnyResource, Replacement, Resource } from '../define/resource.ts'
import { asError, fault } from '../kit/fault.ts'
import type { Plan } from '../plan/plan.ts'

export interface Opened {
  use<T>(resource: Resource<T>): T
  close(): Promise<void>
}

export async function openResources(plan: Plan, env: Env, replaced: readonly Replacement[]): Promise<Opened> {
  const opening = new Opening(plan, env, replaced)
  try {
    for (const config of plan.configs) opening.config(config)
    for (const resource of plan.resources) await opening.resource(resource, [])
  } catch (thrown) {
    await opening.close()
    throw thrown
  }
  return opening
}

/** Before anything is opened: the settings, or the fault that says what is wrong with them. */
export function checkSettings(plan: Plan, env: Env, replaced: readonly Replacement[]): void {
  for (const config of plan.configs) if (!replaced.some(({ resource }) => resource === config)) readConfig(config, env)
}

class Opening implements Opened {
  readonly #env: Env
  readonly #listed: ReadonlySet<Resource<unknown>>
  readonly #values = new Map<Resource<unknown>, unknown>()
  readonly #toClose: (() => void | Promise<void>)[] = []

  constructor(plan: Plan, env: Env, replaced: readonly Replacement[]) {
    this.#env = env
    this.#listed = new Set<Resource<unknown>>([...plan.resources, ...plan.configs])
    for (const { resource, value } of replaced) this.#values.set(resource, value)
  }

  /** One that is replaced must be listed, too: the test would pass, and the app fail. */
  use<T>(resource: Resource<T>): T {
    if (isSetting(resource)) return this.#setting(resource) as T
    if (this.#listed.has(resource) && this.#values.has(resource)) return this.#values.get(resource) as T
    throw fault('RESOURCE_NOT_LISTED', `${resource.kind} ${resource.name}`, { resource: resource.name })
  }

  config(config: AnyConfig): void {
    if (!this.#values.has(config)) this.#values.set(config, readConfig(config, this.#env))
  }

  async resource(resource: AnyResource, asked: readonly AnyResource[]): Promise<unknown> {
    if (this.#values.has(resource)) return this.#values.get(resource)
    const path = [...asked, resource]
    if (asked.includes(resource))
      throw fault('RESOURCE_FAILED', `${path.map(({ name }) => name).join(' needs ')}`, { resource: resource.name })
    const given: Record<string, unknown> = {}
    for (const [name, need] of Object.entries(resource.needs)) given[name] = await this.#need(need, path)
    const value = await this.#open(resource, given)
    this.#values.set(resource, value)
    if (resource.close !== undefined) this.#toClose.unshift(() => resource.close?.(value))
    return value
  }

  /** What fails to close does not keep the rest open. */
  async close(): Promise<void> {
    for (const close of this.#toClose.splice(0)) {
      try {
        await close()
      } catch {
        // It is on its way out: there is nobody left to tell.
        continue
      }
    }
  }

  async #need(need: Resource<unknown>, path: readonly AnyResource[]): Promise<unknown> {
    if (isSetting(need)) return this.#setting(need)
    if (!this.#listed.has(need)) throw fault('RESOURCE_NOT_LISTED', `${need.kind} ${need.name}`, { resource: need.name })
    return need.kind === 'resource' ? this.resource(need as AnyResource, path) : this.#values.get(need)
  }

  /** A setting's config need not be listed: naming the setting is enough. */
  #setting(setting: Setting): unknown {
    if (this.#values.has(setting)) return this.#values.get(setting)
    this.config(setting.of)
    const values = this.#values.get(setting.of) as Readonly<Record<string, unknown>>
    return values[setting.name]
  }

  async #open(resource: AnyResource, given: Readonly<Record<string, unknown>>): Promise<unknown> {
    try {
      return await resource.open(given)
    } catch (thrown) {
      throw fault('RESOURCE_FAILED', `${resource.name}: ${asError(thrown).message}`, { resource: resource.name }, thrown)
    }
  }
}

function isSetting(resource: Resource<unknown>): resource is Setting {
  return resource.kind === 'setting'
}
