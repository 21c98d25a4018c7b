/** Cuts the power of a recorded run at moments of chance, opens what would be left, and compares it with what had been acknowledged. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { nodeEnvironment } from '../../src/hosts/node-environment.ts'
import type { Store } from '../../src/ports/store.ts'
import type { FlushMode } from '../../src/stores/sqlite-flush.ts'
import { openDatabaseSync } from '../../src/stores/sqlite-open.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { randomOf, type Random } from '../../src/testing/sim-random.ts'
import type { Life } from './counting-app.ts'
import { lineOf } from './counting-life.ts'
import { runCounting, settleAll } from './counting-run.ts'
import { type CutState, DiskModel } from './disk-model.ts'
import { type DiskStep, TraceReader, traced } from './disk-trace.ts'
import { type Acknowledged, judge } from './judge.ts'
import { quickBase, runFolder } from './run-folder.ts'
import { snapshotOf } from './store-snapshot.ts'

export interface CutOptions {
  readonly seed: number
  readonly states: number
  readonly flush: FlushMode
  /** So much is written that the WAL is written back and begins anew. */
  readonly large?: boolean
  /** Then only what it makes of acknowledgements is looked for, and once is enough. */
  readonly planted?: 'never' | 'early'
  readonly say?: (line: string) => void
}

export interface CutReport {
  readonly states: number
  /** System calls of the recorded run that concern the store. */
  readonly steps: number
  readonly syncs: number
  /** States that differ from what the process itself saw: something was not synced. */
  readonly uncertain: number
  readonly complaints: readonly string[]
}

interface Recorded {
  readonly steps: readonly DiskStep[]
  readonly incarnation: string
  readonly textBytes: number
}

const loops = 6
const patienceMs = 20_000
const complaintsMax = 10

export async function runCuts({ seed, states, flush, large = false, planted, say = () => {} }: CutOptions): Promise<CutReport> {
  const random = randomOf(seed, `cuts ${flush} ${large} ${planted ?? ''}`)
  using folder = runFolder('cut', quickBase())
  const name = `flush ${flush}${large ? ', large' : ''}`
  const report = { states: 0, steps: 0, syncs: 0, uncertain: 0, complaints: [] as string[] }
  const { steps, incarnation, textBytes } = await record(join(folder.path, 'store.db'), flush, large, planted, random)
  const cuts = cutsOf(steps, states, planted !== undefined, random)
  const model = new DiskModel()
  const acknowledged: number[][] = []
  report.steps = steps.length
  report.syncs = steps.filter(({ is }) => is === 'synced').length
  for (const [at, step] of steps.entries()) {
    model.apply(step)
    note(step, acknowledged)
    for (const _ of Array.from({ length: cuts.get(at) ?? 0 })) {
      const state = model.cut(random)
      const place = join(folder.path, `state-${report.states}`)
      const complained = await check(state, place, { acknowledged, textBytes, incarnation, thorough: !large || report.states % 8 === 0 })
      const complaints = planted === undefined ? complained : complained.filter(isLoss)
      report.states += 1
      if (!model.isCalm) report.uncertain += 1
      const where = `seed ${seed}, ${name}, state ${report.states - 1}: cut behind call ${at} of ${steps.length} (${state.how})`
      report.complaints.push(...complaints.map((complaint) => `${where}: ${complaint}`))
      if (complaints.length > 0 && planted === undefined) report.complaints.push(`${where}: its files: ${folder.keep(place)}`)
      rmSync(place, { recursive: true })
      if (report.complaints.length >= (planted === undefined ? complaintsMax : 1)) return report
    }
  }
  say(`cuts, ${name}: ${report.states} states of ${steps.length} calls, ${report.syncs} syncs; ${report.uncertain} with something unsynced`)
  return report
}

/** What was flushed is gone, or is there no more as it was. */
function isLoss(complaint: string): boolean {
  return complaint.includes('acknowledged up to') || complaint.includes('what was flushed is damaged')
}

/** A first life that creates the store and dies, and a second one that finds it like that and ends well. */
async function record(path: string, flush: FlushMode, large: boolean, planted: Life['planted'], random: Random): Promise<Recorded> {
  const textBytes = large ? 30_000 : 400
  const lanes = random.pick([1, 4])
  const common = {
    path,
    flush,
    lanes,
    loops,
    publishes: large ? 60 : 25,
    textBytes,
    again: [],
    ...(planted === undefined ? {} : { planted }),
  }
  const reader = new TraceReader(join(path, '..'))
  const steps: DiskStep[] = []
  for (const life of [0, 1]) {
    const one: Life = { ...common, life, ...(life === 0 ? { abrupt: true } : {}) }
    const run = await traced(lineOf(one), path, String(life))
    if (life === 1 && run.code !== 0) throw new Error(`the recorded run ended with ${run.code}`)
    steps.push(...reader.steps(run))
  }
  if (!steps.some((step) => step.is === 'said' && step.line === 'd')) throw new Error('the recorded run did not come to its end')
  const db = openDatabaseSync(path, { readOnly: true })
  const { incarnation } = snapshotOf(db)
  db.close()
  return { steps, incarnation, textBytes }
}

