/** Many keys that meet in one row: the loser reruns, and a rerun is never an attempt. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Turn } from '../../src/flow/turn.ts'
import { consumer } from './consumer.ts'
import { effectOf, engines, happened, ids, Stage } from './stage.ts'

const sum = { kind: 'sum', part: 'f', key: 'all' }

for (const engine of engines) {
  test(`given 100 keys that add to one row, when 20 race, then the sum is exact, and no rerun is an attempt (${engine})`, async () => {
    const stage = await Stage.open(engine)
    const attempts = new Set<number>()
    const running = { now: 0, most: 0 }
    await stage.life(({ environment }) => [
      consumer({
        async run(turn) {
          running.most = Math.max(running.most, ++running.now)
          attempts.add(turn.attempt)
          const row = await turn.get(sum)
          await environment.wait(environment.random() * 5)
          running.now -= 1
          const { event, parts } = turn.taken[0] ?? assert.fail()
          turn.put(sum, String(Number(row?.value ?? 0) + (parts[0] as { by: number }).by))
          const effect = effectOf('f', event)
          turn.put(effect, effect.value)
        },
      }),
    ])
    await stage.publish(Array.from({ length: 100 }, (_, i) => happened(i, `key ${i}`, { by: i })))
    assert.ok(await stage.until(() => stage.effects.length >= 100, 60_000))
    await stage.pass(1_000)
    assert.equal(await stage.row('sum', 'f', 'all'), String((99 * 100) / 2))
    assert.equal(new Set(ids(stage.effects)).size, 100)
    assert.equal(stage.effects.length, 100)
    assert.deepEqual([...attempts], [1])
    assert.ok((stage.counted.get('millrace_reruns_total') ?? 0) > 0)
    assert.ok(running.most > 10, `${running.most} ran side by side`)
    assert.equal((await stage.record('f')).counts.failed, 0)
  })
}

const names = ['x', 'y', 'z']
const rowOf = (key: string) => ({ kind: 'shared', part: 'f', key })

/** What an event reads and writes, made of its number. */
function programOf(n: number): { readonly reads: readonly string[]; readonly writes: readonly string[] } {
  const drawn = Math.imul(n + 1, 0x9e3779b1) >>> 8
  return { reads: names.filter((_, i) => (drawn >> i) % 2 === 1), writes: names.filter((_, i) => (drawn >> (i + 4)) % 2 === 1) }
}

function valueOf(n: number, name: string, read: readonly (string | undefined)[]): string {
  return `${n}${name}(${read.map((value) => (value === undefined ? '-' : String(value.length % 97) + value.slice(0, 3))).join()})`
}

async function runProgram(turn: Turn, rest: () => Promise<void>): Promise<void> {
  for (const { event } of turn.taken) {
    const n = Number(event.id)
    const { reads, writes } = programOf(n)
    const read: (string | undefined)[] = []
    for (const name of reads) {
      read.push((await turn.get(rowOf(name)))?.value)
      await rest()
    }
    for (const name of writes) turn.put(rowOf(name), valueOf(n, name, read))
    const effect = effectOf('f', event)
    turn.put(effect, effect.value)
  }
}

for (const engine of engines) {
  for (const size of [undefined, 3]) {
    const how = size === undefined ? 'one by one' : `in batches of ${size}`
    test(`given turns ${how} that read and write three rows, when all are done, then as if one after another (${engine})`, async () => {
      for (let seed = 1; seed <= 6; seed += 1) {
        const stage = await Stage.open(engine, { seed, wayMs: 0.05 })
        const { random } = stage.world
        const rest = (): Promise<void> => new Promise((resolve) => void stage.world.after(random.below(1_500), undefined, 0, resolve))
        await stage.life(() => [
          consumer({ ...(size === undefined ? {} : { batch: { size, waitMs: 0 } }), run: (turn) => runProgram(turn, rest) }),
        ])
        for (let n = 0; n < 90; n += 10) {
          await stage.publish(Array.from({ length: 10 }, (_, i) => happened(n + i, `key ${(n + i) % 6}`)))
          await stage.pass(random.below(4))
        }
        await stage.pass(10_000)
        const order = ids(stage.effects).map(Number)
        assert.equal(order.length, 90)
        const rows = new Map<string, string>()
        for (const n of order) {
          const { reads, writes } = programOf(n)
          const read = reads.map((name) => rows.get(name))
          for (const name of writes) rows.set(name, valueOf(n, name, read))
        }
        assert.deepEqual(new Map((await stage.rows('shared', 'f')).map(({ key, value }) => [key, value])), rows, `seed ${seed}`)
        for (let key = 0; key < 6; key += 1) {
          const own = order.filter((n) => n % 6 === key)
          assert.deepEqual(
            own,
            own.toSorted((a, b) => a - b),
            `seed ${seed}`,
          )
        }
      }
    })
  }
}
