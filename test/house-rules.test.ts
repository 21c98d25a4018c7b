/** The rules of the house, each looked at over every file, and each proved alive by a small house that breaks it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { documentRules } from './house/documents.ts'
import { exceptions, tolerated } from './house/exceptions.ts'
import { fileRules } from './house/files.ts'
import { importRules } from './house/imports.ts'
import { fileLinesMax, functionLinesMax, longFiles, longFunctions, overTheRatchet } from './house/lengths.ts'
import { codeOnly, houseOf, readHouse, root, sourceFile } from './house/source.ts'
import type { Complaint, Rule } from './house/source.ts'
import { tokenRules } from './house/tokens.ts'

const rules: readonly Rule[] = [...importRules, ...tokenRules, ...fileRules, ...documentRules]
const house = readHouse()

describe('the house', () => {
  for (const rule of rules) {
    test(`given every file, when looked at by ${rule.name}, then ${rule.why}`, () => {
      assert.equal(unexcused(rule.name, rule.look(house)).join('\n'), '')
    })
  }

  test(`given every file, when its lines are counted, then there are at most ${fileLinesMax}, or as many as the ratchet says`, () => {
    assert.equal(
      overTheRatchet(
        longFiles(house),
        tolerated.filter(({ name }) => name === undefined),
      ).join('\n'),
      '',
    )
  })

  test(`given every function, when its lines are counted, then there are at most ${functionLinesMax}, or as the ratchet says`, () => {
    assert.equal(
      overTheRatchet(
        longFunctions(root),
        tolerated.filter(({ name }) => name !== undefined),
      ).join('\n'),
      '',
    )
  })

  test('given the exceptions, when looked at, then each names a rule, says why, and stands once', () => {
    const names = new Set(rules.map(({ name }) => name))
    const keys = exceptions.map(({ rule, path }) => `${rule} ${path}`)
    assert.deepEqual(
      exceptions.filter(({ rule, why }) => !names.has(rule) || why.length < 20),
      [],
    )
    assert.equal(new Set(keys).size, keys.length)
  })
})

describe('the rules', () => {
  for (const rule of rules) {
    test(`given what ${rule.name} forbids, when looked at, then it complains of each, and of nothing else`, () => {
      for (const files of rule.breaks)
        assert.notDeepEqual(rule.look(houseOf(files)), [], `nothing was found in ${JSON.stringify(files[0]?.text)} of ${files[0]?.path}`)
      for (const files of rule.keeps ?? []) assert.deepEqual(rule.look(houseOf(files)), [], JSON.stringify(files.map(({ text }) => text)))
      assert.ok(rule.breaks.length > 0)
    })
  }

  test('given a file and a function over their limits, when counted, then both are named with their lines', () => {
    const place = mkdtempSync(join(tmpdir(), 'millrace-long-'))
    try {
      const body = (lines: number): string => '  console.info(1)\n'.repeat(lines - 2)
      writeFileSync(join(place, 'a.ts'), `export function long(): void {\n${body(71)}}\nexport function short(): void {\n${body(70)}}\n`)
      assert.deepEqual(longFunctions(place), [{ path: 'a.ts', name: 'long', lines: 71 }])
    } finally {
      rmSync(place, { recursive: true })
    }
    assert.deepEqual(longFiles(houseOf([sourceFile('src/kit/a.ts', 'a\n'.repeat(401)), sourceFile('src/kit/b.ts', 'a\n'.repeat(400))])), [
      { path: 'src/kit/a.ts', lines: 401 },
    ])
  })

  test('given the ratchet, when something is longer, unlisted, listed without need or much shorter than listed, then it says so', () => {
    const listed = [{ path: 'a.ts', lines: 500, why: 'a table' }]
    assert.deepEqual(overTheRatchet([{ path: 'a.ts', lines: 500 }], listed), [])
    assert.deepEqual(overTheRatchet([{ path: 'a.ts', lines: 501 }], listed), ['a.ts has 501 lines'])
    assert.deepEqual(overTheRatchet([{ path: 'a.ts', name: 'b', lines: 90 }], []), ['a.ts, b has 90 lines'])
    assert.deepEqual(overTheRatchet([], listed), ['a.ts is short enough now: take it off the ratchet'])
    assert.deepEqual(overTheRatchet([{ path: 'a.ts', lines: 450 }], listed), [
      'a.ts has become much shorter: lower its number in the ratchet',
    ])
  })

  test('given comments, strings, templates and regular expressions, when blanked, then code and lines stay', () => {
    const cases: readonly (readonly [string, string])[] = [
      ["a('b') // c", "a(' ')     "],
      ['a /* b\nc */ d', 'a     \n     d'],
      ['`a${b}c${`d${e}`}f` + g', '` ${b} ${` ${e}`} ` + g'],
      ['`${{ a: `b` }}c`', '`${{ a: ` ` }} `'],
      ['a = /[/\'"]/.test(b) / c / d', 'a = /     /.test(b) / c / d'],
      ["'it\\'s' + b", "'     ' + b"],
      ['#!/usr/bin/env node\na', '                   \na'],
    ]
    for (const [text, code] of cases) assert.equal(codeOnly(text), code)
  })
})

/** Complaints that no exception covers, and exceptions that no complaint needs. */
function unexcused(rule: string, complaints: readonly Complaint[]): string[] {
  const listed = exceptions.filter((one) => one.rule === rule)
  const fits = (path: string): boolean =>
    listed.some((one) => one.path === path && one.count === complaints.filter((other) => other.path === path).length)
  const stale = listed.filter(({ path }) => !fits(path) && !complaints.some((one) => one.path === path))
  return [
    ...complaints.filter(({ path }) => !fits(path)).map(({ path, line, what }) => `${path}:${line} ${what}`),
    ...stale.map(({ path }) => `${path} needs its exception no longer`),
  ]
}
