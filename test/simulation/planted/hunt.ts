/**
 * Plants one bug in this process, and runs seeds from FROM on, until it is found or the time is over: `node hunt.ts
 * LIST NAME SECONDS FROM`.
 */
import { registerHooks } from 'node:module'
import { cpuUsage } from 'node:process'
import { pathToFileURL } from 'node:url'
import { plant, type Bug } from './bug.ts'

const [list = '', name = '', seconds = '20', from = '1'] = process.argv.slice(2)
const root = new URL('../../../', import.meta.url)
const { bugs } = (await import(pathToFileURL(list).href)) as { readonly bugs: readonly Bug[] }
const bug = bugs.find((one) => one.name === name)
if (bug === undefined) throw new RangeError(`${list} has no bug '${name}'`)

let planted = false
const target = new URL(bug.file, root).href
registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (url !== target || loaded.source === undefined || loaded.source === null) return loaded
    const text = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
    planted = true
    return { ...loaded, source: plant(text, bug) }
  },
})

const { runSeeds } = await import('../runner.ts')
const before = cpuUsage()
const usedS = (): number => {
  const { user, system } = cpuUsage(before)
  return (user + system) / 1_000_000
}
const ran = await runSeeds({
  seed: Number(from),
  seeds: Number.POSITIVE_INFINITY,
  simulatedMs: Number.POSITIVE_INFINITY,
  enough: () => usedS() >= Number(seconds),
  shrinkRuns: 0,
  say: () => undefined,
})
if (!planted) throw new Error(`${bug.file} is never loaded`)
console.log(JSON.stringify({ seed: ran.failed?.seed, message: ran.failed?.failure.message, seeds: ran.seeds, seconds: usedS() }))
