/** Every bench, in the order in which they run. */
import { throughput } from './cases/throughput.ts'
import type { Bench } from './harness/bench.ts'

export const benches: readonly Bench[] = [throughput]
