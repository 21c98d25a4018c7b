import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { expectedOf } from './expected.ts'
import { observedBy, type Totals } from './observed.ts'
import { allDeliveries, requestOf, type Delivery } from './src/payloads.ts'

const secret = 'a secret of the test'
const all = allDeliveries()
const expected = expectedOf(all)
const sideBySide = 16
const kills = 3
/** What any of the processes has logged as a warning or worse. */
const complaints: string[] = []
const delivered = "from events where type = 'GithubDelivered'"
const limit = { timeout: 60_000 }
/** What `millrace` means here: the sources, or a package that was installed. */
const conditions = process.execArgv.filter((flag) => flag.startsWith('--conditions'))

interface Pulse {
  readonly url: string
  readonly child: ChildProcess
}

test(
  'given 329 real deliveries, when the process is killed again and again, then each is in the log once, and so is every effect',
  limit,
  async (t) => {
    const seed = Number(process.env['SEED'] ?? 7)
    t.diagnostic(`seed ${seed}`)
    const chance = chanceOf(seed)
    const folder = mkdtempSync(join(tmpdir(), 'pulse-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const acknowledged = new Set<string>()
    for (let start = 0; start < 3; start += 1) await stumble(folder, chance)
    for (let kill = 0; kill < kills; kill += 1) {
      const pulse = await open(folder)
      await repeatSome(pulse, acknowledged, chance)
      await deliverUntil(pulse, acknowledged, acknowledged.size + 20 + Math.floor(chance() * 45))
      assert.ok(acknowledged.size < all.length, 'it was killed in the middle')
    }
    const pulse = await open(folder)
    t.after(() => pulse.child.kill('SIGKILL'))
    await deliverUntil(pulse, acknowledged, all.length)
    assert.equal(acknowledged.size, all.length)
    await repeatSome(pulse, acknowledged, chance)
    await refuseWrongOnes(pulse)
    await settled(pulse, folder)
    const { deliveries, senders, work } = expected
    assert.deepEqual(await observedBy((path) => ask(pulse, path)), { deliveries, senders, work })
    pulse.child.kill('SIGTERM')
    assert.deepEqual(await once(pulse.child, 'exit'), [0, null])
    assert.deepEqual(logged(folder), { delivered: all.map(({ id, kind }) => `${id} ${kind} 1`).toSorted(), emitted: expected.emitted })
    assert.deepEqual(noticesIn(folder), expected.notices)
    assert.deepEqual(complaints, [])
  },
)

/** What was acknowledged is known after every crash: it answers 200, and has no effect. */
async function repeatSome(pulse: Pulse, acknowledged: ReadonlySet<string>, chance: () => number): Promise<void> {
  const some = all.filter(({ id }) => acknowledged.has(id) && chance() < 0.2)
  await Promise.all(
    some.map(async (delivery) => {
      const answer = await post(pulse, delivery)
      assert.deepEqual([answer.status, await answer.json()], [200, { ids: [delivery.id], repeated: true }])
    }),
  )
}

/** Kills the process at that many acknowledgements; what was under way then has no answer. */
async function deliverUntil(pulse: Pulse, acknowledged: Set<string>, enough: number): Promise<void> {
  const left = all.filter(({ id }) => !acknowledged.has(id))
  let alive = true
  const deliverSome = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined && alive; next = left.shift()) {
      const answer = await post(pulse, next).catch(() => undefined)
      if (answer === undefined) {
        assert.equal(alive, false, 'only a dead process does not answer')
        return
      }
      assert.ok(answer.status === 202 || answer.status === 200, `${next.kind}: ${answer.status}`)
      acknowledged.add(next.id)
      if (acknowledged.size < enough || !alive || enough === all.length) continue
      alive = false
      pulse.child.kill('SIGKILL')
    }
  }
  await Promise.all(Array.from({ length: sideBySide }, deliverSome))
  if (!alive && pulse.child.exitCode === null && pulse.child.signalCode === null) await once(pulse.child, 'exit')
}

