/** What lowered code is given of the running app. */
import type { Asking } from '../define/context.ts'

export interface Services {
  /** Of what the app itself publishes. */
  readonly source: string
  /** `who` stands in its log lines; the signal is asked for when somebody asks. */
  asking(who: string, signal: () => AbortSignal): Asking
  /** Something was staged when its turn was over: nobody may be there to catch the fault, so it is told here, with its place. */
  late(subscription: string, error: Error): void
}
