/** What the machine can do in this very minute: every figure of a bench is read beside these. */
import { closeSync, fdatasyncSync, openSync, rmSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { orderOf } from './order.ts'

export function machineLine(): string {
  const [cpu] = cpus()
  const load = loadavg()
    .map((one) => one.toFixed(1))
    .join(' ')
  return `${cpu?.model ?? 'unknown'}, ${cpus().length} cores, load ${load}, Node ${process.version}, SQLite ${process.versions['sqlite']}`
}

export function limitsLine(folder: string): string {
  const flushMs = flushesMs(folder, 200)
  const median = flushMs[flushMs.length >> 1] ?? 0
  const parses = Math.round(parsesPerSecond()).toLocaleString('en')
  return `${Math.round(1_000 / median)} flushes/s (p50 ${median.toFixed(3)} ms), ${parses} JSON.parse/s of one order`
}

/** A commit of one row and a flush of the WAL, sorted: what one publisher in sequence waits for at least. */
export function flushesMs(folder: string, count: number): readonly number[] {
  const path = join(folder, 'flush.db')
  const db = new DatabaseSync(path)
  db.exec('pragma journal_mode = wal; pragma synchronous = normal; create table if not exists t (x)')
  const wal = openSync(`${path}-wal`, 'r+')
  const insert = db.prepare('insert into t values (?)')
  const text = JSON.stringify(orderOf(0))
  const took: number[] = []
  for (let at = 0; at < count; at++) {
    const startMs = performance.now()
    insert.run(text)
    fdatasyncSync(wal)
    took.push(performance.now() - startMs)
  }
  db.close()
  closeSync(wal)
  for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file, { force: true })
  return took.sort((a, b) => a - b)
}

function parsesPerSecond(): number {
  const texts = Array.from({ length: 1_000 }, (_, seq) => JSON.stringify(orderOf(seq)))
  const startMs = performance.now()
  let parsed = 0
  while (performance.now() - startMs < 200) {
    for (const text of texts) parsed += (JSON.parse(text) as { seq: number }).seq >= 0 ? 1 : 0
  }
  return (parsed * 1_000) / (performance.now() - startMs)
}
