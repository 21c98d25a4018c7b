/** Owners that were taken for dead and are not: each takes back what it started, late, once, and whoever asks for its lane. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumer, note } from './consumer.ts'
import { happened, ids, Stage, type Here, type Life } from './stage.ts'

const lane = '0-1023'
const part = `f/${lane}`
const lease = { leaseMs: 2_000, beatMs: 500 }

/** One event, whose handler comes to no end in the first so many lives. */
class Scene {
  readonly stage: Stage
  /** Who ran the event, in order. */
  readonly ran: string[] = []
  readonly #endless: number
  #lives = 0

  constructor(stage: Stage, endless: number) {
    this.stage = stage
    this.#endless = endless
  }

  /** Its first owner, which wrote no start row, has died in the middle of the event. */
  static async open(endless: number): Promise<Scene> {
    const scene = new Scene(await Stage.open('memory', { writers: 'many' }), endless)
    await scene.stage.publish([happened(1, 'a')])
    const first = await scene.running()
    first.kill()
    return scene
  }

  /** The next life, with nothing in it yet. A newer plan: those before it get no lane back. */
  life(): Promise<Life> {
    this.#lives += 1
    return this.stage.life((here) => [this.#consumer(here)], { settings: lease, generation: this.#lives })
  }

  /** The next life, once it owns the lane. */
  async owner(): Promise<Life> {
    const life = await this.life()
    assert.ok(await this.stage.until(() => [...life.flow.units()].length === 1, 10_000), `${life.process.name} owns nothing`)
    return life
  }

  /** The next life, in the middle of the event. */
  async running(): Promise<Life> {
    const life = await this.life()
    assert.ok(await this.stage.until(() => this.ran.at(-1) === life.process.name, 10_000), `${life.process.name} does not run it`)
    return life
  }

  /** How many of those who started it are held against it by the rows. */
  async starts(): Promise<number> {
    const [row] = await this.stage.rows('start', part)
    return row === undefined ? 0 : (JSON.parse(row.value) as readonly string[]).length
  }

  #consumer({ process }: Here) {
    return consumer({
      run: (turn) => {
        this.ran.push(process.name)
        if (this.ran.length <= this.#endless) return new Promise<void>(() => {})
        note(turn)
      },
    })
  }
}

test('given an event that waits for its third start, when its second starter comes back, then it runs, and is not parked', async () => {
  const scene = await Scene.open(3)
  const { stage } = scene
  const second = await scene.running()
  second.kill()
  const third = await scene.running()
  assert.equal(await scene.starts(), 2)
  stage.world.pause(third.process)
  await stage.control('f', true)
  await scene.owner()
  await stage.pass(1_000)
  stage.world.resume(third.process)
  await stage.pass(1_000)
  assert.equal((await stage.rows('alive', part)).length, 1, 'it has come back')
  assert.equal((await stage.rows('request', part)).length, 0, 'what it asked for is done, and there was nothing to do')
  await stage.control('f', false)
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['1'])
  assert.deepEqual(scene.ran, ['life 1', 'life 2', 'life 3', 'life 4'])
  assert.equal((await stage.holds('f')).size, 0)
  assert.equal(await scene.starts(), 0)
})

test('given an owner that stands still in its stop, when its release is refused, then its start accuses nobody', async () => {
  const scene = await Scene.open(3)
  const { stage } = scene
  const second = await scene.running()
  const stopped = second.flow.stop()
  await stage.pass(100)
  stage.world.pause(second.process)
  const third = await scene.running()
  assert.equal(await scene.starts(), 2)
  stage.world.resume(second.process)
  await stage.wait(stopped)
  assert.equal((await stage.record('f')).owner, third.process.name)
  third.kill()
  await scene.owner()
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['1'])
  assert.deepEqual(scene.ran, ['life 1', 'life 2', 'life 3', 'life 4'])
  assert.equal((await stage.holds('f')).size, 0)
  assert.equal(await scene.starts(), 0)
})

test('given an owner that comes back, when the answer to its word is lost, then it asks for nothing twice', async () => {
  const scene = await Scene.open(2)
  const { stage } = scene
  const second = await scene.running()
  stage.world.pause(second.process)
  await scene.owner()
  await stage.pass(1_000)
  assert.deepEqual(ids(stage.effects), ['1'])
  const said: string[] = []
  stage.door = ({ puts }, process) => {
    if (!puts.some(({ kind }) => kind === 'alive')) return undefined
    said.push(process.name)
    if (said.length === 1) return new Error('the store cannot be reached')
    return said.length === 2 ? 'lost' : undefined
  }
  stage.world.resume(second.process)
  await stage.pass(5_000)
  assert.deepEqual(said, ['life 2', 'life 2', 'life 2'])
  assert.equal((await stage.rows('alive', part)).length, 1)
  assert.equal((await stage.rows('operation', '')).length, 1, 'its request was carried out')
  assert.equal((await stage.rows('request', part)).length, 0)
})
