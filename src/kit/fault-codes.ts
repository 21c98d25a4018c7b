/** Every fault there is: what callers outside see of it, and what to do. `docs/faults.md` has an entry for each; a test compares the two. */
export interface CodeEntry {
  /** HTTP status. */
  readonly status: number
  readonly title: string
  /** What to do about it. */
  readonly todo: string
}

const table = {
  // The app's own code
  NOT_A_DURATION: { status: 500, title: 'Not a duration', todo: 'Write a number and a unit: 200ms, 30s, 5m, 12h, 14d.' },
  TURN_CLOSED: { status: 500, title: 'The turn is over', todo: 'Await everything inside the handler: what it stages after it returned, threw or timed out has no effect.' },
  HANDLER_TIMED_OUT: { status: 500, title: 'The handler took too long', todo: 'Make it faster, listen to ctx.signal, or raise `timeout`.' },
  // The store
  STORE_CLOSED: { status: 503, title: 'The store is closed', todo: 'Ask again once the app has started.' },
  STORE_FULL: { status: 507, title: 'The disk is full', todo: 'Make room: what was acknowledged is kept, and publishing goes on when there is some.' },
  STORE_FAILED: { status: 503, title: 'The store failed', todo: 'Look at the cause in the log; the call may be repeated under the same id.' },
  CHANGE_TOO_LARGE: { status: 413, title: 'More than one commit can take', todo: 'Publish fewer events at once, or smaller ones.' },
  INCARNATION_OTHER: { status: 409, title: 'The store is not the one this was made for', todo: 'It was restored meanwhile: start again from what it holds now.' },
  TRIMMED: { status: 410, title: 'The event is no longer kept', todo: 'Read from the first position that is kept, or from the archive.' },
} as const satisfies Record<string, CodeEntry>

export type Code = keyof typeof table
export const codes: Readonly<Record<Code, CodeEntry>> = table
