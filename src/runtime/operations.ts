/**
 * What operators ask for. A request is a row that only the lane's owner takes, so a redrive never races with live
 * events; pause and resume are rows that every owner
 * looks at. Whatever is asked leaves an entry in the log of operations, with who and when.
 */
import { changeOf } from '../flow/change.ts'
import { allLanes } from '../flow/lane-record.ts'
import { leaveRequest, setControl, type Request } from '../flow/requests.ts'
import { fault } from '../kit/fault.ts'
import type { IdMint } from '../kit/uuid-v7.ts'
import type { Environment } from '../ports/environment.ts'
import type { Key, Store } from '../ports/store.ts'
import { indexesKey } from '../state/kept-indexes.ts'
import { indexPart, spaceOf } from '../state/row-space.ts'
import { allIndexes } from './kept-indexes.ts'

export interface Operating {
  readonly store: Store
  readonly environment: Environment
  readonly changeId: IdMint
}

export interface Asked {
  /** Of the request, in the log of operations. */
  readonly operation: string
}

/** As it is kept in the log of operations, once it is done. */
export interface DoneOperation {
  readonly doneMs?: number
  /** No commit could carry it out. */
  readonly refused?: { readonly message: string }
}

export async function ask({ store, changeId }: Operating, subscription: string, lane: string, request: Request): Promise<Asked> {
  const operation = changeId()
  await leaveRequest(store, operation, subscription, lane, request)
  return { operation }
}

export async function setPaused(
  { store, changeId, environment }: Operating,
  subscription: string,
  paused: boolean,
  by: string,
  why?: string,
): Promise<Asked> {
  const operation = changeId()
  await setControl(store, operation, subscription, { paused, by, atMs: environment.nowMs(), ...(why === undefined ? {} : { why }) })
  return { operation }
}

/** Those that are done, after this long at most. What is not done is left, and waits for the owner. */
export async function untilDone(
  { store, environment }: Operating,
  operations: readonly string[],
  mostMs: number,
): Promise<ReadonlyMap<string, DoneOperation>> {
  const endMs = environment.monotonicMs() + mostMs
  const stop = new AbortController()
  const over = environment.wait(mostMs, stop.signal)
  const timeOut = new AbortController()
  void over.then(() => timeOut.abort())
  try {
    for (;;) {
      const hint = store.changed(['operation/'], timeOut.signal)
      const rows = await store.get(operations.map((key) => ({ kind: 'operation', part: '', key })))
      const done = new Map(rows.flatMap((row) => (row === undefined ? [] : [[row.key, JSON.parse(row.value) as DoneOperation]])))
      if (done.size === operations.length || environment.monotonicMs() >= endMs) return done
      await hint
    }
  } finally {
    stop.abort()
  }
}

/**
 * Deletes all that a removed subscription keeps, in steps that each fit a commit: its name last, so that what was
 * interrupted goes on when it is asked again.
 * Tells how many rows went.
 */
export async function forget(
  { store, environment, changeId }: Operating,
  subscription: { readonly name: string; readonly id: string },
  by: string,
): Promise<number> {
  const { id, name } = subscription
  const lanes = [...store.limits.lanes.map((lane) => lane.name), allLanes]
  const ofLanes = lanes.flatMap((lane) => ['hold', 'held', 'start', 'alive', 'request'].map((kind) => ({ kind, part: `${id}/${lane}` })))
  const space = spaceOf(id)
  const ofIndexes = (await allIndexes(store, id)).map((columns) => ({ kind: 'index', part: indexPart(space, columns) }))
  let rows = 0
  for (const { kind, part } of [
    ...ofLanes,
    { kind: 'once', part: id },
    ...ofIndexes,
    { kind: 'row', part: space },
    { kind: 'lane', part: id },
  ]) {
    rows += await deleteAll(store, changeId, kind, part)
  }
  const keys = [...['control', 'breaker'].map((kind) => ({ kind, part: '', key: id })), indexesKey(id)]
  const operation = {
    kind: 'operation',
    part: '',
    value: JSON.stringify({ op: 'forget', subscription: name, by, atMs: environment.nowMs(), rows }),
  }
  await change(store, changeId(), [...keys, { kind: 'subscription', part: '', key: name }], (key) => [{ ...operation, key }])
  return rows + 1
}

async function deleteAll(store: Store, changeId: IdMint, kind: string, part: string): Promise<number> {
  const limit = Math.min(500, Math.floor(store.limits.items / 2))
  for (let gone = 0; ;) {
    const rows = await store.scan({ kind, part, from: '', to: '', limit })
    if (rows.length === 0) return gone
    await change(
      store,
      changeId(),
      rows.map((row) => ({ kind: row.kind, part: row.part, key: row.key })),
    )
    gone += rows.length
  }
}

async function change(
  store: Store,
  id: string,
  deletes: readonly Key[],
  puts: (id: string) => readonly (Key & { readonly value: string })[] = () => [],
): Promise<void> {
  const committed = await store.commit(changeOf(store, id, { puts: puts(id), deletes }))
  if (!committed.ok) throw fault('STORE_FAILED', 'a change without conditions was refused')
}
