/** A change in one line, for the story of a seed. */
import type { Change, Committed, Refused } from '../../src/ports/store.ts'
import type { Seen } from './model.ts'

export function storyOf(change: Change, committed: Extract<Committed, { ok: true }>): string {
  const lane = change.puts.find(({ kind }) => kind === 'lane')
  const parts = [
    ...committed.at.map(({ position }, at) => `+${position.replace(/^0+/, '')}(${change.appends[at]?.event.key})`),
    ...change.puts
      .filter(({ kind }) => kind !== 'lane')
      .map(
        ({ kind, key, value }) =>
          `${kind} ${key.replace(/0{6,}/, '')}${kind === 'hold' || kind === 'breaker' ? ` ${value.slice(0, 80)}` : ''}`,
      ),
    ...change.deletes.map(({ kind, key }) => `-${kind} ${key.replace(/0{6,}/, '')}`),
  ]
  const { mark, holes } = lane === undefined ? { mark: '', holes: [] } : (JSON.parse(lane.value) as { mark: string; holes: string[] })
  const place =
    lane === undefined
      ? ''
      : ` ${lane.part}/${lane.key} mark ${mark.replace(/^0+/, '')} holes [${holes.map((hole) => hole.replace(/0{6,}/, '')).join(' ')}]`
  return `${place} ${parts.join(', ')}`
}

export function storyOfEvents(seen: readonly Seen[]): string {
  return seen.map(({ event }) => `${event.position.replace(/^0+/, '')}(${event.key})`).join(' ')
}

export function storyOfRefusal({ rows, ids }: Refused): string {
  return [...rows.map(({ kind, key }) => `${kind} ${key}`), ...ids.map((id) => id.replaceAll('\n', ' '))].join(', ')
}
