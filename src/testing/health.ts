/** What is not as it should be in an app under test, each in a sentence. */
import type { Flow } from '../flow/flow.ts'
import { deadLettersOf } from './dead-letters.ts'
import type { WatchedStore } from './watched-store.ts'

export function complaintsOf(flow: Flow, store: WatchedStore): readonly string[] {
  const parked = deadLettersOf(flow, store).map(
    ({ consumer, key, fact, attempts, message }) =>
      `${consumer} parked key '${key}' at ${fact.type} ${fact.id} after ${attempts} attempts: ${message}`,
  )
  const still = flow.crews.flatMap(({ subscription, paused, breaker, abandoned }) => [
    ...(paused ? [`${subscription.name} is paused`] : []),
    ...(breaker.phase === 'open' ? [`the breaker of ${subscription.name} is open`] : []),
    ...(abandoned > 0 ? [`${abandoned} handlers of ${subscription.name} still run after their time and their grace`] : []),
  ])
  const standing = [...flow.units()].flatMap(({ runner }) =>
    runner.arrivals.stands === undefined
      ? []
      : [`${runner.lane.crew.subscription.name} stands at an event whose order key cannot be computed: ${runner.arrivals.stands.why}`],
  )
  return [...parked, ...still, ...standing]
}
