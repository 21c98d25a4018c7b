/** Kills a process under full load at moments of chance, over and over, and compares what it left with what it had acknowledged. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { FlushMode } from '../../src/stores/sqlite-flush.ts'
import { randomOf, type Random } from '../../src/testing/sim-random.ts'
import type { Life } from './counting-app.ts'
import { environmentOf, lineOf } from './counting-life.ts'
import { judge, startedAgain } from './judge.ts'
import { runFolder } from './run-folder.ts'
import { type Snapshot, snapshotOf } from './store-snapshot.ts'

export interface KillOptions {
  readonly seed: number
  readonly kills: number
  readonly flush: FlushMode
  /** How many of them one file goes through. */
  readonly perFile?: number
  readonly say?: (line: string) => void
}

export interface KillReport {
  readonly kills: number
  readonly files: number
  readonly events: number
  readonly acknowledged: number
  readonly complaints: readonly string[]
}

const stuckMs = 60_000
const loops = 24
const textBytes = 300

export async function runKills({ seed, kills, flush, perFile = 10, say = () => {} }: KillOptions): Promise<KillReport> {
  const total = { kills: 0, files: 0, events: 0, acknowledged: 0, complaints: [] as string[] }
  while (total.kills < kills && total.complaints.length === 0) {
    const random = randomOf(seed, `kills ${flush} ${total.files}`)
    const one = await oneFile(random, Math.min(perFile, kills - total.kills), flush)
    total.kills += one.kills
    total.files += 1
    total.events += one.events
    total.acknowledged += one.acknowledged
    total.complaints.push(...one.complaints.map((complaint) => `seed ${seed}, flush ${flush}, file ${total.files}: ${complaint}`))
    say(`kills, flush ${flush}: ${total.kills} of ${kills}, ${total.acknowledged} acknowledged, ${total.events} events`)
  }
  return total
}

async function oneFile(random: Random, kills: number, flush: FlushMode): Promise<Omit<KillReport, 'files'>> {
  using folder = runFolder('kills')
  const path = join(folder.path, 'store.db')
  const lanes = random.pick([1, 4])
  const acknowledged: number[][] = []
  let before: Snapshot | undefined
  let done = 0
  for (let life = 0; ; life++) {
    const last = life === kills
    const again = life === 0 ? [] : (acknowledged[life - 1] ?? []).map((n) => n + 1)
    const told = await liveAndDie(
      { path, life, flush, lanes, loops, publishes: last ? 1 : 0, textBytes, again },
      last ? undefined : random.tail(30, 250, 0.4),
    )
    acknowledged[life] = Array.from({ length: loops }, () => -1)
    for (const [of, loop, n] of told.acknowledged) (acknowledged[of] ??= [])[loop] = n
    const snapshot = look(path)
    const complaints = [...told.complaints, ...judge(snapshot, { acknowledged, textBytes, complete: last })]
    if (before !== undefined) complaints.push(...startedAgain(before, told.starts))
    if (before !== undefined && before.incarnation !== snapshot.incarnation) complaints.push('it has become another incarnation')
    done += last ? 0 : 1
    if (last || complaints.length > 0) {
      const events = snapshot.events.length
      const published = acknowledged.flat().reduce((sum, n) => sum + n + 1, 0)
      const wrong = complaints.slice(0, 10).map((text) => `life ${life}: ${text}`)
      if (wrong.length > 0) wrong.push(`its files: ${folder.keep(folder.path)}`)
      return { kills: done, events, acknowledged: published, complaints: wrong }
    }
    before = snapshot
  }
}

interface Told {
  readonly acknowledged: readonly (readonly [life: number, loop: number, n: number])[]
  /** By `who event`. */
  readonly starts: ReadonlyMap<string, number>
  readonly complaints: readonly string[]
}

/**
 * `killMs` after the suspects of the last time have settled; without it the child ends by itself. What it says goes to
 * a file: that never makes it wait.
 */
async function liveAndDie(life: Life, killMs: number | undefined): Promise<Told> {
  const toldPath = `${life.path}.told-${life.life}`
  const told = openSync(toldPath, 'w')
  const running = spawn(process.execPath, lineOf({ ...life, saysReady: true }), {
    stdio: ['ignore', told, 'inherit', 'pipe'],
    env: environmentOf(),
  })
  closeSync(told)
  const stuck = setTimeout(() => running.kill('SIGKILL'), stuckMs)
  let killing: NodeJS.Timeout | undefined
  running.stdio[3]?.once('data', () => {
    if (killMs !== undefined) killing = setTimeout(() => running.kill('SIGKILL'), killMs)
  })
  const code = await new Promise<number | null>((resolve) => running.once('close', resolve))
  clearTimeout(stuck)
  clearTimeout(killing)
  const asExpected = killMs === undefined ? code === 0 : killing !== undefined && code === null
  const complaints = asExpected ? [] : [`the process ended with ${code}${killing === undefined ? ', before its suspects had settled' : ''}`]
  return heard(readFileSync(toldPath, 'utf8'), complaints)
}

/** The last line may have been cut off by the kill. */
function heard(text: string, complaints: readonly string[]): Told {
  const acknowledged: [number, number, number][] = []
  const starts = new Map<string, number>()
  const errors: string[] = []
  for (const line of text.slice(0, text.lastIndexOf('\n')).split('\n')) {
    const words = line.split(' ')
    if (words[0] === 'a') acknowledged.push([Number(words[1]), Number(words[2]), Number(words[3])])
    if (words[0] === 'e') errors.push(`the log says: ${line.slice(2)}`)
    if (words[0] !== 's') continue
    const who = `${words[1]} ${words[2]}`
    starts.set(who, (starts.get(who) ?? 0) + 1)
  }
  return { acknowledged, starts, complaints: [...complaints, ...errors] }
}

function look(path: string): Snapshot {
  if (!existsSync(path)) throw new Error(`${path} is gone`)
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return snapshotOf(db)
  } finally {
    db.close()
  }
}
