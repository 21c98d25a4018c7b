/**
 * What any Store must do, as tests: each MUST of the port is one. For whoever writes an adapter:
 *
 *   import { test } from 'node:test'
 *   storeContract({ name: 'mine', test, open: ({ nowMs }) => myStore({ nowMs }), reopen: undefined })
 */
import { commitContract } from './store-contract-commit.ts'
import type { ContractSubject } from './store-contract-facts.ts'
import { readContract } from './store-contract-read.ts'
import { reopenContract } from './store-contract-reopen.ts'
import { rowContract } from './store-contract-rows.ts'

export function storeContract(subject: ContractSubject): void {
  commitContract(subject)
  rowContract(subject)
  readContract(subject)
  if (subject.reopen !== undefined) reopenContract(subject, subject.reopen)
}

export type { ContractSubject }
