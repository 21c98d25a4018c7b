/** Whose each token of a lane's record is, and since when. */
import type { Change } from '../../src/ports/store.ts'
import type { SimProcess } from '../../src/testing/sim-process.ts'

export class Owners {
  readonly #processes = new Map<string, SimProcess>()
  readonly #claimedUs = new Map<string, number>()

  /** By a change that claims a lane. */
  claimed(process: SimProcess, change: Change, nowUs: number): void {
    for (const { kind, value } of change.puts) {
      if (kind !== 'lane') continue
      const { token } = JSON.parse(value) as { readonly token: string }
      this.#processes.set(token, process)
      this.#claimedUs.set(token, nowUs)
    }
  }

  of(token: string): SimProcess | undefined {
    return this.#processes.get(token)
  }

  claimedUs(token: string): number | undefined {
    return this.#claimedUs.get(token)
  }
}
