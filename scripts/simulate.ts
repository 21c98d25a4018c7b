/**
 * The simulator's command: `npm run simulate -- --seed 1 --minutes 5`. Its last line is the trace's hash, the same for the same seed.
 *
 *   --seed N       the first seed (else one from the clock)
 *   --seeds K      how many                       --minutes M   how much simulated time
 *   --for 30s      how much wall time             --log         the story of one seed
 *   --ci           8,000 seeds, and the coverage must be full
 */
import { parseArgs } from 'node:util'
import { runSeeds, seedOf, story } from '../test/simulation/runner.ts'

const ciSeeds = 8_000
const ciLeast = 100

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    minutes: { type: 'string' },
    for: { type: 'string' },
    ci: { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
  },
})

const seed = values.seed === undefined ? (values.ci ? 1 : seedOf(Date.now())) : Number(values.seed)
if (values.log) for (const line of await story(seed)) console.log(line)
else process.exitCode = await main()

async function main(): Promise<number> {
  const startedMs = performance.now()
  const wallMs = values.for === undefined ? Number.POSITIVE_INFINITY : wall(values.for)
  const bounded = values.minutes !== undefined || values.for !== undefined
  const ran = await runSeeds({
    seed,
    seeds: values.seeds === undefined ? (bounded ? Number.POSITIVE_INFINITY : values.ci ? ciSeeds : 200) : Number(values.seeds),
    simulatedMs: values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes) * 60_000,
    enough: () => performance.now() - startedMs >= wallMs,
    shrinkRuns: 600,
    say: (line) => console.log(line),
  })
  const seconds = (performance.now() - startedMs) / 1_000
  console.log(ran.coverage.table())
  const short = ran.failed === undefined && values.ci ? ran.coverage.short(ciLeast) : []
  if (short.length > 0) console.log(`hit less than ${ciLeast} times: ${short.join(', ')}`)
  const { user, system } = process.cpuUsage()
  const cpuSeconds = (user + system) / 1_000_000
  const minutes = (ran.simulatedMs / 60_000).toFixed(1)
  console.log(
    `${ran.seeds} seeds from ${seed}, ${minutes} simulated minutes, ${ran.events} events, ${ran.steps} steps in ${seconds.toFixed(1)} s`,
  )
  console.log(`${Math.round(ran.steps / seconds)} steps/s, ${Math.round(ran.steps / cpuSeconds)} per second of CPU`)
  console.log(`trace hash ${ran.trace}`)
  return ran.failed === undefined && short.length === 0 ? 0 : 1
}

function wall(text: string): number {
  const [, digits, unit] = /^(\d+)(s|m)$/.exec(text) ?? []
  if (digits === undefined) throw new RangeError(`--for takes 30s or 5m, not ${text}`)
  return Number(digits) * (unit === 'm' ? 60_000 : 1_000)
}
