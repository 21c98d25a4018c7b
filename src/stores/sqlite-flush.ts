/**
 * How a commit gets to the disk: inside it (`synchronous = FULL`), or after it (`NORMAL`, then one fdatasync of the WAL in the thread
 * pool). The first is better while a flush costs less than the way to another thread and back; the second never makes the event loop
 * wait for a slow disk. Both flush the same bytes.
 */
export type FlushMode = 'auto' | 'inline' | 'pool'

/** A flush below this is cheaper where it stands. */
const inlineMaxMs = 0.3
/** In between nothing changes, so that a disk at the border does not make the store go to and fro. */
const poolMinMs = 0.4
/** Every so many flushes in the pool one is tried inline, where the pool's own figures say that it would cost little. */
const probeEvery = 256
const probeMaxMs = 2

export class FlushChoice {
  readonly #mode: FlushMode
  #now: 'inline' | 'pool'
  #averageMs = 0
  #shortestMs = Infinity
  #flushes = 0

  constructor(mode: FlushMode) {
    this.#mode = mode
    this.#now = mode === 'pool' ? 'pool' : 'inline'
  }

  get now(): 'inline' | 'pool' {
    return this.#now
  }

  /** What one flush took, as it was chosen. In the pool that is more than the flush: the event loop was busy with other things. */
  took(ms: number): void {
    if (this.#mode !== 'auto') return
    this.#flushes++
    if (this.#now === 'inline') {
      this.#averageMs = this.#averageMs === 0 ? ms : this.#averageMs * 0.9 + ms * 0.1
      if (this.#averageMs > poolMinMs) this.#change('pool')
      return
    }
    this.#shortestMs = Math.min(this.#shortestMs, ms)
    if (this.#flushes < probeEvery) return
    if (this.#shortestMs < probeMaxMs) this.#change('inline')
    else this.#change('pool')
  }

  /** The average begins at the border, so that one odd flush decides nothing. */
  #change(to: 'inline' | 'pool'): void {
    this.#now = to
    this.#averageMs = (inlineMaxMs + poolMinMs) / 2
    this.#shortestMs = Infinity
    this.#flushes = 0
  }
}
