/**
 * What takes too long for every change: `npm run soak`. It goes on after a part that is red, and is red then itself.
 *
 *   --share 0.01   of all of it, to see that it runs       --seed S   else one from the clock
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { share: { type: 'string', default: '1' }, seed: { type: 'string' } } })

interface Part {
  readonly name: string
  readonly script: string
  readonly line: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

const seed = values.seed ?? `${Date.now() % 1_000_000}`
const share = Number(values.share)
const of = (count: number): string => `${Math.max(1, Math.round(count * share))}`

const parts: readonly Part[] = [
  { name: 'crashes and power cuts', script: 'crash.ts', line: ['--kills', of(1_000), '--states', of(10_000), '--seed', seed] },
  { name: 'simulation', script: 'simulate.ts', line: ['--for', `${of(1_800)}s`, '--seed', seed] },
  {
    name: 'differential',
    script: 'test.ts',
    line: ['--only=differential', '--budget=7200', '--file-seconds=7200'],
    environment: { MILLRACE_DIFFERENTIAL: of(5_000_000) },
  },
]

process.exitCode = await soak()

async function soak(): Promise<number> {
  const said: string[] = []
  for (const part of parts) {
    process.stdout.write(`\n== ${part.name}\n`)
    const beganMs = performance.now()
    const code = await run(part)
    said.push(`${((performance.now() - beganMs) / 1_000).toFixed(1).padStart(8)} s  ${part.name}${code === 0 ? '' : ' RED'}`)
  }
  process.stdout.write(`\n== seed ${seed}\n${said.join('\n')}\n`)
  return said.some((line) => line.endsWith('RED')) ? 1 : 0
}

function run({ script, line, environment = {} }: Part): Promise<number | null> {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const running = spawn(process.execPath, ['--conditions=millrace-source', path, ...line], {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  })
  return new Promise((resolve) => running.once('close', resolve))
}
