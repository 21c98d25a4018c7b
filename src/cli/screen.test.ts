import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ago, place, screenTo, type Column } from './screen.ts'

const columns: readonly Column[] = [
  { title: 'NAME', least: 6 },
  { title: 'N', right: true },
  { title: 'WHY', least: 10 },
]
const rows = [
  ['charge-card', '12', 'the provider answered 503, and again'],
  ['mail', '3', ''],
]

function written(width: number | undefined, colours = false): string {
  let text = ''
  const screen = screenTo({ json: false, debug: false, write: (part) => (text += part), writeNote: () => {}, colours, width })
  screen.table(columns, rows)
  return text
}

test('given no terminal, when a table is written, then it is as wide as it is, without colours', () => {
  assert.equal(
    written(undefined),
    `NAME          N  WHY
charge-card  12  the provider answered 503, and again
mail          3
`,
  )
})

test('given a terminal, when a table is wider, then the widest columns give way down to what they need, and a line never breaks', () => {
  assert.equal(
    written(40),
    `NAME          N  WHY
charge-card  12  the provider answered …
mail          3
`,
  )
  for (let width = 24; width < 60; width += 1)
    for (const line of written(width).split('\n')) assert.ok(line.length <= width, `${width}: ${line}`)
  assert.ok(written(undefined, true).startsWith('\u001b[2mNAME'))
})

test('given instants and positions, when they are told, then as people say them', () => {
  const nowMs = Date.parse('2026-01-02T00:00:00Z')
  assert.deepEqual(
    ['2026-01-01T23:59:18Z', '2026-01-01T23:30:00Z', '2026-01-01T12:00:00Z', '2025-12-01T00:00:00Z', '2026-01-02T00:00:05Z'].map((iso) =>
      ago(iso, nowMs),
    ),
    ['42s ago', '30m ago', '12h ago', '32d ago', 'in 5s'],
  )
  assert.deepEqual(['0000000000000042', '0000', ''].map(place), ['42', '0', ''])
})

test('given a key that would move the cursor, when it is written, then it is spelled out; our own colours pass', () => {
  let text = ''
  const screen = screenTo({
    json: false,
    debug: false,
    write: (part) => (text += part),
    writeNote: () => {},
    colours: true,
    width: undefined,
  })
  screen.line(`${screen.styled('bold', 'cook')} \u001b[2J\u001b]0;title\u0007 one\ntwo\u009b1A`)
  assert.equal(text, '\u001b[1mcook\u001b[22m \\x1b[2J\\x1b]0;title\\x07 one\ntwo\\x9b1A\n')
  text = ''
  screen.table([{ title: 'KEY' }], [['a\nb\r\u001b[1A']])
  assert.ok(text.endsWith('\na\\x0ab\\x0d\\x1b[1A\n'))
})
