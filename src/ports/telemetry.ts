/** What the core tells of itself. It may not see `observe/`: whoever listens is handed in. */
export type Level = 'debug' | 'info' | 'warn' | 'error'

export type Fields = Readonly<Record<string, unknown>>

export interface Telemetry {
  /** Adds to a counter. Names are of the list in `docs/metrics.md`; labels are few and bounded. */
  count(name: string, by: number, labels?: Readonly<Record<string, string>>): void
  /** One measurement of a duration or a size. */
  record(name: string, value: number, labels?: Readonly<Record<string, string>>): void
  /** Runs `run` inside a span where somebody traces, else just runs it. */
  span<T>(name: string, fields: Fields, run: () => T): T
  log(level: Level, message: string, fields?: Fields): void
}
