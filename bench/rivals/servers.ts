/**
 * Servers that rivals need: one that a variable names, or one that is started here for as long as the benches run,
 * flushing what it acknowledges.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const redisPort = 27_379
const postgresPort = 27_432

export const redisVariable = 'MILLRACE_BENCH_REDIS'
export const postgresVariable = 'MILLRACE_BENCH_POSTGRES'

/** Sets the variables for the runs, and gives what ends the servers. */
export async function startServers(folder: string): Promise<() => void> {
  const started: ChildProcess[] = []
  if (process.env[redisVariable] === undefined) started.push(...(await startRedis(folder)))
  if (process.env[postgresVariable] === undefined) started.push(...(await startPostgres(folder)))
  return () => {
    for (const server of started) server.kill('SIGTERM')
  }
}

async function startRedis(folder: string): Promise<ChildProcess[]> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return []
  const place = join(folder, 'redis')
  mkdirSync(place)
  const line = [
    '--bind',
    '127.0.0.1',
    '--port',
    String(redisPort),
    '--dir',
    place,
    '--appendonly',
    'yes',
    '--appendfsync',
    'always',
    '--save',
    '',
  ]
  const server = spawn('redis-server', [...line, '--maxmemory-policy', 'noeviction'], { stdio: 'ignore' })
  if (await opens(redisPort)) process.env[redisVariable] = `redis://127.0.0.1:${redisPort}`
  return [server]
}

async function startPostgres(folder: string): Promise<ChildProcess[]> {
  const bin = postgresFolder()
  if (bin === undefined) return []
  const place = join(folder, 'postgres')
  mkdirSync(place)
  // Another user has to get through to its own folder.
  chmodSync(folder, 0o755)
  const asUser: As | undefined = process.getuid?.() === 0 ? userOf('postgres') : {}
  if (asUser === undefined) return []
  if (asUser.uid !== undefined && asUser.gid !== undefined) chownSync(place, asUser.uid, asUser.gid)
  const made = spawnSync(join(bin, 'initdb'), ['-D', place, '-A', 'trust', '-U', 'postgres'], { stdio: 'ignore', ...asUser })
  if (made.status !== 0) return []
  writeFileSync(
    join(place, 'postgresql.auto.conf'),
    `listen_addresses = '127.0.0.1'\nport = ${postgresPort}\nunix_socket_directories = ''\nshared_buffers = 512MB\nmax_wal_size = 4GB\n`,
  )
  const server = spawn(join(bin, 'postgres'), ['-D', place], { stdio: 'ignore', ...asUser })
  if (await opens(postgresPort)) process.env[postgresVariable] = `postgres://postgres@127.0.0.1:${postgresPort}/postgres`
  return [server]
}

function postgresFolder(): string | undefined {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : []
  const folder = versions.map((version) => `/usr/lib/postgresql/${version}/bin`).findLast((path) => existsSync(join(path, 'initdb')))
  return folder ?? (spawnSync('initdb', ['--version']).status === 0 ? '' : undefined)
}

interface As {
  readonly uid?: number
  readonly gid?: number
}

/** PostgreSQL does not run as root. */
function userOf(name: string): As | undefined {
  const number = (flag: string): number => Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout.trim() || Number.NaN)
  const [uid, gid] = [number('-u'), number('-g')]
  return Number.isNaN(uid) || Number.isNaN(gid) ? undefined : { uid, gid }
}

async function opens(port: number): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      }).on('error', () => resolve(false))
    })
    if (open) return true
    await sleep(50)
  }
  return false
}
