/** Ways of publishing: so many in flight, or so many a second whatever becomes of them. */
import { setTimeout as sleep } from 'node:timers/promises'

/** `publish(seq)` for each of `count` from `first` on, with so many not yet answered. */
export async function inFlight(width: number, first: number, count: number, publish: (seq: number) => Promise<unknown>): Promise<void> {
  let next = first
  const end = first + count
  const publisher = async (): Promise<void> => {
    while (next < end) await publish(next++)
  }
  await Promise.all(Array.from({ length: Math.min(width, count) }, publisher))
}

/** An open loop: late calls are made up for at once. */
export async function perSecond(rate: number, count: number, publish: (seq: number) => Promise<unknown>): Promise<void> {
  const answers: Promise<unknown>[] = []
  const startMs = performance.now()
  for (let seq = 0; seq < count;) {
    const due = Math.min(count, Math.floor(((performance.now() - startMs) * rate) / 1_000) + 1)
    for (; seq < due; seq++) answers.push(publish(seq))
    await sleep(1)
  }
  await Promise.all(answers)
}

export interface Timed {
  readonly ms: number
  /** Of the whole process, its threads included. */
  readonly cpuMs: number
}

export async function timed(run: () => Promise<unknown>): Promise<Timed> {
  const before = process.cpuUsage()
  const startMs = performance.now()
  await run()
  const ms = performance.now() - startMs
  const { user, system } = process.cpuUsage(before)
  return { ms, cpuMs: (user + system) / 1_000 }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN
}

/** The rate is of wall time; the CPU is told because other processes of a busy machine do not count in it. */
export function rateOf(count: number, { ms, cpuMs }: Timed, unit = 'events/s'): Readonly<Record<string, number>> {
  return { [unit]: (count * 1_000) / ms, 'CPU us each': (cpuMs * 1_000) / count }
}
