/**
 * What operators ask of a subscription: rows that they leave, and that the owner of the lane takes. Nobody but the
 * owner touches held keys, so that a redrive
 * never races with live events. Each is recorded with who and when, in the commit that carries it out.
 */
import { changeOf } from './change.ts'
import type { Code } from '../kit/fault-codes.ts'
import { fault } from '../kit/fault.ts'
import type { Key, Position, Put, Row, Store } from '../ports/store.ts'

export type Request =
  /** From the key's head, at attempt 0, through today's code; live events queue behind. `onlyIf`: where it is parked for this. */
  | { readonly op: 'redrive'; readonly key: string; readonly by: string; readonly atMs: number; readonly onlyIf?: Code }
  /** One event, or all of a key; without a key, the event that a merged subscription stands at. Discarded is done. */
  | { readonly op: 'discard'; readonly key?: string; readonly position?: Position; readonly by: string; readonly atMs: number }
  /** Other data in place of the event's: a new run. */
  | {
      readonly op: 'edit'
      readonly key: string
      readonly position: Position
      readonly data: string
      readonly by: string
      readonly atMs: number
    }

export interface Control {
  readonly paused: boolean
  readonly by: string
  readonly atMs: number
  readonly why?: string
}

export function requestPart(id: string, lane: string): string {
  return `${id}/${lane}`
}

export function controlKey(id: string): Key {
  return { kind: 'control', part: '', key: id }
}

export function decodeRequest(row: Row): Request {
  return JSON.parse(row.value) as Request
}

/** `changeId` is unique and time-ordered: requests are taken in its order. */
export async function leaveRequest(store: Store, changeId: string, id: string, lane: string, request: Request): Promise<void> {
  if (request.op === 'edit') mustBeJson(request.data)
  const row = { kind: 'request', part: requestPart(id, lane), key: changeId, value: JSON.stringify(request) }
  await store.commit(changeOf(store, changeId, { puts: [row] }))
}

/** Pause and resume are durable, and stand until the other. */
export async function setControl(store: Store, changeId: string, id: string, control: Control): Promise<void> {
  await store.commit(changeOf(store, changeId, { puts: controlPuts(changeId, id, control) }))
}

/** The row, and that of the log of operations. */
export function controlPuts(changeId: string, id: string, control: Control): readonly Put[] {
  const asked = controlKey(id)
  const value = JSON.stringify(control)
  return [
    { ...asked, value },
    { kind: 'operation', part: '', key: changeId, value: JSON.stringify({ asked, value }) },
  ]
}

function mustBeJson(text: string): void {
  try {
    JSON.parse(text)
  } catch (error) {
    throw fault('EDIT_NOT_JSON', 'the edited data is not JSON', {}, error)
  }
}