async function refuseWrongOnes(pulse: Pulse): Promise<void> {
  const [first] = all
  assert.ok(first !== undefined)
  const fresh = { ...first, id: 'never-seen' }
  assert.equal((await post(pulse, fresh, 'not the secret')).status, 401)
  assert.equal((await post(pulse, { ...first, kind: 'other' })).status, 409)
  assert.equal((await post(pulse, { ...fresh, body: '{"sender":' })).status, 400)
}

/** Everything that must come has come; whatever comes beyond it is found afterwards. */
async function settled(pulse: Pulse, folder: string): Promise<void> {
  const wanted: Totals = {
    deliveries: all.length,
    bySenders: all.length,
    arrivals: expected.emitted.filter((one) => one.startsWith('WorkArrived')).length,
    work: Object.keys(expected.work).length,
    alarms: expected.emitted.filter((one) => one.startsWith('AlarmRaised')).length,
  }
  for (let tries = 0; ; tries += 1) {
    const totals = await ask(pulse, '/totals')
    const told = noticesIn(folder).length
    if (JSON.stringify(totals) === JSON.stringify(wanted) && told >= expected.notices.length) return
    assert.ok(tries < 500, `it does not settle: ${JSON.stringify({ totals, told, wanted, notices: expected.notices.length })}`)
    await pause(20)
  }
}

function logged(folder: string): { readonly delivered: readonly string[]; readonly emitted: readonly string[] } {
  return reading(join(folder, 'pulse.db'), (db) => ({
    delivered: lines(db, `select id || ' ' || (data ->> '$.kind') || ' ' || count(*) as line ${delivered} group by source, id`),
    emitted: lines(db, `select type || ' ' || cause as line from events where type <> 'GithubDelivered'`),
  }))
}

/** The key of a notice says of which event it is; the notices of alarms are told by the delivery that caused the alarm. */
function noticesIn(folder: string): readonly string[] {
  const keys = reading(join(folder, 'notices.db'), (db) => lines(db, `select by || ' ' || key as line from notices`))
  const raised = "select id || ' ' || cause as line from events where type = 'AlarmRaised'"
  const alarms = reading(join(folder, 'pulse.db'), (db) => lines(db, raised))
  const causes = new Map(alarms.map((line) => line.split(' ') as [string, string]))
  return keys
    .map((line) => {
      const [by, key = ''] = line.split(' ')
      const event = key.split('/').at(-2) ?? ''
      return `${by} ${causes.get(event) ?? event}`
    })
    .toSorted()
}

function reading<T>(path: string, read: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return read(db)
  } finally {
    db.close()
  }
}

function lines(db: DatabaseSync, query: string): string[] {
  return db
    .prepare(query)
    .all()
    .map(({ line }) => String(line))
    .toSorted()
}

async function open(folder: string): Promise<Pulse> {
  const child = begin(folder)
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error('pulse ended before it listened')))
    createInterface({ input: child.stdout }).on('line', (text) => {
      const [, found] = /listens at (http:\S+),/.exec(text) ?? []
      if (found !== undefined) resolve(found)
      if (text.startsWith('{') && !text.includes('"level":"info"')) complaints.push(text)
    })
  })
  return { url, child }
}

/** Killed somewhere on its way up. */
async function stumble(folder: string, chance: () => number): Promise<void> {
  const child = begin(folder)
  const ended = once(child, 'exit')
  await pause(chance() * 400)
  child.kill('SIGKILL')
  await ended
}

function begin(folder: string) {
  const line = [...conditions, join(import.meta.dirname, 'src/main.ts'), '--port', '0', '--data', folder]
  return spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, GITHUB_SECRET: secret } })
}

function post({ url }: Pulse, delivery: Delivery, by = secret): Promise<Response> {
  return fetch(`${url}/hooks/github`, requestOf(delivery, by))
}

async function ask({ url }: Pulse, path: string): Promise<unknown> {
  return (await fetch(`${url}${path}`)).json()
}

/** From 0 up to 1, the same for the same seed. */
function chanceOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 4_294_967_296
  }
}
