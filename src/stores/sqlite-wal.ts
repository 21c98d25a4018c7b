/**
 * Whether the WAL ends where it was torn, or where it was damaged. SQLite takes it up to the first frame whose checksum is wrong, and
 * does not ask why:
 *
 *   frame frame frame  ✗  frame frame
 *   ──── taken ─────▶
 *
 * A commit is begun only when the one before is flushed: so of what a power cut tore at most the last commit stands behind the tear.
 * Two commits there mean that the first was flushed, and has been damaged since.
 */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { fault } from '../kit/fault.ts'

const headerBytes = 32
const frameHeaderBytes = 24
/** More than one group writes. */
const framesMax = 4_096

/** The connection has read from the store, so that SQLite knows how far it takes the WAL. */
export function checkWal(db: DatabaseSync, path: string): void {
  const walPath = `${path}-wal`
  if (!existsSync(walPath) || statSync(walPath).size <= headerBytes) return
  const taken = Number(db.prepare('pragma wal_checkpoint(noop)').get()?.['log'])
  const damaged = fault('STORE_CORRUPT', `${walPath}: what was flushed is damaged`, { path: walPath })
  const wal = openSync(walPath, 'r')
  try {
    const header = bytesAt(wal, 0, headerBytes)
    if (taken <= 0 && header.some((byte) => byte !== 0) && !isHeader(header)) throw damaged
    const size = header.readUInt32BE(8)
    const commits = size >= 512 && size <= 65_536 ? commitsBehind(wal, Math.max(0, taken), size, header.subarray(16, 24)) : 0
    if (commits > 1) throw damaged
  } finally {
    closeSync(wal)
  }
}

/** Frames of the same life of the WAL carry its salt; a frame that ends a commit says how large the store is. */
function commitsBehind(wal: number, taken: number, pageBytes: number, salt: Buffer): number {
  let commits = 0
  for (let frame = taken; frame < taken + framesMax; frame++) {
    const head = bytesAt(wal, headerBytes + frame * (pageBytes + frameHeaderBytes), frameHeaderBytes)
    if (head.length < frameHeaderBytes) break
    if (head.subarray(8, 16).equals(salt) && head.readUInt32BE(4) !== 0) commits++
  }
  return commits
}

function isHeader(header: Buffer): boolean {
  const magic = header.readUInt32BE(0)
  if (magic !== 0x377f0682 && magic !== 0x377f0683) return false
  const word = (at: number): number => (magic === 0x377f0683 ? header.readUInt32BE(at) : header.readUInt32LE(at))
  let [one, two] = [0, 0]
  for (let at = 0; at < 24; at += 8) {
    one = (one + word(at) + two) >>> 0
    two = (two + word(at + 4) + one) >>> 0
  }
  return one === header.readUInt32BE(24) && two === header.readUInt32BE(28)
}

function bytesAt(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  return bytes.subarray(0, readSync(file, bytes, 0, length, at))
}
