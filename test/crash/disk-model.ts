/**
 * A disk as it may stand after its power was cut. What was synced is there. Of what was written and not synced any part
 * may be: a sync holds for what had been written when
 * it began, once it has ended. Names come and go in their order, and stay once their folder was synced.
 */
import type { Random } from '../../src/testing/sim-random.ts'
import type { DiskFile, DiskStep, DiskWrite } from './disk-trace.ts'

const sectorBytes = 512

interface Pending {
  readonly write: DiskWrite
  /** Its place among all that was ever written. */
  readonly order: number
  done: boolean
}

type Naming = Extract<DiskStep, { is: 'name' }>

export interface CutState {
  readonly files: ReadonlyMap<string, Buffer>
  /** What was left out, for whoever wants to know. */
  readonly how: string
}

export class DiskModel {
  readonly #synced = new Map<DiskFile, Content>()
  #pending: Pending[] = []
  readonly #names = new Map<string, DiskFile>()
  #namings: Naming[] = []
  /** By call, what it will have made durable. */
  readonly #syncs = new Map<number, readonly (Pending | Naming)[]>()
  #order = 0

  apply(step: DiskStep): void {
    if (step.is === 'name') this.#namings.push(step)
    if (step.is === 'write') this.#pending.push({ write: step.write, order: this.#order++, done: false })
    if (step.is === 'written') for (const one of this.#pending) if (one.write === step.write) one.done = true
    if (step.is === 'sync') this.#syncs.set(step.call, this.#covered(step.file))
    if (step.is === 'synced') this.#settle(step.call)
  }

  #covered(file: DiskFile | 'folder'): readonly (Pending | Naming)[] {
    return file === 'folder' ? [...this.#namings] : this.#pending.filter((one) => one.write.file === file && one.done)
  }

  #settle(call: number): void {
    const covered = new Set(this.#syncs.get(call))
    this.#syncs.delete(call)
    for (const one of this.#namings) if (covered.has(one)) rename(this.#names, one)
    for (const one of this.#pending) if (covered.has(one)) this.#contentOf(one.write.file).write(one.write)
    this.#namings = this.#namings.filter((one) => !covered.has(one))
    this.#pending = this.#pending.filter((one) => !covered.has(one))
  }

  #contentOf(file: DiskFile): Content {
    const known = this.#synced.get(file) ?? new Content()
    this.#synced.set(file, known)
    return known
  }

  cut(random: Random): CutState {
    const names = new Map(this.#names)
    const namings = random.chance(0.5) ? this.#namings.length : random.below(this.#namings.length + 1)
    for (const naming of this.#namings.slice(0, namings)) rename(names, naming)
    const { keeps, how } = keeping(random, this.#order - this.#pending.length)
    const zeros = random.chance(0.3)
    const torn = random.chance(0.6)
    const last = this.#pending.findLast((one) => keeps(one.order))
    const files = new Map<string, Buffer>()
    for (const [name, file] of names) {
      const content = new Content(this.#synced.get(file))
      for (const one of this.#pending) {
        if (one.write.file !== file) continue
        if (!keeps(one.order)) {
          if (zeros) content.grow(one.write)
        } else if (one === last && torn) for (const part of sectors(one.write, random)) content.write(part)
        else content.write(one.write)
      }
      files.set(name, content.bytes())
    }
    const kept = this.#pending.filter(({ order }) => keeps(order)).length
    const words = [
      `${how}: ${kept} of ${this.#pending.length} writes`,
      `${namings} of ${this.#namings.length} names`,
      zeros ? 'sizes kept' : '',
      torn ? 'the last torn' : '',
    ]
    return { files, how: words.filter((word) => word !== '').join(', ') }
  }

  get isCalm(): boolean {
    return this.#pending.length === 0 && this.#namings.length === 0
  }
}

function rename(names: Map<string, DiskFile>, { name, file }: Naming): void {
  if (file === undefined) names.delete(name)
  else names.set(name, file)
}

/** Which of the writes that are not synced are kept, by their order. The choice of one is the same however often it is asked for. */
function keeping(random: Random, from: number): { readonly keeps: (order: number) => boolean; readonly how: string } {
  const how = random.pick(['none', 'all', 'first', 'some', 'some', 'most'] as const)
  const chosen = new Map<number, boolean>()
  const share = { none: 0, all: 1, first: 0, some: 0.5, most: 0.9 }[how]
  const until = from + random.below(40)
  const keeps = (order: number): boolean => {
    const known = chosen.get(order) ?? (how === 'first' ? order < until : random.next() < share)
    chosen.set(order, known)
    return known
  }
  return { keeps, how }
}

/** Of a write that was torn, each sector is there or not; or it ends somewhere. */
function sectors({ file, at, bytes }: DiskWrite, random: Random): readonly DiskWrite[] {
  if (bytes === undefined) return []
  const parts: DiskWrite[] = []
  const ends = random.chance(0.5) ? random.below(bytes.length + 1) : bytes.length
  for (let from = 0; from < bytes.length;) {
    const to = Math.min(bytes.length, from + sectorBytes - ((at + from) % sectorBytes))
    const is = ends < bytes.length ? to <= ends : random.chance(0.5)
    if (is) parts.push({ file, at: at + from, bytes: bytes.subarray(from, to) })
    from = to
  }
  return parts
}

/** Bytes that grow. */
class Content {
  #bytes: Buffer
  #length: number

  constructor(from?: Content) {
    this.#length = from === undefined ? 0 : from.#length
    this.#bytes = from === undefined ? Buffer.alloc(65_536) : Buffer.from(from.#bytes.subarray(0, from.#length))
  }

  write({ at, bytes }: DiskWrite): void {
    const length = bytes === undefined ? at : Math.max(this.#length, at + bytes.length)
    this.#room(length)
    if (bytes === undefined && at < this.#length) this.#bytes.fill(0, at, this.#length)
    bytes?.copy(this.#bytes, at)
    this.#length = length
  }

  /** The size alone reached the disk. */
  grow({ at, bytes }: DiskWrite): void {
    if (bytes === undefined) return
    const length = Math.max(this.#length, at + bytes.length)
    this.#room(length)
    this.#length = length
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #room(length: number): void {
    if (length <= this.#bytes.length) return
    const grown = Buffer.alloc(Math.max(length, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}
