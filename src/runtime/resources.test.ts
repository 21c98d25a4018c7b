import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { app } from '../define/app.ts'
import { config, type Env } from '../define/config.ts'
import type { Definition } from '../define/definition.ts'
import { replace, resource, type Needs, type Replacement, type Resource } from '../define/resource.ts'
import { isFault } from '../kit/fault.ts'
import type { Code } from '../kit/fault-codes.ts'
import { planOf } from '../plan/compile.ts'
import { openResources, type Opened } from './resources.ts'

const open = (parts: readonly Definition[], env: Env = {}, replaced: readonly Replacement[] = []): Promise<Opened> =>
  openResources(planOf(app('shop', parts)), env, replaced)

const refused =
  (code: Code, ...words: readonly string[]) =>
  (error: unknown): boolean =>
    isFault(error, code) && words.every((word) => error.message.includes(word))

/** Opens and closes what is named, and says so. */
function watched(log: string[]): (name: string, needs?: Needs) => Resource<string> {
  return (name, needs = {}) =>
    resource(name, {
      needs,
      open: async (given) => {
        await Promise.resolve()
        log.push(`open ${name}(${Object.keys(given).join()})`)
        return name
      },
      close: (it) => void log.push(`close ${it}`),
    })
}

test('given needs, when opened, then each comes once, after what it needs, and closes before it', async () => {
  const log: string[] = []
  const of = watched(log)
  const pool = of('pool')
  const cache = of('cache', { pool })
  const mail = of('mail', { cache, pool })
  const opened = await open([mail, cache, pool])
  assert.deepEqual(log.splice(0), ['open pool()', 'open cache(pool)', 'open mail(cache,pool)'])
  assert.equal(opened.use(mail), 'mail')
  await opened.close()
  assert.deepEqual(log.splice(0), ['close mail', 'close cache', 'close pool'])
  await opened.close()
  assert.deepEqual(log, [], 'once')
})

test('given a resource that fails to open, when the app opens, then it is RESOURCE_FAILED, and what was opened is closed', async () => {
  const log: string[] = []
  const of = watched(log)
  const pool = of('pool')
  const broken = resource('broken', {
    needs: { pool },
    open: () => {
      throw new Error('no route to host')
    },
  })
  await assert.rejects(() => open([pool, broken, of('never')]), refused('RESOURCE_FAILED', 'broken', 'no route to host'))
  assert.deepEqual(log, ['open pool()', 'close pool'])
})

test('given resources that need each other, when opened, then it is a fault that shows the circle', async () => {
  const needs: Record<string, Resource<unknown>> = {}
  const one = resource('one', { needs, open: () => 1 })
  const two = resource('two', { needs: { one }, open: () => 2 })
  needs['two'] = two
  await assert.rejects(() => open([one, two]), refused('RESOURCE_FAILED', 'one needs two needs one'))
})

test('given a resource that is replaced, when the app opens and closes, then it is neither opened nor closed', async () => {
  const log: string[] = []
  const of = watched(log)
  const pool = of('pool')
  const mail = of('mail', { pool })
  const opened = await open([mail], {}, [replace(mail, 'fake')])
  assert.equal(opened.use(mail), 'fake')
  await opened.close()
  assert.deepEqual(log, [], 'and who replaced it closes it')
  const other = await open([mail, pool], {}, [replace(pool, 'fake')])
  assert.deepEqual(log, ['open mail(pool)'])
  await other.close()
})

test('given what the app does not list, when it is used or needed, then it is RESOURCE_NOT_LISTED, replaced or not', async () => {
  const pool = resource('pool', { open: () => 1 })
  const mail = resource('mail', { needs: { pool }, open: () => 2 })
  for (const replaced of [[], [replace(pool, 5)]]) {
    const opened = await open([], {}, replaced)
    assert.throws(() => opened.use(pool), refused('RESOURCE_NOT_LISTED', 'resource pool'))
    await assert.rejects(() => open([mail], {}, replaced), refused('RESOURCE_NOT_LISTED', 'resource pool'))
  }
})

test('given a resource that fails to close, when the app closes, then the others close all the same', async () => {
  const log: string[] = []
  const of = watched(log)
  const failing = resource('failing', { open: () => 1, close: () => Promise.reject(new Error('busy')) })
  const throwing = resource('throwing', {
    open: () => 1,
    close: () => {
      throw new Error('busy')
    },
  })
  const opened = await open([of('first'), failing, throwing, of('last')])
  await opened.close()
  assert.deepEqual(log.slice(2), ['close last', 'close first'])
})

const settings = config(z.object({ TOKEN: z.string(), PORT: z.coerce.number().default(80) }), { secret: ['TOKEN'] })

test('given settings, when opened, then they are read from the environment, whole or one by one, listed or not', async () => {
  const token = settings.pick('TOKEN')
  const client = resource('client', { needs: { token, port: settings.pick('PORT') }, open: (given) => given })
  const env = { TOKEN: 't', PORT: '8080' }
  const opened = await open([client], env)
  assert.deepEqual(opened.use(client), { token: 't', port: 8080 })
  assert.equal(opened.use(token), 't')
  assert.throws(() => opened.use(settings), refused('RESOURCE_NOT_LISTED', 'config'))
  assert.deepEqual((await open([settings], env)).use(settings), { TOKEN: 't', PORT: 8080 })
})

test('given a setting that is wrong, when opened, then it is CONFIG_INVALID before anything is opened', async () => {
  const log: string[] = []
  await assert.rejects(() => open([watched(log)('pool'), settings]), refused('CONFIG_INVALID', 'TOKEN'))
  assert.deepEqual(log, [])
})

test('given a config or one setting that is replaced, when used or needed, then the environment is not asked', async () => {
  const token = settings.pick('TOKEN')
  const client = resource('client', { needs: { token }, open: (given) => given })
  const whole = await open([settings, client], {}, [replace(settings, { TOKEN: 'fake', PORT: 1 })])
  assert.deepEqual([whole.use(client), whole.use(token), whole.use(settings).PORT], [{ token: 'fake' }, 'fake', 1])
  const single = await open([client], {}, [replace(token, 'fake')])
  assert.deepEqual([single.use(client), single.use(token)], [{ token: 'fake' }, 'fake'])
})

test('given a resource that is nothing, when it is used, then nothing is given', async () => {
  const nothing = resource('nothing', { open: () => undefined })
  assert.equal((await open([nothing])).use(nothing), undefined)
})
