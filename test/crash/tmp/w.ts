import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { TraceReader, traced } from '../disk-trace.ts'
const f = mkdtempSync('/dev/shm/mc-')
const path = f + '/store.db'
const r = new TraceReader(f)
let names = new Map()
for (const life of [0, 1]) {
  const t0 = performance.now()
  const run = await traced(['test/crash/counting-child.ts', JSON.stringify({ path, life, flush: 'pool', lanes: 1, loops: 6, publishes: Number(process.argv[2] ?? 60), textBytes: 30_000, again: [], ...(life === 0 ? { abrupt: true } : {}) })], path, String(life))
  const t1 = performance.now()
  const steps = r.steps(run)
  console.log(life, run.code, 'record', t1 - t0, 'parse', performance.now() - t1, 'trace MB', statSync(run.tracePath).size / 1e6, 'wal', (() => { try { return statSync(path + '-wal').size / 1e6 } catch { return 'gone' } })())
  for (const s of steps) if (s.is === 'name' && s.file) names.set(s.file, s.name)
  const c: Record<string, number> = {}
  let kind = ''
  let n = 0
  const seq: string[] = []
  for (const s of steps) {
    const k = s.is === 'write' ? 'w ' + names.get(s.write.file) : s.is === 'synced' ? 'S ' + (s.file === 'folder' ? 'folder' : names.get(s.file)) : s.is === 'said' ? 'say' : ''
    if (k === '') continue
    c[k] = (c[k] ?? 0) + 1
    if (k.startsWith('w store.db') && k.length === 10 || k === 'S store.db') { if (k === kind) n++; else { if (n) seq.push(kind + n); kind = k; n = 1 } }
  }
  seq.push(kind + n)
  console.log(c, seq.join(' '))
}
