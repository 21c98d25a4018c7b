/**
 * The Store port of one simulated process, in front of the one disk: every call takes its time, and goes wrong when the
 * weather says so.
 */
import { fault } from '../kit/fault.ts'
import type { Change, Committed, Cursor, Key, Row, Scan, Slice, Store, StoreLimits } from '../ports/store.ts'
import type { SimDisk, StoreCall, StoreFault } from './sim-disk.ts'
import type { SimHints } from './sim-hints.ts'
import type { SimProcess } from './sim-process.ts'

export const callLabel = 4
export const answerLabel = 5

interface Call<T> {
  readonly call: StoreCall
  readonly op: string
  readonly fault: StoreFault
  readonly life: number
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

export class SimStore implements Store {
  readonly limits: StoreLimits
  readonly incarnation: string
  readonly #disk: SimDisk
  readonly #hints: SimHints
  readonly #process: SimProcess
  #closed = false
  /** When the last of its commits arrives: one process's changes are stored in the order in which it handed them in. */
  #lastArrivalUs = 0

  constructor(disk: SimDisk, hints: SimHints, process: SimProcess) {
    this.#disk = disk
    this.#hints = hints
    this.#process = process
    this.limits = disk.state.limits
    this.incarnation = disk.state.incarnation
  }

  commit(change: Change): Promise<Committed> {
    const { witness } = this.#disk
    return this.#ask<Committed>('commit', witness.nameOf(change), (call) => {
      this.#disk.commit(this.#process, call.op, change, (committed) => this.#answer(call, () => call.resolve(committed)))
    })
  }

  get(keys: readonly Key[]): Promise<readonly (Row | undefined)[]> {
    return this.#ask('get', 'get', (call: Call<readonly (Row | undefined)[]>) => this.#looked(call, this.#disk.get(keys)))
  }

  scan(range: Scan): Promise<readonly Row[]> {
    return this.#ask('scan', 'scan', (call: Call<readonly Row[]>) => this.#looked(call, this.#disk.scan(range)))
  }

  read(from: readonly Cursor[], limit: { readonly events: number; readonly bytes: number }): Promise<readonly Slice[]> {
    return this.#ask('read', 'read', (call: Call<readonly Slice[]>) => {
      const slices = this.#disk.read(from, limit)
      this.#answer(call, () => call.resolve(slices))
    })
  }

  changed(names: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#hints.changed(this.#process, names, signal)
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }

  #looked<T>(call: Call<T>, seen: T): void {
    const answer = (): void => this.#answer(call, () => call.resolve(seen))
    if (this.#disk.options.gated) this.#disk.flushedThen(answer)
    else answer()
  }

  #ask<T>(name: StoreCall, op: string, apply: (call: Call<T>) => void): Promise<T> {
    const { world, weather, witness, life } = this.#disk
    const process = this.#process
    if (this.#closed) return Promise.reject(fault('STORE_CLOSED'))
    return new Promise((resolve, reject) => {
      // A dead process is still on the stack when it aborts itself; nothing of it arrives any more.
      if (!process.alive) return
      witness.stage(process, op, 'called')
      const call: Call<T> = { call: name, op, fault: weather.fault(process, name, op), life, resolve, reject }
      const lostWithProcess = !weather.outlives()
      const wayUs = call.fault === 'stray' ? this.#giveUp(call) : this.#wayUs(name)
      world.after(wayUs, undefined, callLabel, () => {
        if (life !== this.#disk.life || (!process.alive && lostWithProcess)) return
        this.#arrive(call, apply)
      })
    })
  }

  #wayUs(name: StoreCall): number {
    const { world, weather } = this.#disk
    const wayUs = weather.wayUs(this.#process)
    if (name !== 'commit') return wayUs
    this.#lastArrivalUs = Math.max(this.#lastArrivalUs, world.nowUs + Math.round(wayUs))
    return this.#lastArrivalUs - world.nowUs
  }

  /** The caller hears that it is unknown, and only then it arrives. */
  #giveUp<T>(call: Call<T>): number {
    const { world, weather, witness } = this.#disk
    const process = this.#process
    const us = weather.silentUs()
    world.after(us, process, answerLabel, () => {
      call.reject(storeFault('stray'))
      witness.stage(process, call.op, 'answered')
    })
    return us + weather.wayUs(process) * 4
  }

  #arrive<T>(call: Call<T>, apply: (call: Call<T>) => void): void {
    if (call.fault === 'full' || call.fault === 'failed' || call.fault === 'missed' || call.fault === 'mute') {
      this.#answer(call, () => call.reject(storeFault(call.fault)))
      return
    }
    try {
      apply(call)
    } catch (thrown) {
      this.#answer(call, () => call.reject(thrown))
    }
  }

  #answer<T>(call: Call<T>, give: () => void): void {
    if (call.fault === 'stray') return
    const { world, weather, witness } = this.#disk
    const process = this.#process
    const late = call.fault === 'slow' ? weather.slowUs() : call.fault === 'silent' || call.fault === 'mute' ? weather.silentUs() : 0
    world.after(weather.wayUs(process) + late, process, answerLabel, () => {
      if (call.life !== this.#disk.life) return
      if (call.fault === 'lost' || call.fault === 'silent') call.reject(storeFault(call.fault))
      else give()
      witness.stage(process, call.op, 'answered')
    })
  }
}

function storeFault(kind: StoreFault): Error {
  if (kind === 'full') return fault('STORE_FULL')
  const unknown = kind !== 'failed'
  return fault('STORE_FAILED', unknown ? 'the connection broke before the answer' : 'the engine refused', unknown ? { unknown } : {})
}
