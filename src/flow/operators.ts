/**
 * What an owner hears from outside its lane: requests, pause and resume, and what other owners wrote of the breaker. A
 * hint wakes it; a hint that was lost heals.
 */
import { asError, isFault } from '../kit/fault.ts'
import type { Row } from '../ports/store.ts'
import { everyRow } from './every-row.ts'
import { decodeHeld, heldKey, heldRange, type Held } from './holds.ts'
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

  /** A key has come to rest that a request waits for, or its own commit has paused it: it looks again. */
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
    const known = crew.breakerKnown
    const [control, breaker] = await context.store.get([controlKey(crew.id), { kind: 'breaker', part: '', key: crew.id }])
    const paused = control !== undefined && (JSON.parse(control.value) as Control).paused
    const changed = paused !== crew.paused
    crew.paused = paused
    const news = crew.hearBreaker(known, breaker?.value, breaker?.rev ?? null, context.clock.nowMs())
    if (changed || news) crew.wake()
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
    if (rows.some((row) => isAbsolution(decodeRequest(row)))) await this.#hearReturned()
    for (const row of rows) {
      if (lane.phase !== 'running') return
      if (!this.#taken.has(row.key)) await this.#takeOne(row, decodeRequest(row))
    }
  }

  /** Who has come back since this owner loaded the lane did not die: what it started is not held against anybody. */
  async #hearReturned(): Promise<void> {
    const { store } = this.#runner.lane.context
    const { part, starts } = this.#runner.lane
    const returned = new Set<string>()
    for await (const row of everyRow(store, { kind: 'alive', part })) returned.add(row.key)
    for (const [position, tokens] of starts)
      starts.set(
        position,
        tokens.filter((token) => !returned.has(token)),
      )
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
        more: false,
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
      const chosen = await this.#chosen(queue, request)
      if (!chosen.more) {
        this.#asked.delete(row.key)
        this.#taken.add(row.key)
        queue.asked -= 1
      }
      if (lane.phase !== 'over') committer.push({ is: 'request', queue, row, request, ...chosen })
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

  /** The rows that it is for; of a whole key as many as one commit takes away beside the turns of its wave. */
  async #chosen(queue: KeyQueue, request: Request): Promise<Chosen> {
    const { part, crew, context } = this.#runner.lane
    const { store } = context
    const whole = request.op === 'discard' && request.position === undefined
    const most = whole ? Math.max(1, Math.floor(store.limits.items / 8)) : 1
    const first: Held[] = []
    for await (const row of everyRow(store, heldRange(part, queue.key, 0))) {
      if (first.push(decodeHeld(row)) > most) break
    }
    if (request.op === 'redrive' || request.position === undefined)
      return { held: first.slice(0, most), head: first.length > 0, more: whole && first.length > most }
    if (request.op === 'edit' && crew.subscription.kind === 'projection') return { held: [], head: false, more: false }
    const [row] = await store.get([heldKey(part, queue.key, request.position)])
    return { held: row === undefined ? [] : [decodeHeld(row)], head: first[0]?.position === request.position, more: false }
  }
}

interface Chosen {
  readonly held: readonly Held[]
  /** The first of the key is among them. */
  readonly head: boolean
  readonly more: boolean
}

/** What an owner asks for that came back: it did not die. */
function isAbsolution(request: Request): boolean {
  return request.op === 'redrive' && request.onlyIf !== undefined
}
