/**
 * `npm run bench -- [name…] [--quick] [--rounds N] [--only TEXT]`: each case of a bench in a fresh process, by turns,
 * and the medians held against what was wanted.
 * `--quick` shows with small numbers that all of it works. `MILLRACE_BENCH_FOLDER` says which disk is measured.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { benches } from './all.ts'
import { round, type Bench, type Case, type Figures } from './harness/bench.ts'
import { limitsLine, machineLine } from './harness/machine.ts'
import { startServers } from './rivals/servers.ts'

const { values: given, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const rounds = Number(given.rounds ?? (given.quick ? 1 : 5))
const unknown = names.filter((name) => !benches.some((bench) => bench.name === name))

if (given.help || unknown.length > 0) {
  if (unknown.length > 0) process.stderr.write(`there is no bench ${unknown.join(', ')}\n`)
  process.stdout.write(['npm run bench -- [name…] [--quick] [--rounds N] [--only TEXT]', ...benches.map(lineFor), ''].join('\n'))
  process.exitCode = given.help ? 0 : 2
} else process.exitCode = await main(benches.filter(({ name }) => names.length === 0 || names.includes(name)))

async function main(chosen: readonly Bench[]): Promise<number> {
  const place = resolve(process.env['MILLRACE_BENCH_FOLDER'] ?? import.meta.dirname)
  const folder = mkdtempSync(join(place, '.bench-'))
  const stop = await startServers(folder)
  try {
    let failed = 0
    for (const bench of chosen) failed += await runBench(bench, folder)
    return failed === 0 ? 0 : 1
  } finally {
    stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}

/** How many runs failed. A goal that is not met fails nothing: a figure is no test. */
async function runBench(bench: Bench, all: string): Promise<number> {
  const folder = join(all, bench.name)
  mkdirSync(folder)
  say(
    `\n## ${bench.name}: ${bench.title}${given.quick ? ' (quick: the figures mean nothing)' : ''}\n${machineLine()}\n${limitsLine(folder)}`,
  )
  const cases = bench.cases.filter(({ name }) => given.only === undefined || name.includes(given.only))
  const runnable = cases.filter((one) => told(one.name, one.missing?.()))
  if (bench.prepare !== undefined && (await fresh(bench, '', folder)) === undefined) return 1
  const runs = new Map<string, Figures[]>(runnable.map(({ name }) => [name, []]))
  let failed = 0
  for (let at = 0; at < rounds; at++) {
    for (const { name, flags } of runnable) {
      const figures = await fresh(bench, name, folder, flags)
      if (figures === undefined) failed += 1
      else runs.get(name)?.push(figures)
    }
  }
  for (const [name, figures] of runs) say(`${name.padEnd(24)} ${lineOf(figures)}`)
  const medians = (name: string, figure: string): number => median((runs.get(name) ?? []).map((one) => one[figure] ?? Number.NaN))
  for (const { says, met } of bench.goals(medians)) say(`${met ? '  ok' : 'MISS'}  ${says}`)
  say(`${limitsLine(folder)}, at the end`)
  rmSync(folder, { recursive: true, force: true })
  return failed
}

function told(name: Case['name'], missing: string | undefined): boolean {
  if (missing !== undefined) say(`${name.padEnd(24)} skipped: ${missing}`)
  return missing === undefined
}

/** Medians, each with its least and most. */
function lineOf(runs: readonly Figures[]): string {
  const names = [...new Set(runs.flatMap((one) => Object.keys(one)))]
  return names
    .map((name) => {
      const values = runs.map((one) => one[name] ?? Number.NaN)
      const spread = runs.length > 1 ? ` (${round(Math.min(...values))}-${round(Math.max(...values))})` : ''
      return `${round(median(values))} ${name}${spread}`
    })
    .join('  ')
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

/** A process of its own in a folder of its own; for `prepare` in the bench's. */
async function fresh(bench: Bench, name: string, folder: string, flags: readonly string[] = []): Promise<Figures | undefined> {
  const own = bench.prepare === undefined && name !== '' ? mkdtempSync(join(folder, 'run-')) : folder
  const line = [
    ...flags,
    '--conditions=millrace-source',
    join(import.meta.dirname, 'one-run.ts'),
    bench.name,
    name,
    own,
    given.quick ? 'quick' : 'full',
  ]
  const child = spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  await new Promise((ended) => child.on('close', ended))
  if (own !== folder) rmSync(own, { recursive: true, force: true })
  const found = /^FIGURES (.*)$/m.exec(printed)?.[1]
  if (found !== undefined) return JSON.parse(found) as Figures
  say(`${bench.name} ${name}: failed${printed === '' ? '' : `\n${printed}`}`)
  return undefined
}

function lineFor({ name, title }: Bench): string {
  return `  ${name.padEnd(12)} ${title}`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
