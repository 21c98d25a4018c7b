import assert from 'node:assert/strict'
import { test } from 'node:test'
import { telemetryTo } from './telemetry.ts'

function lines(form: 'text' | 'json', fields: Readonly<Record<string, unknown>>): readonly string[] {
  const written: string[] = []
  const sink = { form, least: 'info', colours: false, nowMs: () => 0, write: (line: string) => void written.push(line) } as const
  telemetryTo(sink).log('info', 'charged', fields)
  return written
}

const round: { self?: unknown } = {}
round.self = round

test('given fields that JSON cannot say, when they are logged, then the line is written, and nothing is thrown', () => {
  assert.deepEqual(lines('json', { cents: 10n, round, left: null }), [
    '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"charged","cents":"10","round":{"self":"(seen above)"},"left":null}',
  ])
  assert.deepEqual(lines('text', { cents: 10n, round, left: null }), [
    '00:00:00.000 info  charged  cents="10" round={"self":"(seen above)"} left=null',
  ])
  assert.match(lines('json', { moody: { toJSON: () => assert.fail('no') } })[0] ?? '', /"message":"charged"/)
})

test('given fields that are called as parts of a line are, when they are logged, then they hide nothing', () => {
  assert.deepEqual(lines('json', { level: 'high', message: 'mine', time: 5 }), [
    '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"charged","level_":"high","message_":"mine","time_":5}',
  ])
})
