import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { isFault } from '../kit/fault.ts'
import { isOwnSocket, listenOnSocket, socketPathOf } from './node-socket.ts'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'socket-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function ask(socketPath: string, method = 'GET', path = '/', body?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, agent: false, headers: { 'content-type': 'application/json' } }, async (response) => {
      let text = ''
      for await (const chunk of response) text += String(chunk)
      resolve({ status: response.statusCode ?? 0, text })
    })
    asked.once('error', reject)
    asked.end(body)
  })
}

const echo = async (request: Request): Promise<Response> =>
  new Response(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`, { status: 201 })

test('given a mask that lets everybody in, when it listens, then only this user may connect, and the mask is as before', async (t) => {
  const before = process.umask(0)
  t.after(() => process.umask(before))
  const path = join(folder(t), 'a.sock')
  const opening = listenOnSocket({ path, fetch: echo })
  assert.equal(statSync(path).mode & 0o777, 0o600, 'from the first moment on')
  const socket = await opening
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(process.umask(), 0)
  assert.ok(isOwnSocket(socket.path))
  assert.deepEqual(await ask(socket.path, 'POST', '/v1/events', '{}'), { status: 201, text: 'POST /v1/events {}' })
  await socket.close()
  assert.ok(!existsSync(socket.path), 'it is gone after closing')
  await assert.rejects(ask(socket.path))
})

test('given a socket that a dead process left, when it listens, then it takes its place; anything else stays', async (t) => {
  const at = folder(t)
  const path = join(at, 'a.sock')
  // A server in another place of the same process stands for the dead one: its file is moved, so that closing does not take it away.
  const dead = createServer().listen(join(at, 'old.sock'))
  await new Promise((done) => dead.once('listening', done))
  renameSync(join(at, 'old.sock'), path)
  dead.close()
  const socket = await listenOnSocket({ path, fetch: echo })
  assert.equal((await ask(path)).status, 201)
  await socket.close()
  writeFileSync(path, 'mine')
  await assert.rejects(listenOnSocket({ path, fetch: echo }), (error) => isFault(error, 'SOCKET_FAILED'))
  assert.ok(existsSync(path))
})

test('given a path too long for a socket, when its place is asked for, then it is short, always the same, and ours', async (t) => {
  const store = join(folder(t), 'x'.repeat(120), 'shop.db')
  const path = socketPathOf(store)
  assert.equal(path, socketPathOf(store))
  assert.notEqual(path, socketPathOf(`${store}2`))
  assert.ok(Buffer.byteLength(path) < 104)
  const socket = await listenOnSocket({ path, fetch: echo })
  assert.equal((await ask(path)).status, 201)
  await socket.close()
  await assert.rejects(listenOnSocket({ path: `${store}.sock`, fetch: echo }), (error) => isFault(error, 'SOCKET_FAILED'))
})

test('given a folder that is not there, when it listens, then the fault names the path', async (t) => {
  const path = join(folder(t), 'none', 'a.sock')
  await assert.rejects(listenOnSocket({ path, fetch: echo }), (error) => isFault(error, 'SOCKET_FAILED') && error.message.includes(path))
  mkdirSync(join(path, '..'))
  await (await listenOnSocket({ path, fetch: echo })).close()
})

test('given a question that waits, when the caller goes or the socket closes, then it is called off', { timeout: 4_000 }, async (t) => {
  let called = (): void => {}
  const asked = new Promise<void>((done) => (called = done))
  let off = (): void => {}
  const calledOff = new Promise<void>((done) => (off = done))
  const waits = (request: Request): Promise<Response> => {
    request.signal.addEventListener('abort', () => off())
    called()
    return new Promise(() => {})
  }
  const socket = await listenOnSocket({ path: join(folder(t), 'a.sock'), fetch: waits })
  const cut = assert.rejects(ask(socket.path))
  await asked
  await socket.close()
  await cut
  await calledOff
})

test('given what throws, when it is asked, then the connection ends and it is told', async (t) => {
  const failures: string[] = []
  const socket = await listenOnSocket({
    path: join(folder(t), 'a.sock'),
    fetch: () => Promise.reject(new Error('broken')),
    failed: (error) => void failures.push(error.message),
  })
  await assert.rejects(ask(socket.path))
  assert.deepEqual(failures, ['broken'])
  await socket.close()
})
