/**
 * Reads a lane for its owner, as far as there is room: the holes first, then on from the mark. Never a sleep while work
 * is left, no polling where the store signals.
 * A merged subscription reads all lanes, and takes them in the order of positions, up to where every lane has been seen.
 */
import { asError, isFault } from '../kit/fault.ts'
import type { Cursor, Placed, Position, Slice } from '../ports/store.ts'
import { decodeHeld, heldRange } from './holds.ts'
import { lookAt } from './looking.ts'
import { decodeHole } from './marks.ts'
import type { Runner } from './runner.ts'

export class Reader {
  readonly #runner: Runner
  readonly #lanes: readonly string[]
  readonly #stop = new AbortController()
  #cursors: Cursor[]
  #seen: Position[]
  /** Read and not yet taken, in order: there was no room, or another lane may still bring an earlier one. */
  #ahead: readonly Placed[] = []
  #next = 0
  /** Every lane has been seen up to here. */
  #safe: Position
  #room: (() => void) | undefined
  #hint: Promise<void> | undefined
  /** Positions up to here may have been in flight when the owner before died. */
  #suspectTo: Position = ''
  #suspectsLeft = 0

  constructor(runner: Runner, unclean: boolean) {
    this.#runner = runner
    const { lane, context, crew, marks } = runner.lane
    const { lanes } = context.store.limits
    this.#lanes = crew.subscription.merged ? lanes.map(({ name }) => name) : [lane]
    this.#cursors = this.#lanes.map((name) => ({ of: 'lane', name, after: marks.mark, types: crew.subscription.types }))
    this.#seen = this.#lanes.map(() => marks.mark)
    this.#safe = marks.mark
    if (unclean) this.#suspectsLeft = context.settings.holesMax
  }

  /** Ends when the lane is over or drains. */
  async run(): Promise<void> {
    const { lane } = this.#runner
    if (this.#suspectsLeft > 0) this.#suspectTo = await this.#head()
    while (lane.phase === 'running') {
      this.#takeAhead()
      if (!this.#hasRoom()) {
        if (lane.crew.paused) this.#forgetPlace()
        await this.#untilRoom()
        continue
      }
      this.#hint ??= this.#listen()
      const went = await this.#read()
      if (went === 'closed') return
      if (went === 'nothing' && lane.phase === 'running') await this.#hint
    }
  }

  /** There may be room again. */
  wake(): void {
    this.#room?.()
    this.#room = undefined
  }

  stop(): void {
    this.#stop.abort()
    this.wake()
  }

  async #read(): Promise<'further' | 'nothing' | 'closed'> {
    const { lane } = this.#runner
    const { store, settings, environment, telemetry } = lane.context
    const events = Math.max(1, Math.min(settings.readEvents, settings.holesMax - lane.marks.open))
    try {
      const slices = await store.read(this.#cursors, { events, bytes: settings.readBytes })
      return this.#note(slices) ? 'further' : 'nothing'
    } catch (thrown) {
      if (isFault(thrown, 'STORE_CLOSED')) return 'closed'
      telemetry.log('warn', `a read failed, trying again: ${asError(thrown).message}`, { lane: lane.lane })
      await environment.wait(settings.storeRestMs)
      return 'further'
    }
  }

  #hasRoom(): boolean {
    const { lane, arrivals } = this.#runner
    return !lane.crew.paused && arrivals.stands === undefined && lane.marks.open < lane.context.settings.holesMax
  }

