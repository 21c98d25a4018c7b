/**
 * Kills and power cuts on SQLite, for both ways of flushing side by side: `npm run crash -- --ci`.
 *
 *   --kills N      SIGKILL under full load        --states N   states after a power cut (needs strace)
 *   --seed S       else one from the clock        --only pool  one way of flushing: inline or pool
 *   --ci           100 kills and 1,000 states
 *
 * Nothing is left behind, but where it is red: then it says where the files are that prove it, in the system's folder for temporary ones.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { crashShare, sayOfSlowDisk } from '../test/crash/crash-share.ts'

const { values } = parseArgs({
  options: {
    ci: { type: 'boolean', default: false },
    kills: { type: 'string' },
    states: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
})

const seed = Number(values.seed ?? (values.ci ? 1 : Date.now() % 1_000_000))
const counts = { kills: Number(values.kills ?? (values.ci ? 100 : 20)), states: Number(values.states ?? (values.ci ? 1_000 : 200)) }
/** A large run has states of 30 MB: they take their time. */
const largeShare = 0.06

// What ends by a signal by itself leaves its folders.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => process.exit(code))

process.exitCode = values.only === 'inline' || values.only === 'pool' ? await share(values.only) : await both()

async function both(): Promise<number> {
  const beganMs = performance.now()
  const kills = Math.ceil(counts.kills / 2)
  const states = Math.ceil(counts.states / 2)
  const codes = await Promise.all(
    ['inline', 'pool'].map((only) => again(['--only', only, '--kills', `${kills}`, '--states', `${states}`, '--seed', `${seed}`])),
  )
  await sayOfSlowDisk(say)
  const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1)
  const red = codes.some((code) => code !== 0)
  say(`${red ? 'RED: ' : ''}${2 * kills} kills and ${2 * states} states from seed ${seed} in ${seconds} s`)
  return red ? 1 : 0
}

function again(line: readonly string[]): Promise<number | null> {
  const running = spawn(process.execPath, ['--conditions=millrace-source', fileURLToPath(import.meta.url), ...line], { stdio: 'inherit' })
  return new Promise((resolve) => running.once('close', resolve))
}

async function share(flush: 'inline' | 'pool'): Promise<number> {
  const beganMs = performance.now()
  const timed = (line: string): void => say(`${((performance.now() - beganMs) / 1_000).toFixed(1).padStart(7)} s  ${line}`)
  const complaints = await crashShare({ flush, seed, ...counts, largeStates: Math.round(counts.states * largeShare), say: timed })
  for (const complaint of complaints) say(complaint)
  if (complaints.length > 0) say(`again: npm run crash -- --only ${flush} --seed ${seed} --kills ${counts.kills} --states ${counts.states}`)
  return complaints.length === 0 ? 0 : 1
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
