/** Every block of code in the documents is what stands in a file that runs. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readHouse, root } from '../house/source.ts'
import { codeBlocks, filled, regionOf, wrongBlocks } from './code-blocks.ts'

const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const fence = '```'

describe('the documents', () => {
  const house = readHouse()
  const pages = house.files.filter(({ path }) => path.endsWith('.md'))

  for (const { path, text } of pages.filter(({ text }) => codeBlocks(text).some(({ from }) => from !== ''))) {
    test(`given the code in ${path}, when it is held against the files that it names, then both are the same`, () => {
      assert.deepEqual(wrongBlocks(text, read), [])
    })
  }

  test('given every page, when its blocks of code are looked at, then each says which file it is from', () => {
    assert.deepEqual(
      pages.flatMap(({ path, text }) => wrongBlocks(text, read).map((wrong) => `${path}: ${wrong}`)),
      [],
    )
  })

  test('given every snippet, when the pages are looked through, then one of them shows it', () => {
    const shown = new Set(pages.flatMap(({ text }) => codeBlocks(text).map(({ from }) => from.split('#')[0])))
    assert.deepEqual(
      house.files.map(({ path }) => path).filter((path) => path.startsWith('docs/snippets/') && !shown.has(path)),
      [],
    )
  })

  test('given every page under docs, when links are followed from the README and the pages themselves, then each is reached', () => {
    const reached = new Set(['README.md'])
    for (const path of reached) {
      const text = house.files.find((file) => file.path === path)?.text ?? ''
      for (const [, link = ''] of text.matchAll(/\]\(([^)\s#]+\.md)(?:#[^)]*)?\)/g)) {
        if (!/^[a-z]+:/.test(link)) reached.add(join(path, '..', link).replaceAll('\\', '/'))
      }
    }
    assert.deepEqual(
      pages.map(({ path }) => path).filter((path) => path.startsWith('docs/') && !reached.has(path)),
      [],
    )
  })
})

describe('the comparison', () => {
  const file =
    'const a = 1\n// #region one\nconst b = 2\n// #endregion\nif (a) {\n  // #region two\n  const c = 3\n\n    deep()\n  // #endregion\n}\n'
  const page = (language: string, text: string): string => `# A\n\n${fence}${language}\n${text}\n${fence}\n`
  const files = (path: string): string => (path === 'a.ts' ? file : assert.fail(`no file ${path}`))

  test('given blocks, when they are compared, then one that is its region is right; changed, unnamed or from nowhere, it is not', () => {
    assert.deepEqual(wrongBlocks(page('ts a.ts#one', 'const b = 2'), files), [])
    assert.deepEqual(wrongBlocks(page('ts a.ts#two', 'const c = 3\n\n  deep()'), files), [])
    assert.deepEqual(wrongBlocks(page('ts a.ts', file.trimEnd()), files), [])
    assert.deepEqual(wrongBlocks(page('sh', 'npm start'), files), [])
    for (const [language, text] of [
      ['ts a.ts#one', 'const b = 3'],
      ['ts', 'const b = 2'],
      ['ts a.ts#three', 'const b = 2'],
      ['ts b.ts#one', 'const b = 2'],
    ] as const) {
      assert.equal(wrongBlocks(page(language, text), files).length, 1, language)
    }
  })

  test('given a page whose blocks are empty or old, when it is filled, then they are as the file has them, and all else stays', () => {
    const pageOf = (one: string, two: string): string =>
      `# A\n\n${fence}ts a.ts#one\n${one}${fence}\n\ntext\n\n${fence}ts a.ts#two\n${two}${fence}\n\n${fence}sh\nls\n${fence}\n`
    const full = filled(pageOf('', 'old\n'), files)
    assert.deepEqual(wrongBlocks(full, files), [])
    assert.equal(full, pageOf('const b = 2\n', 'const c = 3\n\n  deep()\n'))
    assert.equal(filled(full, files), full)
  })

  test('given a region that is there twice or has no end, when it is asked for, then it is refused', () => {
    assert.throws(() => regionOf('// #region a\n// #endregion\n// #region a\n// #endregion', 'a'), /2 times/)
    assert.throws(() => regionOf('// #region a\nconst b = 1', 'a'), /no end/)
  })
})
