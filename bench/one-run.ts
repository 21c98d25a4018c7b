/** One case, once, in this fresh process; its figures are the last line. Started by `bench/main.ts`. */
import { benches } from './all.ts'

const [benchName, caseName, folder = '.', how] = process.argv.slice(2)
const bench = benches.find(({ name }) => name === benchName)
const size = { quick: how === 'quick', folder }
if (bench === undefined) throw new RangeError(`there is no bench ${benchName}`)
const one = bench.cases.find(({ name }) => name === caseName)
if (caseName === '' && bench.prepare !== undefined) await bench.prepare(size)
else if (one !== undefined) process.stdout.write(`\nFIGURES ${JSON.stringify(await one.run(size))}\n`)
else throw new RangeError(`${benchName} has no case ${caseName}`)
process.exit(0)
