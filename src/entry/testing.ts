/** For tests: an app on virtual time, and what whoever writes an adapter must keep. */
export { replace, type Replacement } from '../define/resource.ts'
export type { DeadLetter, Which } from '../testing/dead-letters.ts'
export { storeContract, type ContractSubject } from '../testing/store-contract.ts'
export { storeDifferential, type Differential } from '../testing/store-differential.ts'
export type { Logged, TestApp, TestAppOptions } from '../testing/test-app.ts'
export { testApp } from './test-app.ts'
