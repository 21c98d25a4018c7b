/** Commands that the documents name exist: those of `millrace`, with their options, and the scripts of npm. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { globalOptions } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/commands.ts'
import { readHouse } from '../house/source.ts'

const house = readHouse()
const pages = house.files.filter(({ path }) => path.endsWith('.md'))

test('given every `npm run` in the documents, when it is looked up, then package.json has it, its own or that of the house', () => {
  const wrong = pages.flatMap(({ path, text }) => {
    const scripts = new Set([...scriptsOf('package.json'), ...scriptsOf(path.replace(/[^/]*$/, 'package.json'))])
    const named = [...text.matchAll(/\bnpm run (?:--silent |-s )?([\w:-]+)/g)].map(([, script = '']) => script)
    return named.filter((script) => !scripts.has(script)).map((script) => `${path}: ${script}`)
  })
  assert.deepEqual(wrong, [])
})

test('given every `millrace` command in the documents, when it is looked up, then command and options exist', () => {
  const all = known()
  const wrong = pages.flatMap(({ path, text }) =>
    linesOf(text).flatMap((line) => whyWrong(line, all).map((why) => `${path}: ${line}: ${why}`)),
  )
  assert.deepEqual(wrong, [])
})

interface Known {
  readonly names: ReadonlySet<string>
  readonly options: ReadonlySet<string>
}

function whyWrong(line: string, { names, options }: Known): readonly string[] {
  const words = line.split(/\s+/)
  const command = [words.slice(0, 2).join(' '), words[0] ?? ''].find((name) => names.has(name))
  const strange = words.filter((word) => /^--[a-z-]+$/.test(word) && !options.has(word.slice(2)))
  return [...(command === undefined && /^[a-z]/.test(line) ? ['no such command'] : []), ...strange.map((word) => `no option ${word}`)]
}

/** What follows `millrace` in code spans and at the beginning of lines of a block, comments apart. */
function linesOf(text: string): readonly string[] {
  const spans = [...text.matchAll(/`millrace ([^`]+)`/g)].map(([, line = '']) => line)
  const lines = [...text.matchAll(/^(?:npm run --silent millrace --|millrace) ([^#\n]+)/gm)].map(([, line = '']) => line.trim())
  return [...spans, ...lines].filter((line) => !/^(COMMAND|FILE)/.test(line))
}

function known(): Known {
  return {
    names: new Set(commands.map(({ name }) => name)),
    options: new Set([globalOptions, ...commands.map(({ options }) => options)].flatMap((options) => Object.keys(options))),
  }
}

function scriptsOf(path: string): readonly string[] {
  const file = house.files.find((one) => one.path === path)
  return file === undefined ? [] : Object.keys((JSON.parse(file.text) as { readonly scripts?: object }).scripts ?? {})
}
