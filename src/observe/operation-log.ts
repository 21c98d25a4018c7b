/** What operators did: who, what, when, and whether the owner has carried it out. */
import { timeText } from '../plan/stored-of.ts'
import type { Row } from '../ports/store.ts'
import { timeOfUuidV7 } from '../kit/uuid-v7.ts'
import { knownSubscriptions, type Observed } from './observed.ts'

export interface OperationView {
  readonly operation: string
  readonly op: string
  readonly subscription: string
  readonly key?: string
  readonly by: string
  readonly at: string
  readonly doneAt?: string
  /** Of the events that it touched. */
  readonly positions: readonly string[]
  readonly why?: string
}

/** As flow writes them: pause and resume as they were asked, requests once they were carried out. */
interface Written {
  readonly op?: string
  readonly asked?: { readonly kind: string; readonly key: string }
  readonly value?: string
  readonly subscription?: string
  readonly part?: string
  readonly key?: string
  readonly by?: string
  readonly atMs?: number
  readonly doneMs?: number
  readonly positions?: readonly string[]
  readonly position?: string
  readonly paused?: boolean
  readonly refused?: { readonly message: string }
  readonly why?: string
}

/** The newest first. */
export async function operationLog(observed: Observed, limit: number): Promise<readonly OperationView[]> {
  const names = new Map((await knownSubscriptions(observed)).map(({ id, name }) => [id, name]))
  const rows = await observed.store.scan({ kind: 'operation', part: '', from: '', to: '', limit, reverse: true })
  return rows.map((row) => viewOf(row, names))
}

/** Of one subscription, by its id: those of the last few thousand. */
export async function operationsOn(observed: Observed, id: string): Promise<readonly OperationView[]> {
  const rows = await observed.store.scan({ kind: 'operation', part: '', from: '', to: '', limit: 2_000, reverse: true })
  return rows.map((row) => viewOf(row, new Map())).filter(({ subscription }) => subscription === id)
}

function viewOf(row: Row, names: ReadonlyMap<string, string>): OperationView {
  const written = JSON.parse(row.value) as Written
  const { asked } = written
  const said = asked === undefined ? written : (JSON.parse(written.value ?? '{}') as Written)
  const id = asked?.key ?? written.subscription ?? subscriptionIn(written.part ?? '')
  const op = asked === undefined ? (written.op ?? '') : said.paused === true ? 'pause' : 'resume'
  // Why it was refused, or why it was asked for.
  const why = written.refused?.message ?? said.why
  return {
    ...{ operation: row.key, op, subscription: names.get(id) ?? id },
    ...(written.key === undefined ? {} : { key: written.key }),
    by: said.by ?? '',
    at: timeText(said.atMs ?? timeOfUuidV7(row.key) ?? 0),
    ...(written.doneMs === undefined ? {} : { doneAt: timeText(written.doneMs) }),
    // What a merged subscription stands at has no row, so only the request names it.
    positions: written.key === undefined && written.position !== undefined ? [written.position] : (written.positions ?? []),
    ...(why === undefined ? {} : { why }),
  }
}

/** A part is the subscription's id and its lane. */
function subscriptionIn(part: string): string {
  return part.slice(0, part.lastIndexOf('/'))
}
