/** What a bench is: cases that run by turns, each run in a process of its own, and what is said of their medians. */

export interface Size {
  /** Small numbers, one round: shows that it works, says nothing of speed. */
  readonly quick: boolean
  /** A folder of this bench, on the disk that is measured; empty before `prepare`. */
  readonly folder: string
}

/** By name, with the unit in it: 'events/s', 'p50 ms'. */
export type Figures = Readonly<Record<string, number>>

export interface Case {
  readonly name: string
  /** Of Node, for its process. */
  readonly flags?: readonly string[]
  /** Why it cannot run here, if so. */
  missing?(): string | undefined
  /** Asserts its own counts. */
  run(size: Size): Promise<Figures>
}

export interface Goal {
  /** A sentence with the figure. */
  readonly says: string
  readonly met: boolean
}

/** The median of one figure of one case; NaN where it did not run. */
export type Medians = (name: string, figure: string) => number

export interface Bench {
  readonly name: string
  readonly title: string
  readonly cases: readonly Case[]
  /** Once, in a process of its own, before the rounds. */
  prepare?(size: Size): Promise<void>
  goals(median: Medians): readonly Goal[]
}

/** `least` and `most` in the figure's own unit; a share is told in per cent. */
export function atLeast(what: string, figure: number, least: number, unit: string): readonly Goal[] {
  return told(what, figure, `>= ${round(least)} ${unit}`, unit, figure >= least)
}

export function atMost(what: string, figure: number, most: number, unit: string): readonly Goal[] {
  return told(what, figure, `<= ${round(most)} ${unit}`, unit, figure <= most)
}

function told(what: string, figure: number, goal: string, unit: string, met: boolean): readonly Goal[] {
  return Number.isFinite(figure) ? [{ says: `${what}: ${round(figure)} ${unit} (wanted ${goal})`, met }] : []
}

export function round(figure: number): string {
  if (Math.abs(figure) >= 1_000) return Math.round(figure).toLocaleString('en')
  return String(Number(figure.toPrecision(3)))
}
