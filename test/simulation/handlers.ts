/** Each call of a handler is held against the rules as it starts, and what came of it is told to whoever counts. */
import type { Turn } from '../../src/flow/turn.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'
import { storyOfEvents } from './change-story.ts'
import { checkStart, tokenOf, type Slack } from './check-start.ts'
import { checkAlone, checkCode, checkProbe, surelyOpen } from './check-turn.ts'
import { checkWaits, type Still } from './check-waits.ts'
import type { Contention } from './contention.ts'
import type { Life } from './life.ts'
import type { SubscriptionModel } from './model.ts'
import type { TurnView } from './turns.ts'
import { Violation } from './violation.ts'

interface Where extends Still, Slack {
  readonly disk: { readonly headFlushed: number }
  readonly contention: Contention
  say(text: string): void
}

/** The turn's serial number. */
export function handlerStarts(
  cluster: Where,
  process: SimProcess,
  life: Life | undefined,
  subscription: SubscriptionModel,
  turn: Turn,
): number {
  const { name } = subscription.plan
  if (life?.stopping === true) throw new Violation('stop', `${process.name} was asked to stop, and starts a turn of ${name}`)
  const { headFlushed } = cluster.disk
  const seen = checkStart(cluster, cluster, process, subscription, turn, ({ event }) => Number(event.position) <= headFlushed)
  const open = surelyOpen(cluster, subscription)
  checkCode(subscription, turn, life?.knows ?? 0)
  checkAlone(cluster, process, subscription, seen)
  checkProbe(cluster, process, subscription, seen, open)
  cluster.outcomes.starts(process, subscription, seen)
  cluster.say(`${process.name} ${name} attempt ${turn.attempt} at ${storyOfEvents(seen)}`)
  const token = seen[0] === undefined ? '' : tokenOf(cluster, subscription, seen[0])
  const view = cluster.turns.start(
    process,
    subscription,
    seen,
    turn,
    open !== undefined,
    token,
    cluster.outcomes.follows(process, subscription),
  )
  cluster.contention.started(view)
  return view.serial
}

/** Its handler has yet to end. */
export function timeIsUp(cluster: Where, view: TurnView): void {
  cluster.outcomes.ended(view, false)
  checkWaits(cluster, view)
}

export function handlerEnds(cluster: Where, view: TurnView, how: 'returned' | 'threw', error: unknown): void {
  // With one runtime nobody can be behind about the breaker: what fails while it is open is no attempt.
  const asks = view.breakerOpen && surelyOpen(cluster, view.subscription) !== undefined
  const stores = error instanceof Error && /STORE_|TURN_CLOSED/.test(error.message)
  cluster.turns.end(view, how, !asks && !stores)
  if (!view.process.alive) return
  if (view.inTime && !stores) cluster.outcomes.ended(view, how === 'returned')
  if (view.inTime) checkWaits(cluster, view)
  cluster.say(`${view.process.name} ${view.subscription.plan.name} ${how}${view.inTime ? '' : ' late'}: ${storyOfEvents(view.seen)}`)
}
