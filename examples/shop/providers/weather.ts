/** How it goes with a provider today. One seed, one weather: it depends on what is asked and how often, not on what else happens. */
import { createHash, randomInt } from 'node:crypto'

export type Mishap = 'none' | 'refuses' | 'breaks off' | 'hangs'

export type Weather = (asked: string) => { readonly waitMs: number; readonly mishap: Mishap }

const mishaps = ['refuses', 'breaks off', 'hangs'] as const
/** So that patience always wins: a third try of the same thing goes well. */
const mishapsMax = 2

/** `SEED`: any text; `FAILING`: the share of calls that fail; `SLOW_MS`: the longest that an answer takes. */
export function weatherOf(env: Readonly<Record<string, string | undefined>>): Weather {
  const { SEED: seed = String(randomInt(1_000_000)), FAILING: failing = '0.2', SLOW_MS: slow = '150' } = env
  const tries = new Map<string, number>()
  const failed = new Map<string, number>()
  return (asked) => {
    const nth = (tries.get(asked) ?? 0) + 1
    tries.set(asked, nth)
    const waitMs = Math.round(chance(seed, asked, nth, 'wait') * Number(slow))
    const before = failed.get(asked) ?? 0
    if (before === mishapsMax || chance(seed, asked, nth, 'fails') >= Number(failing)) return { waitMs, mishap: 'none' }
    failed.set(asked, before + 1)
    const mishap = mishaps[Math.floor(chance(seed, asked, nth, 'how') * mishaps.length)] ?? 'refuses'
    return { waitMs, mishap }
  }
}

/** From 0 up to 1. */
function chance(...of: readonly (string | number)[]): number {
  return createHash('sha256').update(of.join('\n')).digest().readUInt32BE() / 2 ** 32
}
