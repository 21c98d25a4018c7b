/** What an owner does with each event that it reads: passes it, queues it by its key, or gives it a row behind the rows of its key. */
import type { Placed, Position } from '../ports/store.ts'
import type { Committer } from './committer.ts'
import { Entry } from './entry.ts'
import type { KeyQueue } from './key-queue.ts'
import type { OwnedLane } from './owned-lane.ts'
import { lookAt, type Looked } from './looking.ts'

/** An event whose order key cannot be computed, or one behind it that was taken over: nothing goes past the first. */
export interface Standing {
  readonly event: Placed
  readonly why: string
  /** Of a hole that was taken over: it stays one. */
  readonly entry: Entry | undefined
  /** Its own key is known: it waits only for those before it. */
  readonly behind: boolean
  readonly inFront: boolean
}

export class Arrivals {
  /** In the order of the lane. */
  readonly #standing: Standing[] = []
  readonly #lane: OwnedLane
  readonly #committer: Committer
  /** So many events were passed since the last written mark. */
  #passed = 0
  /** An operator lets it go past this one. */
  #discarded: Position | undefined
  readonly #stood: () => void

  /** `stood`: is told when it comes to stand somewhere. */
  constructor(lane: OwnedLane, committer: Committer, stood: () => void) {
    this.#stood = stood
    this.#lane = lane
    this.#committer = committer
  }

  /** What a merged subscription stands at first. */
  get stands(): Standing | undefined {
    return this.#standing[0]
  }

  /** A hole of the lane, taken over. `inFront`: of the rows of its key, which are younger. */
  takeBack(event: Placed, suspect: boolean, inFront: boolean): void {
    const look = this.#look(event)
    if (look.is === 'skip') return this.#skip(event)
    const entry = this.#entryOf(event, look, suspect)
    this.#lane.marks.take(entry)
    const behind = look.key !== undefined
    if (behind && this.#standing.length === 0) this.#queue(entry, inFront)
    else this.#standing.push({ event, why: whyOf(look), entry, behind, inFront })
  }

  /** Takes the next event of the lane; `false` where it cannot go past it. */
  take(event: Placed, suspect: boolean): boolean {
    if (event.position === this.#discarded) return true
    const look = this.#look(event)
    if (look.is === 'skip') {
      this.#skip(event)
      return true
    }
    if (look.key === undefined) {
      this.#standAt(event, whyOf(look))
      return false
    }
    const entry = this.#entryOf(event, look, suspect)
    this.#lane.marks.take(entry)
    this.#queue(entry, false)
    return true
  }

  /** One that this subscription does not want, or a stretch without any. */
  pass(upTo: Position): void {
    const { marks, context } = this.#lane
    if (!marks.pass(upTo)) return
    this.#passed += 1
    if (this.#passed < context.settings.skipsMax || marks.open > 0) return
    this.#passed = 0
    this.#committer.mark()
  }

  /** It gets a row behind those of its key. */
  join(queue: KeyQueue, entry: Entry): void {
    queue.staged += 1
    queue.joining += 1
    this.#committer.push({ is: 'join', queue, entry })
  }

  /** What waits behind turns under way gets rows, so that reading can go on; `false` where nothing does. */
  spill(): boolean {
    const { crew, keys } = this.#lane
    if (crew.free <= 0 || crew.paused) return false
    let spilled = false
    for (const queue of keys.values()) {
      if (queue.waiting.length === 0 || !(queue.busy || queue.abandoned) || queue.blocks > 0) continue
      queue.blocks += 1
      this.#committer.push({ is: 'spill', queue })
      spilled = true
    }
    return spilled
  }

  /** An operator discards an event that it stands at: it is an entry now, to be settled. */
  letGo(position: Position | undefined): Entry | undefined {
    const stands = this.#standing.find(({ event, behind }) => !behind && (position === undefined || position === event.position))
    if (stands === undefined) return undefined
    this.#discarded = stands.event.position
    if (stands.entry !== undefined) return stands.entry
    const entry = new Entry(stands.event, '', [], undefined, false)
    this.#lane.marks.take(entry)
    return entry
  }

  /** What it stood at is settled: those behind it go on, up to the next. */
  goOn(): void {
    const at = this.#standing.findIndex(({ event }) => event.position === this.#discarded)
    if (at >= 0) this.#standing.splice(at, 1)
    for (let next = this.#standing[0]; next?.behind === true; next = this.#standing[0]) {
      this.#standing.shift()
      if (next.entry !== undefined) this.#queue(next.entry, next.inFront)
    }
  }

  #look(event: Placed): Looked {
    const { crew } = this.#lane
    return event.storedMs < crew.sinceMs ? skip : lookAt(crew.subscription, event)
  }

  #skip(event: Placed): void {
    this.pass(event.position)
    this.#lane.marks.skip(event.position)
  }

  #entryOf(event: Placed, look: Exclude<Looked, { is: 'skip' }>, suspect: boolean): Entry {
    const lane = this.#lane
    const started = lane.starts.get(event.position)
    const parts = look.is === 'run' ? look.parts : []
    const group = look.is === 'run' ? look.group : undefined
    const entry = new Entry(event, look.key ?? '', parts, undefined, suspect || started !== undefined, group)
    if (look.is !== 'run') lane.setUnreadable(entry, look)
    if ((started?.length ?? 0) > 0) entry.most = 1
    return entry
  }

  #standAt(event: Placed, why: string): void {
    if (this.#standing.some((one) => one.event.position === event.position)) return
    this.#standing.push({ event, why, entry: undefined, behind: false, inFront: false })
    this.#stood()
    const { context, crew } = this.#lane
    context.telemetry.log('error', `${crew.subscription.name} stands at an event whose order key cannot be computed: ${why}`, {
      event: event.id,
      type: event.type,
    })
  }

  #queue(entry: Entry, inFront: boolean): void {
    const queue = this.#lane.queueOf(entry.key)
    if ((queue.hold !== undefined || queue.joining > 0) && !inFront) {
      this.join(queue, entry)
      return
    }
    queue.waiting.push(entry)
    if (this.#lane.crew.subscription.batch !== undefined) queue.sinceMs ??= this.#lane.context.environment.monotonicMs()
    this.#lane.list(queue)
  }
}

function whyOf(look: Looked): string {
  if (look.is === 'fault') return look.fault.message
  return look.is === 'wait' ? look.why : 'its key is not known'
}

const skip: Looked = { is: 'skip' }
