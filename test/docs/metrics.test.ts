/** Every counter that the code has stands in docs/metrics.md, with its labels, and no other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProduct, readHouse } from '../house/source.ts'
import { readPage, tableOf } from './pages.ts'

test('given the counters in the code, when they are compared with the documentation, then names and labels are the same', () => {
  const said = tableOf(readPage('docs/metrics.md'), 'counter').map(([name = '', labels = '']) => [name, labels === '-' ? '' : labels])
  assert.deepEqual(
    said,
    [...counters()].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
})

/** Names as they stand in the code, and the labels of the object that follows them. */
function counters(): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const { path, text } of readHouse().files) {
    if (!isProduct(path)) continue
    for (const { 0: name = '', index } of text.matchAll(/(?<=')millrace_[a-z_]+(?=')/g)) {
      const call = text.slice(index, text.indexOf('\n', index))
      const labels = [...(/\{([^}]*)\}/.exec(call)?.[1] ?? '').matchAll(/(\w+)(?::[^,]*)?/g)].map(([, label]) => label)
      found.set(name, labels.join(', '))
    }
  }
  return found
}
