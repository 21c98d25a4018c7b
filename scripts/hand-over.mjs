/**
 * Runs a command in the place of this process: its streams, its signals, its exit code. Where Node can, this process becomes the command,
 * and nothing stands between the two; else it stays as its parent. Plain JavaScript for Node 20, as setup.mjs is.
 */
import { spawn } from 'node:child_process'
import { accessSync, constants as access, statSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'

/** @typedef {{ program: string, line: string[], folder: string, env: NodeJS.ProcessEnv & { PATH: string } }} Command */

/** @param {Command & { failed: (error: Error) => void }} command */
export function runInPlace({ program, line, folder, env, failed }) {
  const file = whereIs(program, env.PATH)
  if (file !== undefined) become(file, line, folder, env)
  const child = spawn(program, line, { cwd: folder, env, stdio: 'inherit' })
  child.on('error', failed)
  // A terminal sends Ctrl-C to everybody in the foreground, so passing it on there would be a second one.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
}

/**
 * Does not return, but where it cannot be done: before Node 22.15 and 23.11, and on Windows.
 * @param {string} file
 * @param {string[]} line
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} env
 */
function become(file, line, folder, env) {
  if (process.execve === undefined || process.platform === 'win32') return
  process.chdir(folder)
  process.execve(file, [file, ...line], env)
}

/**
 * As a shell finds it. A process that is told to become what cannot run is aborted.
 * @param {string} program
 * @param {string} path
 */
function whereIs(program, path) {
  const files = program.includes('/') ? [program] : path.split(delimiter).map((folder) => join(folder, program))
  return files.find(mayRun)
}

/** @param {string} file */
function mayRun(file) {
  try {
    accessSync(file, access.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
