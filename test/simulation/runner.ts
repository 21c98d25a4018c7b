/** Runs seed after seed until enough, or until one fails: what `npm run simulate` does. */
import { randomOf, textHash } from '../../src/testing/sim-random.ts'
import { Coverage } from './coverage.ts'
import { draw } from './draw.ts'
import { simulate } from './simulate.ts'
import { asTest, shrink } from './shrink.ts'

export interface RunnerOptions {
  readonly seed: number
  /** Ends after so many seeds, … */
  readonly seeds: number
  /** … so much simulated time, … */
  readonly simulatedMs: number
  /** … or when this says so. */
  enough(): boolean
  readonly shrinkRuns: number
  say(line: string): void
}

export interface Ran {
  readonly seeds: number
  readonly steps: number
  readonly simulatedMs: number
  readonly events: number
  readonly trace: string
  readonly coverage: Coverage
  readonly failed: { readonly seed: number; readonly failure: Error } | undefined
}

export async function runSeeds(options: RunnerOptions): Promise<Ran> {
  const coverage = new Coverage()
  let [seeds, steps, simulatedMs, events] = [0, 0, 0, 0]
  let trace = textHash(`from ${options.seed}`)
  let failed: Ran['failed']
  while (failed === undefined && seeds < options.seeds && simulatedMs < options.simulatedMs && !options.enough()) {
    const seed = options.seed + seeds
    const outcome = await simulate(draw(seed))
    seeds += 1
    steps += outcome.steps
    simulatedMs += outcome.simulatedMs
    events += outcome.events
    trace = textHash(outcome.trace, trace)
    coverage.add(outcome.coverage)
    if (outcome.failure !== undefined) failed = { seed, failure: outcome.failure }
  }
  if (failed !== undefined) await tell(failed, options)
  return { seeds, steps, simulatedMs, events, trace: trace.toString(16).padStart(8, '0'), coverage, failed }
}

async function tell({ seed, failure }: { readonly seed: number; readonly failure: Error }, options: RunnerOptions): Promise<void> {
  options.say(`seed ${seed} fails: ${failure.message}`)
  if (failure.name !== 'Violation') options.say((await simulate(draw(seed), [])).failure?.stack ?? '')
  if (options.shrinkRuns <= 0) return
  const shrunk = await shrink(draw(seed), failure, { runs: options.shrinkRuns, over: () => false })
  options.say(`\nafter ${shrunk.runs} runs, as a test:\n\n${asTest(shrunk)}\n`)
}

/** The story of one seed, line by line. */
export async function story(seed: number): Promise<readonly string[]> {
  const log: string[] = []
  const { failure } = await simulate(draw(seed), log)
  return failure === undefined ? log : [...log, failure.message]
}

/** A seed that nobody chose, from what the clock says. */
export function seedOf(nowMs: number): number {
  return randomOf(nowMs, 'seed').below(1_000_000_000)
}
