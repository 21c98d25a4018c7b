/** What a definition refuses of itself: thrown at once, or, for whoever asks for all of it, gathered while the app's files load. */

/** Other copies of the package look there too: the app may be loaded by one and checked by another. */
const place = Symbol.for('millrace.refusals')

interface Gathering {
  [place]?: Error[] | undefined
}

/** Throws it, unless refusals are being gathered: then the caller goes on with what it was given, or something like it. */
export function refuse(why: Error): void {
  const gathered = (globalThis as Gathering)[place]
  if (gathered === undefined) throw why
  gathered.push(why)
}

/** For what throws by itself. */
export function orRefuse<T, U>(make: () => T, instead: U): T | U {
  try {
    return make()
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown
    refuse(thrown)
    return instead
  }
}

/** All that is refused while it loads: whoever wanted one refusal would only come back for the next. */
export async function gathering<T>(
  load: () => Promise<T>,
): Promise<{ readonly loaded: PromiseSettledResult<T>; readonly refusals: readonly Error[] }> {
  const refusals: Error[] = []
  const where = globalThis as Gathering
  where[place] = refusals
  const [loaded] = await Promise.allSettled([load()])
  where[place] = undefined
  return { loaded, refusals }
}
