/** What an owner hears from outside its lane: requests, pause and resume, and what other owners wrote of the breaker. A hint wakes it; a hint that was lost heals. */
import { asError, isFault } from '../kit/fault.ts'
import type { Row } from '../ports/store.ts'
import { closed, decodeBreaker } from './breaker.ts'
import { decodeHeld, heldRange, type Held } from './holds.ts'
import type { KeyQueue } from './key-queue.ts'
import { controlKey, decodeRequest, requestPart, type Control, type Request } from './requests.ts'
import type { Runner } from './runner.ts'

export class Operators {
  readonly #runner: Runner
  readonly #stop = new AbortController()
  readonly #names: readonly string[]
  readonly #taken = new Set<string>()

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
      const hint = store.changed(this.#names, this.#stop.signal)
      try {
        await this.look()
        if (await this.#takeRequests()) await hint
        else await environment.wait(settings.storeRestMs, this.#stop.signal)
      } catch (thrown) {
        if (isFault(thrown, 'STORE_CLOSED')) return
        telemetry.log('warn', `requests could not be read, trying again: ${asError(thrown).message}`)
        await environment.wait(settings.storeRestMs, this.#stop.signal)
      }
    }
  }

  stop(): void {
    this.#stop.abort()
  }

  /** Pause and breaker, as they stand. */
  async look(): Promise<void> {
    const { crew, context } = this.#runner.lane
    const [control, breaker] = await context.store.get([controlKey(crew.id), { kind: 'breaker', part: '', key: crew.id }])
    const paused = control !== undefined && (JSON.parse(control.value) as Control).paused
    const changed = paused !== crew.paused
    crew.paused = paused
    const rev = breaker?.rev ?? null
    if (rev !== crew.breakerRev) crew.reload(breaker === undefined ? closed : decodeBreaker(breaker.value), rev, context.clock.nowMs())
    else if (!changed) return
    crew.wake()
  }

  /** `false` where one waits for a key to come to rest. */
  async #takeRequests(): Promise<boolean> {
    const { lane } = this.#runner
    const rows = await lane.context.store.scan({ kind: 'request', part: requestPart(lane.crew.id, lane.lane), from: '', to: '', limit: 100 })
    let all = rows.length < 100
    for (const row of rows) {
      if (lane.phase !== 'running') return true
      if (this.#taken.has(row.key)) continue
      if (await this.#takeOne(row, decodeRequest(row))) this.#taken.add(row.key)
      else all = false
    }
    return all
  }

  async #takeOne(row: Row, request: Request): Promise<boolean> {
    const { lane, committer } = this.#runner
    if (request.key === undefined) {
      committer.push({ is: 'request', queue: undefined, row, request, held: [], head: false })
      return true
    }
    const queue = lane.queueOf(request.key)
    if (!queue.idle) {
      lane.dropIfEmpty(queue)
      return false
    }
    queue.blocks += 1
    try {
      const rows = await this.#rowsOf(queue)
      const held = chosen(rows, request)
      if (lane.phase === 'over') return true
      committer.push({ is: 'request', queue, row, request, held, head: rows[0] !== undefined && held.includes(rows[0]) })
      return true
    } catch (thrown) {
      queue.blocks -= 1
      lane.list(queue)
      throw thrown
    }
  }

  async #rowsOf(queue: KeyQueue): Promise<readonly Held[]> {
    const { lane } = this.#runner
    const found: Held[] = []
    const range = heldRange(lane.part, queue.key, 500)
    for (let from = range.from; ; ) {
      const rows = await lane.context.store.scan({ ...range, from })
      found.push(...rows.map(decodeHeld))
      const last = rows.at(-1)
      if (last === undefined || rows.length < range.limit) return found
      from = `${last.key} `
    }
  }
}

function chosen(rows: readonly Held[], request: Request): readonly Held[] {
  if (request.op === 'redrive') return rows.slice(0, 1)
  return rows.filter(({ position }) => request.op === 'discard' && request.position === undefined ? true : position === request.position)
}
