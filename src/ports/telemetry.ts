/** What the core tells of itself. It may not see `observe/`: whoever listens is handed in. */
export type Level = 'debug' | 'info' | 'warn' | 'error'

export type Fields = Readonly<Record<string, unknown>>

export interface Telemetry {
  /** Adds to a counter. Names are of the list in `docs/metrics.md`; labels are few and bounded. */
  count(name: string, by: number, labels?: Readonly<Record<string, string>>): void
  /** One measurement of a duration or a size. */
  record(name: string, value: number, labels?: Readonly<Record<string, string>>): void
  /** Runs `run` inside a span where somebody traces or watches, else just runs it. `of` says whose code it is; it is not copied. */
  span<T>(name: string, of: { readonly name: string }, run: () => T): T
  log(level: Level, message: string, fields?: Fields): void
}
