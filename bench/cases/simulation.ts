/** Steps of the simulator a second: `npm run simulate` as it is. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { atLeast, type Bench, type Figures, type Size } from '../harness/bench.ts'

export const simulation: Bench = {
  name: 'simulation',
  title: 'simulated steps a second',
  cases: [{ name: 'simulate', run }],
  goals: (median) => atLeast('simulated steps', median('simulate', 'steps/s'), 300_000, '/s'),
}

async function run({ quick }: Size): Promise<Figures> {
  const script = join(import.meta.dirname, '..', '..', 'scripts/simulate.ts')
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--conditions=millrace-source', script, '--seed', '1', '--seeds', quick ? '5' : '2000'],
    {
      encoding: 'utf8',
    },
  )
  const [, wall, cpu] = /(\d+) steps\/s, (\d+) per second of CPU/.exec(stdout) ?? []
  if (wall === undefined || cpu === undefined) throw new Error(`the simulator says nothing of steps:\n${stdout.slice(-500)}`)
  if (status !== 0) process.stderr.write('a seed has failed: the figures are of the seeds before it\n')
  return { 'steps/s': Number(wall), 'steps/CPU s': Number(cpu) }
}
