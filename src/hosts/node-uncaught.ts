/** What nobody caught, while an app runs: what was told already ends no process; anything else does, as Node has it. */

const toldBy = new Set<(thrown: unknown) => boolean>()

/** Until the function that it gives is called. A rejection that nobody handles comes here too. */
export function survive(told: (thrown: unknown) => boolean): () => void {
  // A place of its own for each app in the process, though they may give the same function.
  const own = (thrown: unknown): boolean => told(thrown)
  if (toldBy.size === 0) process.on('uncaughtException', uncaught)
  toldBy.add(own)
  return () => {
    toldBy.delete(own)
    if (toldBy.size === 0) process.off('uncaughtException', uncaught)
  }
}

/** Where somebody else listens, it is theirs to decide. */
function uncaught(thrown: unknown): void {
  if ([...toldBy].some((told) => told(thrown)) || process.listenerCount('uncaughtException') > 1) return
  process.off('uncaughtException', uncaught)
  throw thrown
}
