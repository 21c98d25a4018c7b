/** The command line against an app that runs on a SQLite file: through its socket, and on the file itself once it has stopped. */
import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { appFile, newPlace, type Started } from './command-line.ts'

const place = newPlace()
let running: Started

interface Letters {
  readonly deadLetters: readonly { readonly id: string; readonly behind: number; readonly attempts: number }[]
}

before(async () => {
  running = await place.start(['start', appFile, '--port', '0'])
})
after(() => place.remove())

const dish = (order: string, what: string): string => JSON.stringify({ order, table: 't1', dish: what })

test('given an app that is started, when one looks beside its store, then a socket for this user alone is there', async () => {
  assert.equal(statSync(`${place.store}.sock`).mode & 0o777, 0o600)
  assert.deepEqual(
    [running.told['socket'], running.told['store'], running.told['message']],
    [`${place.store}.sock`, place.store, 'diner runs'],
  )
  assert.equal((await fetch(`${running.told['url']}/tables`)).status, 200)
})

test('given events that are published, when their ids are known, then a repeat says so, and other content is refused', async () => {
  const first = await place.run(['publish', 'Ordered', dish('b', 'burnt'), '--id', 'b1'])
  assert.deepEqual([first.code, first.out], [0, 'b1\n'])
  assert.equal((await place.run(['publish', 'Ordered', '-', '--id', 'b1'], dish('b', 'burnt'))).out, 'b1 was published before\n')
  const other = await place.run(['publish', 'Ordered', dish('b', 'soup'), '--id', 'b1'])
  assert.equal(other.code, 1)
  assert.match(other.err, /^ID_TAKEN: .*\nUse a new id/)
  const [wrong, broken] = await Promise.all([
    place.run(['publish', 'Ordered', '{"order":"b"}']),
    place.run(['publish', 'Ordered', '{"order":']),
  ])
  assert.match(wrong.err, /^VALIDATION_FAILED: Ordered: \/table /)
  assert.match(broken.err, /^JSON_BROKEN: /)
  assert.deepEqual([wrong.code, broken.code], [1, 1])
  await place.json(['publish', 'Ordered', dish('b', 'pie'), '--id', 'b2'])
})

test('given a key that is parked, when one looks at it as text, then the screens say what, where and why', async () => {
  while ((await place.json<Letters>(['dead-letters'])).deadLetters[0]?.behind !== 1);
  const [list, subscriptions, trail, shown] = await Promise.all(
    [['dead-letters'], ['subscriptions'], ['event', 'b1'], ['dead-letters', 'show', 'b1']].map((words) => place.run(words)),
  )
  assert.equal(
    timeless(list?.out),
    `SUBSCRIPTION  KEY  EVENT  TYPE  PARKED  TRIES  BEHIND  WHY
cook  b  b1  Ordered  _ ago  2  1  the pan is on fire

millrace dead-letters show EVENT tells more; redrive, edit or discard settles it
`,
  )
  assert.equal(
    subscriptions?.out,
    `SUBSCRIPTION  KIND        STATE    LAG  HELD  PARKED  DONE  FAILED
cook          fn          running    0     0       1     0       2
serve         fn          running    0     0       0     0       0
tables        projection  running    0     0       0     2       0

cook: a key is parked; millrace dead-letters --subscription cook
`,
  )
  assert.equal(
    timeless(trail?.out),
    `Ordered b1
version 1 from diner, key b, at _, lane 0-1023, position 1
{"order":"b","table":"t1","dish":"burnt"}

SUBSCRIPTION  STATE  WHY
cook  parked  after 2 attempts; the pan is on fire; until it is redriven, edited or discarded
serve  filtered  it takes no Ordered
tables  done
`,
  )
  const told = timeless(shown?.out)
  assert.match(told, /^Ordered b1, parked in cook _ ago after 2 attempts\nfrom diner at _, key b, position 1\n\nthe pan is on fire\n +at /)
  assert.ok(told.endsWith('\n\ndata  {"order":"b","table":"t1","dish":"burnt"}\n\n1 of its key waits behind it:\n  Ordered b2\n'), told)
})

test('given a key that is parked, when it is edited and redriven, then the rest follows, and the log of operations says who', async () => {
  const edited = await place.run(['dead-letters', 'edit', 'b1', dish('b', 'flan'), '--redrive', '--by', 'ann'])
  assert.deepEqual([edited.code, edited.out], [0, 'edited and redriven: b1 of cook, key b\n'])
  assert.equal((await place.run(['dead-letters', 'list'])).out, 'nothing is parked\n')
  const { operations } = await place.json<{ operations: { op: string; by: string }[] }>(['operations'])
  assert.deepEqual(
    operations.map(({ op, by }) => [op, by]),
    [
      ['redrive', 'ann'],
      ['edit', 'ann'],
    ],
  )
  const again = await place.run(['dead-letters', 'redrive', 'b1'])
  assert.equal(again.code, 3)
  assert.match(again.err, /^DEAD_LETTER_UNKNOWN: .*nothing is parked\n/)
})

test('given the log, when it is followed, then what comes is written line by line, until enough has come', async () => {
  const [tail] = await Promise.all([
    place.run(['tail', '--from', 'start', '--type', 'Ordered', '--key', 'z', '--limit', '1', '--json']),
    place.run(['publish', 'Ordered', dish('z', 'soup'), '--id', 'z1']),
  ])
  assert.equal((JSON.parse(tail.out) as { id: string }).id, 'z1')
  assert.equal(tail.out.trim().split('\n').length, 1)
  const all = await place.run(['tail', '--from', 'start', '--no-follow', '--type', 'Ordered'])
  assert.match(all.out, /^\d\d:\d\d:\d\d\.\d{3} Ordered b1 key b \{"order":"b","table":"t1","dish":"burnt"\}\n/)
})

