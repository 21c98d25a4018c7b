import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '../kit/fault.ts'
import type { Command } from './command.ts'
import { checkArguments, readLine } from './read-line.ts'

function command(name: string, takes: Command['takes'] = [], options: Command['options'] = {}): Command {
  return { name, summary: '', takes, options, examples: [], run: async () => 0 }
}

const id = { name: 'ID', needed: true } as const
const commands = [
  command('tail', [], { type: { type: 'string', multiple: true, says: '' }, 'no-follow': { type: 'boolean', says: '' } }),
  command('pause', [{ name: 'NAME', needed: true }]),
  command('dead-letters'),
  command('dead-letters show', [id]),
  command('dead-letters redrive', [{ name: 'ID', needed: false, many: true }]),
]

function saying(words: readonly string[]): string {
  try {
    const { command: found, args } = readLine(words, commands)
    if (found !== undefined) checkArguments(found, args)
    return ''
  } catch (error) {
    assert.ok(isFault(error, 'USAGE_WRONG'), String(error))
    return error.message
  }
}

test('given a line, when it is read, then the command of two words wins, options may be repeated, and global ones may stand before', () => {
  const line = readLine(['--store', 'a.db', '--json', 'dead-letters', 'show', 'e1'], commands)
  assert.deepEqual([line.command?.name, line.args, line.values['store'], line.values['json']], ['dead-letters show', ['e1'], 'a.db', true])
  assert.equal(readLine(['dead-letters'], commands).command?.name, 'dead-letters')
  assert.deepEqual(readLine(['tail', '--type', 'A', '--type=B', '-s', 'x.db'], commands).values['type'], ['A', 'B'])
  assert.equal(readLine(['--help'], commands).command, undefined)
})

test('given a mistake in a line, when it is read, then the fault names what was meant', () => {
  assert.match(saying(['tial']), /there is no command 'tial'; did you mean tail\?/)
  assert.match(saying(['xyzzy']), /there are tail, pause, dead-letters$/)
  assert.match(saying(['dead-letters', 'shwo', 'e1']), /knows no 'shwo'; did you mean show\?/)
  assert.match(saying(['dead-letters', 'zzz']), /it knows show, redrive/)
  assert.match(saying(['tail', '--tpye', 'A']), /tail has no option '--tpye'; did you mean --type\?/)
  assert.match(saying(['tail', '--type']), /tail: .*--type/)
  assert.match(saying(['pause']), /pause: NAME is missing/)
  assert.match(saying(['pause', 'a', 'b']), /'b' is more than it takes/)
  assert.equal(saying(['dead-letters', 'redrive', 'a', 'b']), '')
})
