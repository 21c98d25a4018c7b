import assert from 'node:assert/strict'
import { test } from 'node:test'
import { draw } from './draw.ts'
import { themes } from './themes.ts'

const drawn = Array.from({ length: 1_000 }, (_, at) => draw(at + 1))

test('given 1,000 seeds, when they are drawn, then each theme is what some of them are about, and most are about none', () => {
  const counts = new Map<string, number>()
  for (const { theme = 'none' } of drawn) counts.set(theme, (counts.get(theme) ?? 0) + 1)
  for (const name of Object.keys(themes)) assert.ok((counts.get(name) ?? 0) >= 5, `${name}: ${counts.get(name) ?? 0}`)
  assert.ok((counts.get('none') ?? 0) > 850)
})

test('given a seed with a theme, when it is drawn, then the store never fails it, and an event that is called twice is one', () => {
  for (const { theme, faults, calls } of drawn) {
    if (theme === undefined) continue
    assert.ok(faults.every(({ is }) => is !== 'store'))
    const facts = new Map<string, string>()
    for (const { id, key } of calls.flatMap((call) => call.facts)) {
      assert.equal(facts.get(id) ?? key, key)
      facts.set(id, key)
    }
  }
})