/**
 * Where, and how many there: anywhere, right behind what was just said, which must not be lost, and where files come
 * and go, which is rare and short.
 */
function cutsOf(steps: readonly DiskStep[], states: number, losses: boolean, random: Random): ReadonlyMap<number, number> {
  const places = [...steps.keys()]
  const said = places.filter((at) => isAcknowledgement(steps[at]))
  const touching = places.filter((at) => steps[at]?.is !== 'said')
  const naming = places.filter((at) => steps[at]?.is === 'name')
  const cuts = new Map<number, number>()
  for (let count = 0; count < states; count++) {
    // What is lost shows where something was said.
    const chance = losses ? 0.4 : random.next()
    const near = Math.min(steps.length - 1, Math.max(0, random.pick(naming) + random.between(-12, 12)))
    const at = chance < 0.2 ? near : random.pick(chance < 0.5 ? said : touching)
    cuts.set(at, (cuts.get(at) ?? 0) + 1)
  }
  return cuts
}

function isAcknowledgement(step: DiskStep | undefined): boolean {
  return step?.is === 'said' && step.line.startsWith('a ')
}

function note(step: DiskStep, acknowledged: number[][]): void {
  if (step.is !== 'said' || !step.line.startsWith('a ')) return
  const [, life = 0, loop = 0, n = 0] = step.line.split(' ').map(Number)
  const loopsOf = (acknowledged[life] ??= Array.from({ length: loops }, () => -1))
  loopsOf[loop] = n
}

interface Wanted {
  readonly acknowledged: Acknowledged
  readonly textBytes: number
  readonly incarnation: string
  /** The whole file is looked at, not only what is in it. */
  readonly thorough: boolean
}

/** Opens it, looks, lets it go on, and looks again. */
async function check({ files }: CutState, place: string, wanted: Wanted): Promise<readonly string[]> {
  mkdirSync(place)
  for (const [name, bytes] of files) writeFileSync(join(place, name), bytes)
  const path = join(place, 'store.db')
  const { nowMs, monotonicMs, random, soon } = nodeEnvironment
  let stage = 'opening it'
  try {
    const store = await sqliteStore({ path, nowMs, monotonicMs, random, soon })
    const db = openDatabaseSync(path, { readOnly: true })
    try {
      stage = 'looking at it'
      const complaints = [...look(db, wanted, false)]
      const { incarnation } = snapshotOf(db)
      if (wanted.acknowledged.length > 0 && incarnation !== wanted.incarnation) complaints.push('it has become another incarnation')
      stage = 'going on'
      if (complaints.length === 0) complaints.push(...(await goOn(store, db, wanted)))
      return complaints.slice(0, 5)
    } finally {
      db.close()
      await store.close()
    }
  } catch (error) {
    return [`${stage}: ${String(error)}`]
  }
}

function look(db: DatabaseSync, { acknowledged, textBytes, thorough }: Wanted, complete: boolean): readonly string[] {
  const snapshot = snapshotOf(db)
  const complaints = [...judge(snapshot, { acknowledged, textBytes, complete })]
  const quick = thorough ? db.prepare('pragma integrity_check').get()?.['integrity_check'] : 'ok'
  return quick === 'ok' ? complaints : [...complaints, `the file is damaged: ${String(quick)}`]
}

/** What stands there is done with, and something new too. */
async function goOn(store: Store, db: DatabaseSync, wanted: Wanted): Promise<readonly string[]> {
  const running = await runCounting(store, wanted.textBytes)
  const life = wanted.acknowledged.length
  for (const loop of [0, 1]) await running.publish(life, loop, 0)
  const settled = await settleAll(db, patienceMs)
  await running.stop()
  const acknowledged = [...wanted.acknowledged, Array.from({ length: loops }, (_, loop) => (loop < 2 ? 0 : -1))]
  const late = settled ? [] : [`not everything was done with within ${patienceMs / 1_000} s`]
  return [...late, ...look(db, { ...wanted, acknowledged }, settled)]
}
