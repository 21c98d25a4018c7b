/**
 * Who waits for a change of a lane, or of the rows of a `kind/part`.
 *
 *   note(change), for each of a group ──▶ tell(): each is woken whom it concerns
 *
 * Who wants other types than came is let sleep, until so many have passed that its place would keep too many in memory.
 */
import type { Change } from '../ports/store.ts'

/** Events of other types that a reader may be behind without a word. */
const passMax = 1_000

class Waiter {
  readonly names: readonly string[]
  readonly types: ReadonlySet<string> | undefined
  readonly resolve: () => void
  passed = 0

  constructor(names: readonly string[], types: ReadonlySet<string> | undefined, resolve: () => void) {
    this.names = names
    this.types = types
    this.resolve = resolve
  }
}

/** Those of one signal: it is listened to once, for whoever waits waits again and again under the same one. */
interface Under {
  waiter: Waiter | undefined
}

export class Waiters {
  readonly #byName = new Map<string, Set<Waiter>>()
  readonly #under = new WeakMap<AbortSignal, Under>()
  /** Those that wait for rows: while there is none, nobody writes the names of rows. */
  #forRows = 0
  /** What was noted and not told: how many of each type came to a lane, … */
  readonly #came = new Map<string, Map<string, number>>()
  /** … and which rows changed. */
  readonly #rows = new Set<string>()

  wait(names: readonly string[], signal: AbortSignal, types?: ReadonlySet<string>): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const waiter = new Waiter(names, types, resolve)
      this.#enter(waiter)
      this.#listen(waiter, signal)
    })
  }

  /** After a commit is flushed. */
  note(change: Change, laneOf: (slot: number) => string): void {
    for (const { event } of change.appends) {
      const lane = laneOf(event.slot)
      const came = this.#came.get(lane) ?? new Map<string, number>()
      if (came.size === 0) this.#came.set(lane, came)
      came.set(event.type, (came.get(event.type) ?? 0) + 1)
    }
    for (const { lane } of change.trims) this.#rows.add(lane)
    if (this.#forRows === 0) return
    for (const { kind, part } of change.puts) this.#rows.add(`${kind}/${part}`)
    for (const { kind, part } of change.deletes) this.#rows.add(`${kind}/${part}`)
  }

  tell(): void {
    if (this.#came.size > 0) {
      for (const [lane, came] of this.#came) this.#tellOf(lane, came)
      this.#came.clear()
    }
    if (this.#rows.size === 0) return
    for (const name of this.#rows) this.#wakeAllOf(name)
    this.#rows.clear()
  }

  wakeAll(): void {
    for (const name of this.#byName.keys()) this.#wakeAllOf(name)
  }

  #tellOf(lane: string, came: ReadonlyMap<string, number>): void {
    const waiting = this.#byName.get(lane)
    if (waiting === undefined) return
    for (const waiter of [...waiting]) if (concerns(waiter, came)) this.#wake(waiter)
  }

  #wakeAllOf(name: string): void {
    const waiting = this.#byName.get(name)
    if (waiting !== undefined) for (const waiter of [...waiting]) this.#wake(waiter)
  }

  #wake(waiter: Waiter): void {
    for (const name of waiter.names) {
      if (this.#byName.get(name)?.delete(waiter) === true && name.includes('/')) this.#forRows -= 1
    }
    waiter.resolve()
  }

  #enter(waiter: Waiter): void {
    for (const name of waiter.names) {
      const waiting = this.#byName.get(name)
      if (waiting === undefined) this.#byName.set(name, new Set([waiter]))
      else waiting.add(waiter)
      if (name.includes('/')) this.#forRows += 1
    }
  }

  /** Two that wait under one signal at once are rare: the second has a listener of its own. */
  #listen(waiter: Waiter, signal: AbortSignal): void {
    const under = this.#under.get(signal)
    if (under === undefined) {
      const first: Under = { waiter }
      this.#under.set(signal, first)
      signal.addEventListener('abort', () => this.#wakeIf(first.waiter), { once: true })
    } else if (under.waiter === undefined || !this.#waits(under.waiter)) under.waiter = waiter
    else signal.addEventListener('abort', () => this.#wakeIf(waiter), { once: true })
  }

  #wakeIf(waiter: Waiter | undefined): void {
    if (waiter !== undefined && this.#waits(waiter)) this.#wake(waiter)
  }

  #waits(waiter: Waiter): boolean {
    return waiter.names.some((name) => this.#byName.get(name)?.has(waiter) === true)
  }
}

function concerns(waiter: Waiter, came: ReadonlyMap<string, number>): boolean {
  if (waiter.types === undefined) return true
  for (const [type, count] of came) {
    if (waiter.types.has(type)) return true
    waiter.passed += count
  }
  return waiter.passed >= passMax
}
