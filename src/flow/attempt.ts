/** One attempt: starts the handler, and tells once how it went: it returned, it threw, its time was up, or it was called off. */
import { asError, fault, isFault } from '../kit/fault.ts'
import type { Chained } from '../kit/chain.ts'
import { isThenable } from '../kit/thenable.ts'
import type { FlowContext } from './context.ts'
import type { Crew } from './crew.ts'
import type { Work } from './outcome.ts'
import type { Subscription } from './subscription.ts'
import { OpenTurn, type Look, type Staged } from './turn.ts'
import type { Watched } from './watch.ts'

export interface Ended {
  returned(attempt: Attempt, staged: Staged): void
  /** `counts`: not where the store failed it. */
  failed(attempt: Attempt, error: Error, counts: boolean): void
  /** Its time is up; the handler still runs. */
  timedOut(attempt: Attempt, error: Error): void
  /** A handler that timed out, or whose turn was called off, has settled at last. */
  settledLate(attempt: Attempt): void
}

export class Attempt implements Watched, Chained<Attempt> {
  before: Attempt | undefined
  after: Attempt | undefined
  chained = false
  readonly work: Work
  /** It has the process to itself until its outcome is committed. */
  readonly alone: boolean
  readonly deadlineMs: number
  watchedAt = -1
  /** Its turn is over; the handler may still run. */
  over = false
  /** Its place to run is given back. */
  placeFreed = false
  /** It timed out, and its handler still runs: how long its keys wait for it. */
  grace: Watched | undefined
  readonly #turn: OpenTurn
  readonly #subscription: Subscription
  readonly #context: FlowContext
  readonly #ended: Ended

  constructor(context: FlowContext, { subscription, id }: Crew, work: Work, alone: boolean, look: Look, ended: Ended) {
    this.work = work
    this.alone = alone
    this.#subscription = subscription
    this.#context = context
    this.#ended = ended
    const monotonicMs = context.environment.monotonicMs()
    this.deadlineMs = context.watch.nowMs(monotonicMs) + subscription.policy.timeoutMs
    this.#turn = new OpenTurn(subscription.name, id, work.entries, work.attempt, context.clock.nowMs(monotonicMs), look)
  }

  start(): void {
    let result: unknown
    try {
      result = this.#call()
      if (isThenable(result)) result = Promise.resolve(result)
    } catch (thrown) {
      this.#fail(thrown)
      return
    }
    if (!(result instanceof Promise)) {
      this.#return()
      return
    }
    this.#context.watch.add(this)
    result.then(
      () => this.#return(),
      (thrown) => this.#fail(thrown),
    )
  }

  /** In a span, so that whoever watches the process knows whose code it is in. */
  #call(): unknown {
    const subscription = this.#subscription
    return this.#context.telemetry.span('turn', subscription, () => subscription.run(this.#turn))
  }

  /** Called by the watch. */
  expire(): void {
    if (this.over) return
    this.over = true
    this.#turn.close('its time was up', true)
    const { name, policy } = this.#subscription
    this.#ended.timedOut(this, fault('HANDLER_TIMED_OUT', `${name} took longer than ${policy.timeoutMs} ms`, { subscription: name }))
  }

  /** The lane was lost, the runtime stops, or an earlier turn of its key is undone: what it does counts for nothing. */
  callOff(why: string): void {
    if (this.over) return
    this.over = true
    this.#context.watch.remove(this)
    this.#turn.close(why, true)
  }

  #return(): void {
    if (this.over) {
      this.#ended.settledLate(this)
      return
    }
    this.over = true
    this.#context.watch.remove(this)
    this.#ended.returned(this, this.#turn.close('its handler has returned'))
  }

  #fail(thrown: unknown): void {
    if (this.over) {
      this.#ended.settledLate(this)
      return
    }
    this.over = true
    this.#context.watch.remove(this)
    const { storeFailed } = this.#turn.close('its handler has thrown', true)
    this.#ended.failed(this, asError(thrown), !storeFailed && !isStoreFault(thrown))
  }
}

function isStoreFault(thrown: unknown): boolean {
  return isFault(thrown) && (thrown.code === 'STORE_FAILED' || thrown.code === 'STORE_FULL' || thrown.code === 'STORE_CLOSED')
}
