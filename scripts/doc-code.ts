/** Brings the code into the documents: each block that names a file becomes what stands there. A test holds them against each other. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { filled } from '../test/docs/code-blocks.ts'
import { readHouse, root } from '../test/house/source.ts'

for (const { path, text } of readHouse().files) {
  if (!path.endsWith('.md')) continue
  const now = filled(text, (from) => readFileSync(join(root, from), 'utf8'))
  if (now === text) continue
  writeFileSync(join(root, path), now)
  process.stdout.write(`${path}\n`)
}
