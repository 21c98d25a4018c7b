/** What an operator hears of a request that its owner takes, and that no commit can carry out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { nodeEnvironment } from '../../src/hosts/node-environment.ts'
import type { OperationView } from '../../src/observe/operation-log.ts'
import type { Settled } from '../../src/observe/operator.ts'
import { operatorDoor } from '../../src/observe/operator-door.ts'
import type { Telemetry } from '../../src/ports/telemetry.ts'
import { startRuntime } from '../../src/runtime/runtime.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { diner } from './diner.ts'

interface Told {
  readonly code?: string
  readonly settled?: readonly Settled[]
  readonly operations?: readonly OperationView[]
  readonly deadLetters?: readonly { readonly edits: number }[]
}

const rowBytes = 20_000
const telemetry: Telemetry = { count() {}, record() {}, log() {}, span: (_name, _fields, run) => run() }

test('given an edit whose record is larger than a row may be, when it is asked for, then it is told as refused, with why', async (t) => {
  const store = memoryStore({ nowMs: nodeEnvironment.nowMs, incarnation: 'first', limits: { rowBytes } })
  const runtime = await startRuntime(diner, { store, environment: nodeEnvironment, telemetry })
  t.after(() => runtime.stop())
  const { flow, door, plan } = runtime
  const { changeId } = flow.context
  const answer = operatorDoor({ store, flow, door, environment: nodeEnvironment, changeId, about: { app: plan.name }, events: plan.events })
  const ask = async (at: string, body?: object): Promise<Told> => {
    const sent = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    return (await answer(new Request(new URL(at, 'http://operators'), sent))).json() as Promise<Told>
  }
  await door.publish([{ type: 'Ordered', data: { order: 'b', table: 't1', dish: 'burnt' } }], { id: 'b-burnt' })
  while ((await ask('/v1/dead-letters')).deadLetters?.length !== 1) await turn()
  // The largest that its request can hold.
  let told: Told = { code: 'CHANGE_TOO_LARGE' }
  for (let size = rowBytes; told.code === 'CHANGE_TOO_LARGE'; size -= 20) {
    const data = JSON.stringify({ order: 'b', table: 't1', dish: 'x'.repeat(size) })
    told = await ask('/v1/dead-letters/edit', { id: 'b-burnt', data, by: 'ann' })
  }
  const [one] = told.settled ?? []
  assert.equal(one?.outcome, 'refused')
  assert.match(one?.why ?? '', /rowBytes/)
  const [operation] = (await ask('/v1/operations')).operations ?? []
  assert.deepEqual({ op: operation?.op, by: operation?.by, positions: operation?.positions }, { op: 'edit', by: 'ann', positions: [] })
  assert.match(operation?.why ?? '', /rowBytes/)
  assert.equal((await ask('/v1/dead-letters')).deadLetters?.[0]?.edits, 0)
})