  /** A reader that pauses keeps nothing alive that the store hung on its cursors. */
  #forgetPlace(): void {
    const { types } = this.#runner.lane.crew.subscription
    this.#cursors = this.#lanes.map((name, i) => ({ of: 'lane', name, after: this.#seen[i] ?? '', types }))
  }

  #untilRoom(): Promise<void> {
    const { lane, arrivals, committer } = this.#runner
    // While a wave is on its way it may bring room by itself.
    if (lane.marks.open >= lane.context.settings.holesMax && !committer.busy) arrivals.spill()
    return new Promise((resolve) => {
      this.#room = resolve
    })
  }

  #listen(): Promise<void> {
    const { context, crew } = this.#runner.lane
    return context.store.changed(this.#lanes, this.#stop.signal, crew.subscription.types).then(() => {
      this.#hint = undefined
    })
  }

  /** Whether it came any further. */
  #note(slices: readonly Slice[]): boolean {
    let further = false
    let safe: Position | undefined
    slices.forEach((slice, i) => {
      this.#runner.lane.context.clock.note(slice.storeMs)
      if (slice.upTo > (this.#seen[i] ?? '')) further = true
      this.#seen[i] = slice.upTo
      this.#cursors[i] = slice.next
      if (safe === undefined || slice.upTo < safe) safe = slice.upTo
    })
    this.#safe = safe ?? this.#safe
    const [first] = slices
    const left = this.#ahead.slice(this.#next)
    this.#ahead =
      slices.length === 1 && left.length === 0
        ? (first?.events ?? [])
        : [...left, ...slices.flatMap(({ events }) => events)].sort(byPosition)
    this.#next = 0
    return further
  }

  #takeAhead(): void {
    const { lane } = this.#runner
    for (
      let event = this.#ahead[this.#next];
      event !== undefined && event.position <= this.#safe && this.#hasRoom();
      event = this.#ahead[this.#next]
    ) {
      const suspect = this.#suspectsLeft > 0 && event.position <= this.#suspectTo
      if (!this.#runner.arrivals.take(event, suspect)) break
      if (suspect) this.#suspectsLeft -= 1
      this.#next += 1
    }
    const next = this.#ahead[this.#next]
    const taken = this.#ahead[this.#next - 1]?.position ?? ''
    const passed = next === undefined || next.position > this.#safe ? this.#safe : taken
    if (passed > lane.marks.mark) this.#runner.arrivals.pass(passed)
    this.#runner.dispatch()
  }

  async #head(): Promise<Position> {
    const { store, environment, settings } = this.#runner.lane.context
    const cursors: Cursor[] = this.#lanes.map((name, i) => ({ of: 'lane', name, after: this.#seen[i] ?? '', types: new Set<string>() }))
    for (;;) {
      try {
        const slices = await store.read(cursors, { events: 1, bytes: 1 })
        return slices.reduce((head, { upTo }) => (upTo > head ? upTo : head), '')
      } catch {
        if (this.#runner.lane.phase === 'over') return ''
        await environment.wait(settings.storeRestMs)
      }
    }
  }
}

function byPosition(a: Placed, b: Placed): number {
  return a.position < b.position ? -1 : 1
}

/**
 * The holes of a lane, read by reference, before anything else of it runs. One that is older than the rows of its key
 * was under way in front of them; one that is younger
 * had yet to join them.
 */
export async function readHoles(runner: Runner, holes: readonly string[], unclean: boolean): Promise<void> {
  const { lane } = runner
  const { store, settings } = lane.context
  const cursors: Cursor[] = holes.map((hole) => {
    const { lane: name, at } = decodeHole(hole, lane.lane)
    return { of: 'place', name, at }
  })
  if (cursors.length === 0) return
  const slices = await store.read(cursors, { events: 1, bytes: settings.readBytes })
  const firsts = await firstRows(runner)
  for (const event of slices.flatMap(({ events }) => events)) {
    const look = lookAt(lane.crew.subscription, event)
    const first = look.is === 'skip' || look.key === undefined ? undefined : firsts.get(look.key)
    runner.arrivals.takeBack(event, unclean, first !== undefined && event.position < first)
  }
}

/** Of each held key the position of its first row. */
async function firstRows({ lane }: Runner): Promise<ReadonlyMap<string, Position>> {
  const firsts = new Map<string, Position>()
  for (const { key, hold } of lane.keys.values()) {
    if (hold === undefined) continue
    const [row] = await lane.context.store.scan(heldRange(lane.part, key, 1))
    if (row !== undefined) firsts.set(key, decodeHeld(row).position)
  }
  return firsts
}
