/**
 * Makes a failing schedule smaller as long as the same rule breaks: fewer faults, acts, events, subscriptions and
 * runtimes, and a clearer sky.
 */
import type { Call, Fact, Schedule } from './schedule.ts'
import { simulate } from './simulate.ts'
import { ruleOf } from './violation.ts'

export interface Shrunk {
  readonly schedule: Schedule
  readonly failure: Error
  readonly runs: number
}

export async function shrink(schedule: Schedule, failure: Error, budget: { readonly runs: number; over(): boolean }): Promise<Shrunk> {
  const shrinker = new Shrinker(schedule, failure, budget)
  let size = Number.POSITIVE_INFINITY
  while (sizeOf(shrinker.schedule) < size && !shrinker.over) {
    size = sizeOf(shrinker.schedule)
    await shrinker.round()
  }
  return { schedule: shrinker.schedule, failure: shrinker.failure, runs: shrinker.runs }
}

/** To be put into a test file as it is. */
export function asTest({ schedule, failure }: Shrunk): string {
  const title = `given a shrunk schedule of seed ${schedule.seed}, when it runs, then ${ruleOf(failure)} holds`
  return [
    `// ${failure.message.replaceAll('\n', ' ')}`,
    `test(${JSON.stringify(title)}, async () => {`,
    `  const schedule: Schedule = ${JSON.stringify(schedule)}`,
    '  assert.equal((await simulate(schedule)).failure, undefined)',
    '})',
  ].join('\n')
}

class Shrinker {
  schedule: Schedule
  failure: Error
  runs = 0
  readonly #rule: string
  readonly #budget: { readonly runs: number; over(): boolean }

  constructor(schedule: Schedule, failure: Error, budget: { readonly runs: number; over(): boolean }) {
    this.schedule = schedule
    this.failure = failure
    this.#rule = ruleOf(failure)
    this.#budget = budget
  }

  get over(): boolean {
    return this.runs >= this.#budget.runs || this.#budget.over()
  }

  async round(): Promise<void> {
    await this.#list('faults', (faults) => ({ ...this.schedule, faults }))
    await this.#list('acts', (acts) => ({ ...this.schedule, acts }))
    await this.#list('calls', (calls) => ({ ...this.schedule, calls }))
    await this.#list('subscriptions', (subscriptions) => withSubscriptions(this.schedule, subscriptions))
    await this.#list('runtimes', (runtimes) => (runtimes.length === 0 ? undefined : { ...this.schedule, runtimes }))
    await this.#plainer()
    await this.#doings()
  }

  /** Takes away halves, quarters, … of a list, as long as it still fails. */
  async #list<K extends 'faults' | 'acts' | 'calls' | 'subscriptions' | 'runtimes'>(
    of: K,
    make: (kept: Schedule[K]) => Schedule | undefined,
  ): Promise<void> {
    for (let chunk = Math.ceil(this.schedule[of].length / 2); chunk >= 1; chunk = Math.floor(chunk / 2)) {
      for (let at = 0; at < this.schedule[of].length && !this.over;) {
        const kept = [...this.schedule[of].slice(0, at), ...this.schedule[of].slice(at + chunk)] as unknown as Schedule[K]
        const candidate = make(kept)
        if (candidate === undefined || !(await this.#fails(candidate))) at += chunk
      }
    }
  }

  async #plainer(): Promise<void> {
    const { sky } = this.schedule
    const plainer: Partial<Schedule>[] = [
      { repair: false },
      { sky: { ...sky, tail: 0 } },
      { sky: { ...sky, lateWaits: 0 } },
      { sky: { ...sky, hints: { late: 0, lost: 0, false: 0 } } },
      { sky: { ...sky, storeSkewMs: 0 } },
      { sky: { ...sky, wayUs: 200, flushUs: 1_000 } },
      { liveMs: Math.floor(this.schedule.liveMs / 2) },
      { runtimes: this.schedule.runtimes.map((runtime) => ({ ...runtime, skewMs: 0 })) },
    ]
    for (const part of plainer) {
      const candidate = {
        ...this.schedule,
        ...part,
        ...(part.sky === undefined ? {} : { sky: { ...this.schedule.sky, ...changed(sky, part.sky) } }),
      }
      if (!this.over && JSON.stringify(candidate) !== JSON.stringify(this.schedule)) await this.#fails(candidate)
    }
  }

  /** Facts of one call, and what handlers do with them. */
  async #doings(): Promise<void> {
    for (const [at, call] of this.schedule.calls.entries()) {
      for (const fact of call.facts) {
        for (const name of Object.keys(fact.doings)) {
          if (this.over) return
          const { [name]: _, ...doings } = fact.doings
          await this.#fails(withFact(this.schedule, at, { ...fact, doings }))
        }
      }
    }
  }

  async #fails(candidate: Schedule): Promise<boolean> {
    this.runs += 1
    const { failure } = await simulate(candidate)
    if (failure === undefined || ruleOf(failure) !== this.#rule) return false
    this.schedule = candidate
    this.failure = failure
    return true
  }
}

function withSubscriptions(schedule: Schedule, subscriptions: Schedule['subscriptions']): Schedule | undefined {
  if (subscriptions.length === 0) return undefined
  const names = new Set(subscriptions.map(({ name }) => name))
  return { ...schedule, subscriptions, acts: schedule.acts.filter(({ subscription }) => names.has(subscription)) }
}

/** A fact that is called twice stays one. */
function withFact(schedule: Schedule, _at: number, fact: Fact): Schedule {
  const replaced = (call: Call): Call =>
    call.facts.some(({ id }) => id === fact.id) ? { ...call, facts: call.facts.map((one) => (one.id === fact.id ? fact : one)) } : call
  return { ...schedule, calls: schedule.calls.map(replaced) }
}

function changed<T extends object>(before: T, next: T): Partial<T> {
  return Object.fromEntries(Object.entries(next).filter(([key, value]) => before[key as keyof T] !== value)) as Partial<T>
}

function sizeOf({ faults, acts, calls, subscriptions, runtimes }: Schedule): number {
  return faults.length + acts.length + calls.length + subscriptions.length + runtimes.length
}
