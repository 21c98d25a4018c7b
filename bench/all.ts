/** Every bench, in the order in which they run. */
import { catchUp } from './cases/catch-up.ts'
import { fanOut } from './cases/fan-out.ts'
import { idle } from './cases/idle.ts'
import { latency } from './cases/latency.ts'
import { opening } from './cases/opening.ts'
import { simulation } from './cases/simulation.ts'
import { slowDisk } from './cases/slow-disk.ts'
import { startUp } from './cases/start.ts'
import { throughput } from './cases/throughput.ts'
import type { Bench } from './harness/bench.ts'

export const benches: readonly Bench[] = [throughput, latency, slowDisk, fanOut, catchUp, opening, idle, startUp, simulation]
