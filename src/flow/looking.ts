/**
 * What a subscription makes of an event, its batch's group included. Whatever of its code throws here is the event's
 * fault, not the lane's.
 */
import { asError, fault } from '../kit/fault.ts'
import type { Placed } from '../ports/store.ts'
import type { Look, Subscription } from './subscription.ts'

/** `group`: only events of one group share a batch. */
export type Looked = Exclude<Look, { is: 'run' }> | (Extract<Look, { is: 'run' }> & { readonly group: string | undefined })

export function lookAt(subscription: Subscription, event: Placed): Looked {
  const look = subscription.look(event)
  if (look.is !== 'run') return look
  const group = subscription.batch?.group
  if (group === undefined) return { is: 'run', key: look.key, parts: look.parts, group: undefined }
  try {
    return { ...look, group: group(look) }
  } catch (thrown) {
    return {
      is: 'fault',
      key: look.key,
      fault: fault(
        'KEY_INVALID',
        `${subscription.name}: its group could not be computed: ${asError(thrown).message}`,
        { event: event.id },
        thrown,
      ),
    }
  }
}
