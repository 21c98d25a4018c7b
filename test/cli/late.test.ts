/** What is staged when a turn is over has no effect, is told with its place, and ends no process. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { newPlace, type Started } from './command-line.ts'

const place = newPlace()
after(() => place.remove())
const app = join(import.meta.dirname, 'late.ts')

const ask = (started: Started, how: string): Promise<Response> =>
  fetch(`${started.told['url']}/asked`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: how, how }),
  })

async function said(started: Started, line: RegExp): Promise<string> {
  const closed = once(started.child, 'close').then(() => true)
  for (;;) {
    const found = started
      .said()
      .split('\n')
      .find((one) => line.test(one))
    if (found !== undefined) return found
    if ((await Promise.race([once(started.child.stdout ?? started.child, 'data'), closed])) === true) assert.fail(started.said())
  }
}

test('given handlers that stage after their turn, when nobody awaits it, then the log says which and where, and all goes on', async () => {
  const started = await place.start(['start', app, '--port', '0'])
  for (const [how, name] of [
    ['timer', 'in-a-timer'],
    ['unawaited', 'unawaited'],
    ['slow', 'too-slow'],
    ['rows', 'late-rows'],
  ] as const) {
    assert.equal((await ask(started, how)).status, 202)
    const line = await said(started, new RegExp(`TURN_CLOSED: ${name}: .*it has no effect`))
    if (how !== 'slow') assert.match(line, /late\.ts:\d+:\d+/)
    assert.match(line, new RegExp(`"subscription":"${name}"`))
  }
  assert.equal((await ask(started, 'timer')).status, 202)
  assert.equal(await started.end('SIGTERM'), 0)
})

test('given a throw that nobody catches and that is no late effect, when it happens, then the process ends, as Node has it', async () => {
  const started = await place.start(['start', app, '--port', '0'])
  const closed = once(started.child, 'close')
  await ask(started, 'stray').catch(() => undefined)
  const [code] = await closed
  assert.notEqual(code, 0)
  assert.match(started.said(), /nobody caught this/)
})
