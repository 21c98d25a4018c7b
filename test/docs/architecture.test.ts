/** What ARCHITECTURE.md and the decisions say of the house, held against the house. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isProduct, readHouse } from '../house/source.ts'
import { readPage, tableOf } from './pages.ts'

const house = readHouse()

describe('the architecture', () => {
  test('given the kinds of rows in the table, when they are compared with those that the code writes, then they are the same', () => {
    const said = tableOf(readPage('ARCHITECTURE.md'), 'kind').map(([kind = '']) => kind)
    const found = new Set<string>()
    for (const { path, text } of house.files) {
      if (!isProduct(path) || !/^src\/(flow|state|runtime|plan)\//.test(path)) continue
      for (const [, kind = ''] of text.matchAll(/kind: '([a-z]+)',\s*part\b/g)) found.add(kind)
    }
    assert.deepEqual(said.toSorted(), [...found].toSorted())
  })

  test('given the folders in the table, when they are compared with those of the sources, then they are the same', () => {
    const said = tableOf(readPage('ARCHITECTURE.md'), 'folder').flatMap(([cell = '']) =>
      cell.split(', ').map((name) => name.replace('/', '')),
    )
    const found = new Set(house.files.filter(({ path }) => isProduct(path)).map(({ path }) => path.split('/')[1] ?? ''))
    assert.deepEqual(said.toSorted(), [...found].toSorted())
  })
})

describe('the decisions', () => {
  const pages = house.files.filter(({ path }) => /^docs\/decisions\/\d/.test(path))
  const parts = ['Context', 'Decision', 'Why', 'What else was tried', 'Consequences']

  test('given each decision, when it is looked at, then it has all its parts, in order', () => {
    const wrong = pages.filter(({ text }) => [...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title).join() !== parts.join())
    assert.deepEqual(
      wrong.map(({ path }) => path),
      [],
    )
  })

  test('given all decisions, when their list is looked at, then each stands in it under its title, numbered without a gap', () => {
    const listed = tableOf(readPage('docs/decisions/README.md'), '').map(([number, link]) => `${number} ${link}`)
    const expected = pages.map(({ path, text }, at) => {
      const number = String(at + 1).padStart(4, '0')
      const title = new RegExp(`^# ${number} (.+)$`, 'm').exec(text)?.[1] ?? `no title ${number}`
      return `${number} [${title.replaceAll('`', '')}](${path.split('/').at(-1)})`
    })
    assert.deepEqual(listed, expected)
  })
})
