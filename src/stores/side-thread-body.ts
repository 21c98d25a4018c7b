/**
 * The one thread beside the main one: it writes the WAL back into the file, and names who blocks the event loop while it is still blocked.
 * It talks in messages of `side-thread.ts`; what it says about a blocked loop goes to file 2 by itself, since the main thread can't
 * pass it on.
 */
import { fdatasyncSync, openSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { isatty } from 'node:tty'
import { parentPort, workerData } from 'node:worker_threads'
import { blockedLine } from './loop-watch.ts'
import { labelBytes, labelsAt, places, type Told, type ThreadData } from './side-thread.ts'

const data: ThreadData = workerData
const beats = new Int32Array(data.beats)

/** The descriptor is never closed while anything is open: closing one drops every lock that the process has on the file. */
let file: { readonly db: DatabaseSync; readonly descriptor: number } | undefined

parentPort?.on('message', (told: Told) => {
  if (told === 'pass') return parentPort?.postMessage(pass())
  if (told === 'awake') return look(beatNow(), performance.now(), false)
  file?.db.close()
  parentPort?.close()
})

/**
 * A pass writes what no reader needs any more; the file is flushed each time, so that the pass that ends the WAL has little left to
 * wait for.
 */
function pass(): { readonly log: number; readonly done: number; readonly error?: string } {
  try {
    file ??= open()
    const row = file.db.prepare('pragma wal_checkpoint(passive)').get()
    fdatasyncSync(file.descriptor)
    return { log: Number(row?.['log']), done: Number(row?.['checkpointed']) }
  } catch (error) {
    return { log: -1, done: -1, error: String(error) }
  }
}

function open(): { db: DatabaseSync; descriptor: number } {
  const db = new DatabaseSync(data.path, { timeout: 1_000 })
  db.exec('pragma synchronous = normal; pragma wal_autocheckpoint = 0; pragma fullfsync = 1; pragma checkpoint_fullfsync = 1')
  return { db, descriptor: openSync(data.path, 'r+') }
}

/** As long as the main thread is awake. */
function look(beat: number, sinceMs: number, said: boolean): void {
  setTimeout(() => {
    if (Atomics.load(beats, places.awake) === 0) return
    const now = beatNow()
    if (now !== beat) return look(now, performance.now(), false)
    const stuckMs = performance.now() - sinceMs
    if (!said && stuckMs >= data.limitMs) say(stuckMs)
    look(beat, sinceMs, said || stuckMs >= data.limitMs)
  }, data.limitMs / 4).unref()
}

function beatNow(): number {
  return Atomics.load(beats, places.beat)
}

function say(stuckMs: number): void {
  const blocked = { forMs: stuckMs, inside: labelOf(Atomics.load(beats, places.inside)), last: labelOf(Atomics.load(beats, places.last)) }
  const terminal = isatty(2)
  writeSync(2, `${blockedLine(blocked, { form: terminal ? 'text' : 'json', colours: terminal && data.colours, nowMs: Date.now })}\n`)
}

function labelOf(number: number): string {
  if (number === 0) return ''
  const bytes = new Uint8Array(data.beats, labelsAt + (number - 1) * labelBytes, labelBytes).slice()
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}
