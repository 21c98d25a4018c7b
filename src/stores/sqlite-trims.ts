/** What is no longer kept: events go at once, and of each lane and stream stays written down how far which type is gone. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Change, Lane } from '../ports/store.ts'
import { positionNumber } from './lane-ranges.ts'
import { prepare } from './sqlite-rows.ts'
import { asNumber, asText, columns } from './sqlite-values.ts'

/** `scope`: `lane 0-255` or `stream 12`. Under the type '' stands how far all types are gone. */
export const trimmedTable =
  'create table trimmed (scope text not null, type text not null, up_to integer not null, primary key (scope, type)) without rowid'

export class SqliteTrims {
  readonly #lanes: readonly Lane[]
  readonly #going: StatementSync
  readonly #goingTypes: StatementSync
  readonly #delete: StatementSync
  readonly #leave: StatementSync
  readonly #gone: StatementSync
  readonly #keepHead: StatementSync

  constructor(db: DatabaseSync, lanes: readonly Lane[]) {
    this.#lanes = lanes
    const going = 'select position, type, member_of from events where position <= ? and slot between ? and ?'
    this.#going = prepare(db, `${going} order by position`)
    this.#goingTypes = prepare(db, `${going} and type in (select value from json_each(?)) order by position`)
    this.#delete = prepare(db, 'delete from events where position = ?')
    this.#leave = prepare(db, 'delete from stream_events where stream = ? and version = ?')
    this.#gone = prepare(
      db,
      `insert into trimmed (scope, type, up_to) values (?, ?, ?)
       on conflict (scope, type) do update set up_to = max(up_to, excluded.up_to)`,
    )
    this.#keepHead = prepare(db, `insert into store (name, value) values (?, ?) on conflict (name) do update set value = excluded.value`)
  }

  /** Nothing beyond the head as it was before the change: a later event is not meant. */
  apply(trims: Change['trims'], head: number, storeMs: number): void {
    for (const { lane: name, upTo, types } of trims) {
      const lane = this.#lanes.find((each) => each.name === name)
      if (lane === undefined) continue
      const end = Math.min(positionNumber(upTo), head)
      const range = [end, lane.from, lane.to] as const
      const going = types === undefined ? this.#going.all(...range) : this.#goingTypes.all(...range, JSON.stringify(types))
      for (const event of going) this.#take(columns(event), `lane ${name}`, types === undefined)
      if (types === undefined) this.#gone.run(`lane ${name}`, '', end)
    }
    // The newest event may be among them: what it told when the store is opened is told by these.
    this.#keepHead.run('head', head)
    this.#keepHead.run('stored_ms', storeMs)
  }

  #take(event: readonly unknown[], lane: string, all: boolean): void {
    const position = asNumber(event[0])
    const type = asText(event[1])
    this.#delete.run(position)
    this.#gone.run(lane, type, position)
    if (event[2] === null) return
    const members: unknown = JSON.parse(asText(event[2]))
    for (const member of columns(members)) {
      const [stream, version] = columns(member).map(asNumber)
      this.#leave.run(stream ?? 0, version ?? 0)
      this.#gone.run(`stream ${stream}`, type, version ?? 0)
      if (all) this.#gone.run(`stream ${stream}`, '', version ?? 0)
    }
  }
}
