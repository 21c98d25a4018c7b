/** From the start of a process to its first handled event, from built files. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { atMost, type Bench, type Case, type Figures } from '../harness/bench.ts'
import { build } from '../harness/built.ts'

export const startUp: Bench = {
  name: 'start',
  title: 'process start -> first handled event, from built files',
  prepare: async (size) => build(size),
  cases: [
    { name: 'node alone', run: (size) => ended([join(size.folder, 'built', 'nothing.js')]) },
    script('one function', 'one-function.js'),
    script('the shop', 'one-order.js'),
  ],
  goals: (median) => [
    ...atMost('one function without HTTP and Zod', median('one function', 'ms'), 120, 'ms'),
    ...atMost('the shop', median('the shop', 'ms'), 300, 'ms'),
  ],
}

function script(name: string, file: string): Case {
  return { name, run: (size) => ended([join(size.folder, 'built', file), join(size.folder, `${process.pid}.db`)]) }
}

/** Until the line that says that an event was handled. */
function ended(line: readonly string[]): Promise<Figures> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now()
    const child = spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'inherit'] })
    let ms = Number.NaN
    let cpuMs = Number.NaN
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const said = /handled ([\d.]+)/.exec(text)?.[1]
      if (said === undefined) return
      ms = performance.now() - startMs
      cpuMs = Number(said)
    })
    child.on('close', () => (Number.isNaN(ms) ? reject(new Error(`${line[0]} handled nothing`)) : resolve({ ms, 'CPU ms': cpuMs })))
  })
}
