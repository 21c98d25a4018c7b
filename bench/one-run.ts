/**
 * One case, once, in this fresh process; its figures are the last line. It ends as by kill -9, so nothing is left to be
 * closed. Started by `bench/main.ts`.
 */
import { writeSync } from 'node:fs'
import { benches } from './all.ts'

const [benchName, caseName, folder = '.', how] = process.argv.slice(2)
const bench = benches.find(({ name }) => name === benchName)
const size = { quick: how === 'quick', folder }
if (bench === undefined) throw new RangeError(`there is no bench ${benchName}`)
const one = bench.cases.find(({ name }) => name === caseName)
if (caseName === '' && bench.prepare !== undefined) await bench.prepare(size)
else if (one === undefined) throw new RangeError(`${benchName} has no case ${caseName}`)
const figures = one === undefined ? {} : await one.run(size)
writeSync(1, `\nFIGURES ${JSON.stringify(figures)}\n`)
if (process.execArgv.some((flag) => flag.includes('prof'))) process.exit()
process.kill(process.pid, 'SIGKILL')
