/**
 * Wraps data keys with a master key that never leaves it. Destroying a key is deleting its wrapped row, which is kept
 * outside the event store.
 */
export interface Vault {
  wrap(key: Uint8Array, context: string): Promise<string>
  unwrap(wrapped: string, context: string): Promise<Uint8Array>
}
