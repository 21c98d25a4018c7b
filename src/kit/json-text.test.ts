import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isFault } from './fault.ts'
import { brokenAt, depthMax, parsedJson } from './json-text.ts'

test('given a text that breaks, when it is parsed, then the fault names the first token that cannot be', () => {
  const broken: readonly (readonly [string, number])[] = [
    ['', 0],
    [' ', 1],
    ['{"type": }', 9],
    ['{"a":1,}', 7],
    ['[1,]', 3],
    ['[1 2]', 3],
    ['{"a" 1}', 5],
    ['{a:1}', 1],
    ['{"a":1', 6],
    ['[}', 1],
    ['{]', 1],
    ['1 2', 2],
    ['01', 1],
    ['-', 0],
    ['nul', 0],
    ['"a', 0],
    ['["\\x"]', 1],
    ['["\n"]', 1],
    ['{"a":"\\u12"}', 5],
    ["{'a':1}", 1],
    ['\ufeff{}', 0],
  ]
  for (const [text, position] of broken) {
    assert.throws(
      () => parsedJson(text),
      (error) => isFault(error, 'JSON_BROKEN') && error.data['position'] === position,
      `${text}: ${brokenAt(text)}`,
    )
  }
  assert.throws(
    () => parsedJson('{\n  "a": 1,\n  b\n}'),
    (error) => isFault(error, 'JSON_BROKEN') && error.data['line'] === 3 && error.data['column'] === 3,
  )
})

test('given JSON with one letter lost or changed, when it is no JSON any more, then all before the place named could have gone on', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom('', '}', ']', ',', '"', ':', '\\', 'e', '-', '\n'), (text, place, letter) => {
      const at = place % text.length
      const changed = text.slice(0, at) + letter + text.slice(at + 1)
      try {
        JSON.parse(changed)
      } catch {
        const broken = brokenAt(changed)
        assert.ok(broken <= changed.length)
        // All before it could have gone on to be JSON: alone it breaks at its end, and nowhere before.
        assert.equal(brokenAt(changed.slice(0, broken)), broken)
        assert.throws(
          () => parsedJson(changed),
          (error) => isFault(error, 'JSON_BROKEN'),
        )
        return
      }
      assert.deepEqual(parsedJson(changed), JSON.parse(changed))
    }),
  )
})

test('given JSON as deep as it may be, when parsed, then it is taken, and one deeper it is not', () => {
  const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}"]]}}[[{{\\"[["${'}]'.repeat(depth / 2)}`
  parsedJson(nested(depthMax))
  assert.throws(
    () => parsedJson(`[${nested(depthMax)}]`),
    (error) => isFault(error, 'JSON_BROKEN') && /deep/.test(error.message),
  )
  assert.throws(
    () => parsedJson('['.repeat(100_000) + ']'.repeat(100_000)),
    (error) => isFault(error, 'JSON_BROKEN'),
  )
})
