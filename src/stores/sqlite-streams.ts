/** Streams by number: a name, how many events it has had, and where each is. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { prepare } from './sqlite-rows.ts'
import { asNumber, columns } from './sqlite-values.ts'

/** A version is never given twice: `version` stays when events are trimmed. */
export const streamTables = [
  'create table streams (number integer primary key, name text not null unique, version integer not null)',
  `create table stream_events (
    stream integer not null, version integer not null, position integer not null, primary key (stream, version)
  ) without rowid`,
] as const

export class SqliteStreams {
  readonly #find: StatementSync
  readonly #create: StatementSync
  readonly #raise: StatementSync
  readonly #join: StatementSync

  constructor(db: DatabaseSync) {
    this.#find = prepare(db, 'select number, version from streams where name = ?')
    this.#create = prepare(db, 'insert into streams (name, version) values (?, 1) returning number')
    this.#raise = prepare(db, 'update streams set version = ? where number = ?')
    this.#join = prepare(db, 'insert into stream_events (stream, version, position) values (?, ?, ?)')
  }

  find(name: string): { readonly number: number; readonly version: number } | undefined {
    const found = this.#find.get(name)
    if (found === undefined) return undefined
    const [number, version] = columns(found)
    return { number: asNumber(number), version: asNumber(version) }
  }

  version(name: string): number {
    return this.find(name)?.version ?? 0
  }

  /** The number of the stream, and the version that the event at the position gets in it. */
  join(name: string, position: number): readonly [number, number] {
    const found = this.find(name)
    const version = (found?.version ?? 0) + 1
    const number = found?.number ?? asNumber(columns(this.#create.get(name))[0])
    if (found !== undefined) this.#raise.run(version, number)
    this.#join.run(number, version, position)
    return [number, version]
  }
}