test('given what cannot be done, when commands are run, then the fault says why, and the exit code which kind it was', async () => {
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['subscriptons'], 2, /^USAGE_WRONG: there is no command 'subscriptons'; did you mean subscriptions\?/],
    [['event', 'b11'], 3, /^EVENT_NOT_FOUND: /],
    [['subscriptions', '--store', 'no.db'], 3, /^STORE_ABSENT: /],
    [['check', appFile, '--env-file', 'no.env'], 9, /no\.env: not found/],
    [['forget', 'cook', '--yes'], 1, /^SUBSCRIPTION_RUNS: /],
    [['start', appFile, '--port', '0'], 4, /held by process \d+ on .*: it waits for a moment\nSTORE_HELD: .*held by process/],
    [['dead-letters', 'redrive'], 2, /^OPERATION_INVALID: /],
  ]
  const ended = await Promise.all(cases.map(([words]) => place.run(words)))
  for (const [i, [words, code, says]] of cases.entries()) {
    assert.match(ended[i]?.err ?? '', says, words.join(' '))
    assert.equal(ended[i]?.code, code, words.join(' '))
    assert.doesNotMatch(ended[i]?.err ?? '', /\n {4}at /, 'no stack')
  }
  const json = await place.run(['pause', 'cok', '--json'])
  assert.deepEqual([json.out, (JSON.parse(json.err) as { error: { code: string } }).error.code], ['', 'SUBSCRIPTION_UNKNOWN'])
})

test('given a key as long as a page, when its event is parked, then text shows where it begins, and JSON all of it', async () => {
  const key = 'long '.repeat(200)
  await place.run(['publish', 'Ordered', dish(key, 'burnt'), '--id', 'l1'])
  while ((await place.json<Letters>(['dead-letters'])).deadLetters.length === 0);
  const texts = await Promise.all([['dead-letters'], ['event', 'l1'], ['dead-letters', 'show', 'l1']].map((words) => place.run(words)))
  for (const { out } of texts) {
    assert.ok(out.includes(`${key.slice(0, 59)}…`))
    assert.ok(!out.replace(/^.*\{"order".*$/m, '').includes(key.slice(0, 61)))
  }
  const { deadLetters } = await place.json<{ deadLetters: { key: string }[] }>(['dead-letters'])
  assert.equal(deadLetters[0]?.key, key)
  assert.match((await place.run(['dead-letters', 'discard', 'l1'])).out, /^discarded: l1 of cook, key (?:long ){11}long…\n$/)
  assert.ok((await place.run(['operations'])).out.split('\n').every((line) => line.length < 200))
})

test('given help is asked for, when a command is named, then it shows its options and examples', async () => {
  const [one, version, all] = await Promise.all([place.run(['dead-letters', 'edit', '-h']), place.run(['--version']), place.run([])])
  assert.match(all.out, /^ {2}dead-letters redrive \[ID…\] +run them again/m)
  assert.match(one.out, /^Usage {2}millrace dead-letters edit ID JSON\|@FILE\|- \[options\]$/m)
  assert.match(one.out, /^Examples\n {2}millrace dead-letters edit evt_8812 /m)
  assert.match(version.out, /^\d+\.\d+\.\d+\n$/)
  assert.deepEqual([one.code, version.code, all.code], [0, 0, 2], 'without a command it is not written right')
})

test('given the app is stopped, when one asks all the same, then the file tells, or what is asked is left for the next start', async () => {
  await place.run(['publish', 'Ordered', dish('c', 'burnt'), '--id', 'c1'])
  while ((await place.json<Letters>(['dead-letters'])).deadLetters.length === 0);
  assert.equal(await running.end('SIGTERM'), 0)
  assert.match(running.said(), /SIGTERM: it drains, and stops/)
  assert.ok(!existsSync(`${place.store}.sock`))
  const looked = await place.run(['subscriptions'])
  assert.match(looked.out, /^cook +fn +not running/m)
  assert.match(looked.err, /^no app runs on this store/)
  assert.match((await place.run(['dead-letters', 'discard', 'c1'])).out, /^left: c1 of cook, key c; no running app has this subscription/)
  assert.equal((await place.run(['publish', 'Ordered', dish('d', 'soup')])).code, 4)
  running = await place.start(['start', appFile, '--no-http'])
  assert.equal(running.told['url'], undefined)
  while ((await place.json<Letters>(['dead-letters'])).deadLetters.length > 0);
})

test('given the app is killed, when it starts again, then the socket that it left is replaced', async () => {
  await running.end('SIGKILL')
  assert.ok(existsSync(`${place.store}.sock`))
  assert.equal((await place.run(['lanes'])).code, 0, 'the file itself, past a socket that nobody listens at')
  running = await place.start(['start', appFile, '--no-http'])
  assert.match((await place.run(['subscriptions'])).out, /^cook +fn +running/m)
})

/** Columns are as wide as the time that has passed. */
function timeless(text = ''): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '_')
    .replaceAll(/\d+[smh] ago/g, '_ ago')
    .replaceAll(/ {2,}(?=\S)/g, '  ')
}
