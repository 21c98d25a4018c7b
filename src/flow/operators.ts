/**
 * What an owner hears from outside its lane: requests, pause and resume, and what other owners wrote of the breaker. A
 * hint wakes it; a hint that was lost heals.
 */
import { asError, isFault } from '../kit/fault.ts'
import type { Row } from '../ports/store.ts'
import { closed, decodeBreaker } from './breaker.ts'
import { everyRow } from './every-row.ts'
import { decodeHeld, heldRange, type Held } from './holds.ts'
import type { KeyQueue } from './key-queue.ts'
import { controlKey, decodeRequest, requestPart, type Control, type Request } from './requests.ts'
import type { Runner } from './runner.ts'

export class Operators {
  readonly #runner: Runner
  readonly #stop = new AbortController()
  readonly #names: readonly string[]
  readonly #taken = new Set<string>()
  /** Requests whose key has yet to come to rest. */
  readonly #asked = new Set<string>()
  #rest: (() => void) | undefined

  constructor(runner: Runner) {
    this.#runner = runner
    const { crew, lane } = runner.lane
    this.#names = [`request/${requestPart(crew.id, lane)}`, 'control/', 'breaker/']
  }

  /** Ends when the lane is over or drains. */
  async run(): Promise<void> {
    const { lane } = this.#runner
    const { store, settings, environment, telemetry } = lane.context
    while (lane.phase === 'running') {
      try {
        const hint = store.changed(this.#names, this.#stop.signal)
        const rest = new Promise<void>((resolve) => {
          this.#rest = resolve
        })
        await this.look()
        await this.#takeRequests()
        await Promise.race([hint, rest])
      } catch (thrown) {
        if (isFault(thrown, 'STORE_CLOSED')) return
        telemetry.log('warn', `requests could not be read, trying again: ${asError(thrown).message}`)
        await environment.wait(settings.storeRestMs, this.#stop.signal)
      }
    }
  }

  /** A key has come to rest that a request waits for. */
  rested(): void {
    this.#rest?.()
  }

  stop(): void {
    this.#stop.abort()
    this.rested()
  }

  /** Pause and breaker, as they stand. */
  async look(): Promise<void> {
    const { crew, context } = this.#runner.lane
    const writes = crew.breakerWrites
    const [control, breaker] = await context.store.get([controlKey(crew.id), { kind: 'breaker', part: '', key: crew.id }])
    const paused = control !== undefined && (JSON.parse(control.value) as Control).paused
    const changed = paused !== crew.paused
    crew.paused = paused
    crew.controlled = control !== undefined
    const rev = breaker?.rev ?? null
    const own = rev !== null && crew.breakerWriting.has(rev)
    if (rev !== crew.breakerRev && writes === crew.breakerWrites && !own)
      crew.reload(breaker === undefined ? closed : decodeBreaker(breaker.value), rev, context.clock.nowMs())
    else if (!changed) return
    crew.wake()
  }

  async #takeRequests(): Promise<void> {
    const { lane } = this.#runner
    const rows = await lane.context.store.scan({
      kind: 'request',
      part: requestPart(lane.crew.id, lane.lane),
      from: '',
      to: '',
      limit: 100,
    })
    for (const row of rows) {
      if (lane.phase !== 'running') return
      if (!this.#taken.has(row.key)) await this.#takeOne(row, decodeRequest(row))
    }
  }

  async #takeOne(row: Row, request: Request): Promise<void> {
    const { lane, committer } = this.#runner
    if (request.key === undefined) {
      if (this.#mayYetStand(request)) return
      this.#taken.add(row.key)
      const settles = request.op === 'discard' ? this.#runner.arrivals.letGo(request.position) : undefined
      committer.push({
        is: 'request',
        queue: undefined,
        row,
        request,
        held: [],
        head: false,
        ...(settles === undefined ? {} : { settles }),
      })
      return
    }
    const queue = lane.queueOf(request.key)
    if (!this.#asked.has(row.key)) {
      this.#asked.add(row.key)
      queue.asked += 1
    }
    if (!queue.idle) return
    queue.blocks += 1
    try {
      const rows = await this.#rowsOf(queue)
      const held = lane.crew.subscription.kind === 'projection' && request.op === 'edit' ? [] : chosen(rows, request)
      this.#asked.delete(row.key)
      this.#taken.add(row.key)
      queue.asked -= 1
      if (lane.phase !== 'over')
        committer.push({ is: 'request', queue, row, request, held, head: rows[0] !== undefined && held.includes(rows[0]) })
    } catch (thrown) {
      queue.blocks -= 1
      throw thrown
    }
  }

  /**
   * A discard of what the subscription stands at may have been left while nobody owned the lane: it waits until its
   * owner has come there.
   */
  #mayYetStand(request: Request): boolean {
    const { arrivals, lane } = this.#runner
    if (request.op !== 'discard' || arrivals.stands !== undefined) return false
    return request.position === undefined || request.position > lane.marks.mark
  }

  async #rowsOf(queue: KeyQueue): Promise<readonly Held[]> {
    const { lane } = this.#runner
    const found: Held[] = []
    for await (const row of everyRow(lane.context.store, heldRange(lane.part, queue.key, 0))) found.push(decodeHeld(row))
    return found
  }
}

function chosen(rows: readonly Held[], request: Request): readonly Held[] {
  if (request.op === 'redrive') return rows.slice(0, 1)
  return rows.filter(({ position }) => (request.op === 'discard' && request.position === undefined ? true : position === request.position))
}
