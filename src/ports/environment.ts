/** Time and chance. Nothing in the core asks the machine for them; so a whole cluster runs in one process from one seed. */
export interface Environment {
  /** Wall clock, milliseconds since 1970; may jump. */
  nowMs(): number
  /** Never goes back; only differences mean something. For leases and time-outs. */
  monotonicMs(): number
  /** Resolves after `ms`, or early, without a fault, when the signal is aborted. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
  /** From 0 up to 1, 1 excluded. */
  random(): number
  /** After the current wave of handlers: once microtasks have drained. */
  soon(run: () => void): void
}
