/** What a disk may forget, and what it may not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomOf } from '../../src/testing/sim-random.ts'
import { DiskModel } from './disk-model.ts'
import type { DiskStep, DiskWrite } from './disk-trace.ts'

const file = { id: 1 }
const named: DiskStep = { is: 'name', name: 'a', file }
const write = (at: number, letter: string, length = 1_024): DiskWrite => ({ file, at, bytes: Buffer.alloc(length, letter) })
const all = (one: DiskWrite): readonly DiskStep[] => [
  { is: 'write', write: one },
  { is: 'written', write: one },
]
const sync = (call: number, of: typeof file | 'folder'): readonly DiskStep[] => [
  { is: 'sync', call, file: of },
  { is: 'synced', call, file: of },
]

/** Of a thousand cuts, each that differs, by its first letters of each sector. */
function cutsAfter(steps: readonly DiskStep[]): ReadonlySet<string> {
  const model = new DiskModel()
  for (const step of steps) model.apply(step)
  const random = randomOf(1)
  return new Set(Array.from({ length: 1_000 }, () => seen(model.cut(random).files.get('a'))))
}

function seen(bytes: Buffer | undefined): string {
  if (bytes === undefined) return 'absent'
  return Array.from({ length: Math.ceil(bytes.length / 512) }, (_, at) =>
    bytes[at * 512] === 0 ? '.' : String.fromCharCode(bytes[at * 512] ?? 0),
  ).join('')
}

test('given what was synced, name and all, when the power is cut, then it is there, and no other state is', () => {
  assert.deepEqual(cutsAfter([named, ...all(write(0, 'x')), ...sync(1, file), ...sync(2, 'folder')]), new Set(['xx']))
})

test('given a name whose folder was not synced, when the power is cut, then it may be absent', () => {
  assert.deepEqual(cutsAfter([named, ...all(write(0, 'x')), ...sync(1, file)]), new Set(['xx', 'absent']))
})

test('given a write that was not synced, when the power is cut, then it is there, or not, or torn at a sector, or only its size is', () => {
  const before = [named, ...all(write(0, 'x')), ...sync(1, file), ...sync(2, 'folder')]
  assert.deepEqual(cutsAfter([...before, ...all(write(1_024, 'y'))]), new Set(['xx', 'xxyy', 'xxy', 'xx.y', 'xx..']))
  assert.deepEqual(cutsAfter([...before, ...all(write(0, 'y'))]), new Set(['xx', 'yy', 'yx', 'xy']))
})

test('given two writes that were not synced, when the power is cut, then the later may be there without the earlier', () => {
  const found = cutsAfter([named, ...sync(1, 'folder'), ...all(write(0, 'x', 512)), ...all(write(512, 'y', 512))])
  for (const state of ['', 'x', '.y', 'xy']) assert.ok(found.has(state), `${state} was not found in ${[...found].join(' ')}`)
})

test('given a sync, when a write came after its beginning or it has not ended, then it holds for nothing of that', () => {
  const begun: readonly DiskStep[] = [named, ...sync(1, 'folder'), ...all(write(0, 'x', 512)), { is: 'sync', call: 2, file }]
  assert.deepEqual(cutsAfter(begun), new Set(['', 'x', '.']))
  const later = [...begun, ...all(write(512, 'y', 512)), { is: 'synced', call: 2, file } as const]
  assert.deepEqual(cutsAfter(later), new Set(['x', 'xy', 'x.']))
  const [start, end] = all(write(512, 'y', 512))
  assert.ok(start !== undefined && end !== undefined)
  assert.deepEqual(cutsAfter([named, ...sync(1, 'folder'), start, ...sync(2, file), end]).has(''), true)
})
