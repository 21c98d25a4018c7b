/**
 * The simulator's recall: each planted bug is hunted in a process of its own. Fails where one is not found in time, or can't be planted.
 *
 *   node test/simulation/planted/main.ts [--only TEXT] [--seconds 20] [--side 2]
 */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { plant, type Bug } from './bug.ts'

interface Hunted {
  readonly seed?: number
  readonly message?: string
  readonly seeds: number
  readonly seconds: number
}

const run = promisify(execFile)
const here = fileURLToPath(new URL('./', import.meta.url))
const root = fileURLToPath(new URL('../../../', import.meta.url))
const totalSeconds = 360

const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, seconds: { type: 'string', default: '20' }, side: { type: 'string', default: '2' } },
})
process.exitCode = await main()

async function main(): Promise<number> {
  const lists = readdirSync(here).filter((file) => file.endsWith('.bugs.ts'))
  const hunts: { readonly list: string; readonly bug: Bug }[] = []
  for (const list of lists) {
    const { bugs } = (await import(`./${list}`)) as { readonly bugs: readonly Bug[] }
    for (const bug of bugs) if (bug.name.includes(values.only)) hunts.push({ list, bug })
  }
  const stale = hunts.filter(({ bug }) => !plantable(bug))
  const clean = await hunt(`${here}${lists[0] ?? ''}`, '')
  if (clean.message !== undefined) {
    console.log(`seed ${clean.seed} fails with nothing planted: ${clean.message}`)
    return 1
  }
  const queue = hunts.filter((one) => !stale.includes(one))
  let spent = clean.seconds
  let missed = 0
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const found = await hunt(`${here}${next.list}`, next.bug.name)
      spent += found.seconds
      if (found.message === undefined) missed += 1
      console.log(line(next.bug, found))
    }
  }
  await Promise.all(Array.from({ length: Number(values.side) }, work))
  for (const { bug } of stale) console.log(`STALE   ${bug.name}: its text does not stand exactly once in ${bug.file}`)
  const late = spent > totalSeconds
  console.log(
    `${hunts.length} bugs, ${missed} not found, ${stale.length} out of date, ${spent.toFixed(0)} of at most ${totalSeconds} s of CPU`,
  )
  return missed + stale.length === 0 && !late ? 0 : 1
}

function plantable(bug: Bug): boolean {
  try {
    plant(readFileSync(`${root}${bug.file}`, 'utf8'), bug)
    return true
  } catch {
    return false
  }
}

async function hunt(list: string, name: string): Promise<Hunted> {
  const seconds = name === '' ? '3' : values.seconds
  try {
    const { stdout } = await run(process.execPath, ['--conditions=source', `${here}hunt.ts`, list, name, seconds], {
      maxBuffer: 1 << 26,
      timeout: (Number(seconds) * 4 + 30) * 1_000,
    })
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Hunted
  } catch (error) {
    // A text that does not load, or one that never comes back to the loop: the rule was not what told of it.
    const why =
      (error as { readonly killed?: boolean }).killed === true
        ? 'it never ended'
        : String((error as { readonly stderr?: string }).stderr)
            .trim()
            .slice(-300)
    console.log(`BROKEN  ${name}: ${why}`)
    return { seeds: 0, seconds: 0 }
  }
}

function line(bug: Bug, { seed, message, seconds, seeds }: Hunted): string {
  const how = message === undefined ? `MISSED  ${seeds} seeds` : `found   seed ${seed}`
  return `${how.padEnd(20)} ${seconds.toFixed(1).padStart(5)} s  ${bug.name}  [${bug.rule}]  ${message?.slice(0, 100) ?? ''}`
}
