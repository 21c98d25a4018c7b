/** What stands between code that throws and code that answers with a promise. */

/** What `await` would wait for: promises, and what query builders and the like return. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && 'then' in value && typeof value.then === 'function'
}

/** What an `async` function would answer, without a promise more than the inner one's own. */
export function promised<T>(run: () => Promise<T>): Promise<T> {
  try {
    return run()
  } catch (thrown) {
    return Promise.reject(thrown)
  }
}
