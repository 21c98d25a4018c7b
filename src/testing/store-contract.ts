/**
 * What any Store must do, as tests: each MUST of the port is one. For whoever writes an adapter:
 *
 *   import { test } from 'node:test'
 *   storeContract({ name: 'mine', test, open: ({ nowMs }) => myStore({ nowMs }), reopen: undefined })
 */
import type { Store } from '../ports/store.ts'
import { commitContract } from './store-contract-commit.ts'
import { readContract } from './store-contract-read.ts'
import { reopenContract } from './store-contract-reopen.ts'
import { rowContract } from './store-contract-rows.ts'

export interface ContractSubject {
  readonly name: string
  /** `test` of node:test, or another runner's. */
  readonly test: (title: string, run: () => Promise<void>) => unknown
  /** A store that holds nothing, on the clock given. */
  readonly open: (given: { readonly nowMs: () => number }) => Store | Promise<Store>
  /** Closes nothing: opens once more what a closed store kept. Where nothing survives its process, `undefined`. */
  readonly reopen: ((closed: Store, given: { readonly nowMs: () => number }) => Store | Promise<Store>) | undefined
}

export function storeContract(subject: ContractSubject): void {
  commitContract(subject)
  rowContract(subject)
  readContract(subject)
  if (subject.reopen !== undefined) reopenContract(subject, subject.reopen)
}
