/** The stores of the house keep the contract. */
import { test } from 'node:test'
import { memoryStore } from '../stores/memory.ts'
import { storeContract } from './store-contract.ts'

for (const lanes of [1, 4]) {
  storeContract({
    name: `memory, ${lanes} lanes`,
    test,
    open: ({ nowMs }) => memoryStore({ nowMs, lanes, incarnation: 'first' }),
    reopen: undefined,
  })
}
