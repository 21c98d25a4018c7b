import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { isFault } from '../kit/fault.ts'
import { readBody } from '../runtime/http-body.ts'
import { problemOf, problemResponse } from '../runtime/problem.ts'
import { listen } from './node-http.ts'

const hello = () => Promise.resolve(new Response('hello'))

test('given port 0, when it listens, then it answers at a free port, and is gone after closing', async () => {
  const server = await listen({ fetch: async (request) => new Response(`${request.method} ${await request.text()}`), port: 0 })
  assert.ok(server.port > 0)
  assert.equal(server.url, `http://127.0.0.1:${server.port}`)
  const answer = await fetch(server.url, { method: 'POST', body: 'hi' })
  assert.equal(await answer.text(), 'POST hi')
  assert.equal(await server.close(1_000), 0)
  await assert.rejects(fetch(server.url))
})

test('given a port that is taken, when it listens, then the fault says so', async () => {
  const server = await listen({ fetch: hello, port: 0 })
  await assert.rejects(
    listen({ fetch: hello, port: server.port }),
    (error) => isFault(error, 'ADDRESS_TAKEN') && error.message.includes(String(server.port)),
  )
  await assert.rejects(listen({ fetch: hello, host: '203.0.113.7', port: 0 }), (error) => isFault(error, 'ADDRESS_REFUSED'))
  await server.close(0)
})

test(
  'given a request in flight on a kept connection, when the server closes, then it is answered first, and the connection ends',
  { timeout: 4_000 },
  async () => {
    let begin = (): void => {}
    let finish = (): void => {}
    const begun = new Promise<void>((resolve) => (begin = resolve))
    const finished = new Promise<void>((resolve) => (finish = resolve))
    const server = await listen({
      fetch: async () => {
        begin()
        await finished
        return new Response('done')
      },
      port: 0,
    })
    const agent = new Agent({ keepAlive: true })
    const asked = httpRequest(server.url, { agent }).end()
    await begun
    const closing = server.close(10_000)
    await assert.rejects(fetch(server.url), 'nothing new is taken')
    finish()
    const [answer] = await once(asked, 'response')
    assert.equal(answer.statusCode, 200)
    answer.resume()
    assert.equal(await closing, 0)
    agent.destroy()
  },
)

test('given a kept connection that is idle, when the server closes, then it does not wait for it', { timeout: 4_000 }, async () => {
  const server = await listen({ fetch: hello, port: 0 })
  const agent = new Agent({ keepAlive: true })
  const [answer] = await once(httpRequest(server.url, { agent }).end(), 'response')
  answer.resume()
  await once(answer, 'end')
  assert.equal(await server.close(60_000), 0)
  agent.destroy()
})

test('given a request that never ends, when the grace is over, then it is cut off and counted', async () => {
  let begin = (): void => {}
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const never = () => {
    begin()
    return new Promise<Response>(() => {})
  }
  const server = await listen({ fetch: never, port: 0 })
  const asked = httpRequest(server.url).end()
  const failed = once(asked, 'error')
  await begun
  assert.equal(await server.close(1), 1)
  const [error] = await failed
  assert.equal(error.code, 'ECONNRESET')
})

test('given what throws or cannot be read, when it is answered, then as a problem without a word of the inside', async () => {
  const failures: string[] = []
  const server = await listen({
    fetch: () => Promise.reject(new Error('hunter2')),
    port: 0,
    failed: (error) => void failures.push(error.message),
  })
  const answer = await fetch(server.url)
  assert.equal(answer.status, 500)
  assert.deepEqual(await answer.json(), {
    type: '/problems/UNEXPECTED',
    title: 'Something went wrong here',
    status: 500,
    code: 'UNEXPECTED',
  })
  assert.deepEqual(failures, ['hunter2'])
  const raw = connect(server.port, '127.0.0.1')
  raw.write('GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n')
  let text = ''
  for await (const chunk of raw) text += String(chunk)
  assert.match(text, /^HTTP\/1\.1 400 /)
  assert.match(text, /REQUEST_MALFORMED/)
  await server.close(1_000)
})

test('given a body over the limit, with its length told or not, when it is sent, then the sender gets its 413', async () => {
  const server = await listen({
    fetch: (request) => readBody(request, 1_000).then(hello, (thrown) => problemResponse(problemOf(thrown))),
    port: 0,
  })
  for (const headers of [{ 'content-length': '3000000' }, { 'transfer-encoding': 'chunked' }]) {
    const asked = httpRequest(server.url, { method: 'POST', headers })
    asked.on('error', () => {})
    asked.end(Buffer.alloc(3_000_000))
    const [answer] = await once(asked, 'response')
    assert.equal(answer.statusCode, 413)
    answer.resume()
  }
  await server.close(1_000)
})

test('given an app without HTTP, when the door and the host are only imported, then neither router nor adapter is loaded', () => {
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
    await import('${new URL('../runtime/http.ts', import.meta.url).href}')
    await import('${new URL('./node-http.ts', import.meta.url).href}')
    console.log(JSON.stringify(loaded))`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
  const loaded: readonly string[] = JSON.parse(stdout)
  assert.ok(loaded.length > 5)
  assert.deepEqual(
    loaded.filter((url) => url.includes('hono')),
    [],
  )
})
