import { spawn } from 'node:child_process'
import { mkdtempSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
const f = mkdtempSync(process.argv[2] ?? '/tmp/mk-')
for (let life = 0; life < 5; life++) {
  const t = performance.now()
  const c = spawn(process.execPath, ['--conditions=source', '--no-warnings', 'test/crash/counting-child.ts', JSON.stringify({ path: f + '/s.db', life, flush: 'pool', lanes: 4, loops: 24, publishes: 0, textBytes: 300, again: [], saysReady: true })], { stdio: ['ignore', openSync(f + '/told' + life, 'w'), 'inherit', 'pipe'] })
  let at = 0
  let note = ''
  const iv = setInterval(() => {
    try { const db = new DatabaseSync(f + '/s.db', { readOnly: true }); note += `${Math.round(performance.now() - t)}: ${db.prepare('select count(*) n from events').get()?.['n']} start ${db.prepare('select count(*) n from rows_start').get()?.['n']} held ${db.prepare('select count(*) n from rows_held').get()?.['n']}; `; db.close() } catch (e) { note += String(e).slice(0, 50) }
  }, 100)
  c.stdio[3]?.once('data', () => { at = performance.now() - t; setTimeout(() => c.kill('SIGKILL'), 100) })
  await new Promise((r) => c.once('close', r))
  clearInterval(iv)
  console.log(life, 'ready', at, note)
}
