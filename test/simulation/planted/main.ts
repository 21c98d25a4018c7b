/**
 * The simulator's recall: each planted bug is hunted in a process of its own, and is found where a seed fails with it that
 * passes without it. Fails where one is not found in time, or can't be planted.
 *
 *   node test/simulation/planted/main.ts [--only TEXT] [--seconds 20] [--side 2]
 *   node test/simulation/planted/main.ts --unproved      hunts those that no seed is known to find
 */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cpuUsage } from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { draw } from '../draw.ts'
import { simulate } from '../simulate.ts'
import { plant, type Bug } from './bug.ts'

interface Hunted {
  readonly seed?: number
  readonly message?: string
  readonly seeds: number
  readonly seconds: number
}

interface Hunt {
  readonly list: string
  readonly bug: Bug
}

const run = promisify(execFile)
const here = fileURLToPath(new URL('./', import.meta.url))
const root = fileURLToPath(new URL('../../../', import.meta.url))
const totalSeconds = 360
/** Seeds that were run with nothing planted, and whether they pass. */
const clean = new Map<number, Promise<boolean>>()

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '20' },
    side: { type: 'string', default: '2' },
    unproved: { type: 'boolean', default: false },
  },
})
process.exitCode = await main()

async function main(): Promise<number> {
  const all = await listed()
  const hunts = all.filter(({ bug }) => (bug.unproved !== undefined) === values.unproved && bug.name.includes(values.only))
  // Those that nobody hunts must fit the text too: else they are no bugs any more.
  const stale = all.filter(({ bug }) => !plantable(bug))
  const queue = hunts.filter((one) => !stale.includes(one))
  let [spent, found] = [0, 0]
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const hunted = await hunt(next)
      spent += hunted.seconds
      if (hunted.message !== undefined) found += 1
      console.log(line(next.bug, hunted))
    }
  }
  await Promise.all(Array.from({ length: Number(values.side) }, work))
  for (const { bug } of stale) console.log(`STALE   ${bug.name}: its text does not stand exactly once in ${bug.file}`)
  const { user, system } = cpuUsage()
  spent += (user + system) / 1_000_000
  const missed = hunts.length - found
  const apart = all.length - hunts.length
  console.log(
    `${found} found, ${missed} missed, ${stale.length} stale, ${apart} not hunted; ${spent.toFixed(0)} of ${totalSeconds} s of CPU`,
  )
  return missed + stale.length === 0 && (spent <= totalSeconds || values.unproved) ? 0 : 1
}

async function listed(): Promise<readonly Hunt[]> {
  const hunts: Hunt[] = []
  for (const list of readdirSync(here).filter((file) => file.endsWith('.bugs.ts'))) {
    const { bugs } = (await import(`./${list}`)) as { readonly bugs: readonly Bug[] }
    for (const bug of bugs) hunts.push({ list, bug })
  }
  return hunts
}

function plantable(bug: Bug): boolean {
  try {
    plant(readFileSync(`${root}${bug.file}`, 'utf8'), bug)
    return true
  } catch {
    return false
  }
}

/** A seed that fails in any case finds nothing: it goes on behind it. */
async function hunt({ list, bug }: Hunt): Promise<Hunted> {
  let [seconds, seeds] = [0, 0]
  for (let from = 1; ;) {
    const hunted = await huntFrom(list, bug.name, from, Number(values.seconds) - seconds)
    seconds += hunted.seconds
    seeds += hunted.seeds
    if (hunted.seed === undefined || (await passes(hunted.seed))) return { ...hunted, seconds, seeds }
    console.log(`seed ${hunted.seed} fails with nothing planted`)
    from = hunted.seed + 1
  }
}

function passes(seed: number): Promise<boolean> {
  const known = clean.get(seed) ?? simulate(draw(seed)).then(({ failure }) => failure === undefined)
  clean.set(seed, known)
  return known
}

async function huntFrom(list: string, name: string, from: number, seconds: number): Promise<Hunted> {
  try {
    const { stdout } = await run(
      process.execPath,
      ['--conditions=millrace-source', `${here}hunt.ts`, `${here}${list}`, name, String(seconds), String(from)],
      {
        maxBuffer: 1 << 26,
        timeout: Math.ceil(seconds * 4 + 30) * 1_000,
      },
    )
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Hunted
  } catch (error) {
    // A text that does not load, or one that never comes back to the loop: the rule was not what told of it.
    const { killed, stderr } = error as { readonly killed?: boolean; readonly stderr?: string }
    console.log(`BROKEN  ${name}: ${killed === true ? 'it never ended' : String(stderr).trim().slice(-300)}`)
    return { seeds: 0, seconds: 0 }
  }
}

function line(bug: Bug, { seed, message, seconds, seeds }: Hunted): string {
  const how = message === undefined ? `MISSED  ${seeds} seeds` : `found   seed ${seed}`
  return `${how.padEnd(20)} ${seconds.toFixed(1).padStart(5)} s  ${bug.name}  [${bug.rule}]  ${message?.slice(0, 100) ?? ''}`
}
